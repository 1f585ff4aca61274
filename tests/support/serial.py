"""A guest's serial console, as a test reads and types it."""

from __future__ import annotations

import codecs
import itertools
import re
import threading
import time
from typing import Any

import libvirt

from tests.support.initramfs import PROMPT
from tuivirt.backend import eventloop
from tuivirt.backend.consolestream import ConsoleStream

SILENCE_S = 10
"""How long a guest that boots may say nothing before it is asked again."""


class SerialTimeout(AssertionError):
    """The guest did not say what was waited for; the message holds what it did say."""


class Serial:
    """A console stream of its own connection; libvirt's event thread gathers what the guest says.

    Not a blocking stream with a thread that reads and another that types: libvirt's client may
    then forget to wake one of them, and a shell seems to hang in the middle of a word.

    While it is open nobody else gets that console (unless by force): ``close`` it before a test
    opens the same one, or give the guest two ports and read the other.
    """

    def __init__(self, uri: str, uuid: str, devname: str | None = None) -> None:
        self._loop = eventloop.start()
        self._conn: Any = libvirt.open(uri)
        self._raw: Any = self._conn.newStream(libvirt.VIR_STREAM_NONBLOCK)
        self._conn.lookupByUUIDString(uuid).openConsole(devname, self._raw, 0)
        self._said = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._start = 0
        self._over = False
        self._changed = threading.Condition()
        self._runs = itertools.count(1)
        self._stream = ConsoleStream(
            self._raw, paused=False, on_data=self._heard, on_end=self._ended, on_room=self._room
        )
        self._loop.call(self._stream.watch)

    def _heard(self, data: bytes) -> None:
        with self._changed:
            self._said += self._decoder.decode(data)
            self._changed.notify_all()

    def _ended(self) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _room(self) -> None:
        with self._changed:
            self._changed.notify_all()

    @property
    def said(self) -> str:
        """All that the guest has said since the console was opened."""
        return self._said

    def expect(self, pattern: str, timeout: float = 30) -> re.Match[str]:
        """Wait until the guest says ``pattern`` (after what was expected before)."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                match = re.compile(pattern, re.DOTALL).search(self._said, self._start)
                if match:
                    self._start = match.end()
                    return match
                left = deadline - time.monotonic()
                if self._over or left <= 0:
                    why = "the console ended" if self._over else f"{timeout} s passed"
                    raise SerialTimeout(f"{why}, no {pattern!r} in {self._said[self._start :]!r}")
                self._changed.wait(left)

    def send(self, text: str, timeout: float = 30) -> None:
        """Type; a line ends in ``\\n``."""
        data = text.encode()
        deadline = time.monotonic() + timeout
        while True:
            data = data[self._stream.write(data) :]
            self._loop.call(self._stream.watch)
            if not data:
                return
            with self._changed:
                if self._over or not self._changed.wait(deadline - time.monotonic()):
                    raise SerialTimeout(f"the guest did not take {data!r}")

    def wait_for_shell(self, timeout: float = 60) -> None:
        """Wait for the prompt of a guest that boots.

        When it falls silent on the way it gets an enter: an emulated port has been seen to stop in
        the middle of a word, and its driver looks at what is still to be sent at each interrupt.
        """
        deadline = time.monotonic() + timeout
        while True:
            said = len(self._said)
            left = deadline - time.monotonic()
            try:
                self.expect(re.escape(PROMPT), max(0.0, min(left, SILENCE_S)))
                return
            except SerialTimeout:
                if self._over or left <= SILENCE_S:
                    raise
                if said and said == len(self._said):
                    self.send("\n")

    def run(self, command: str, timeout: float = 30) -> str:
        """Run a command in the guest's shell; what it printed, lines ended by ``\\n``.

        Raises AssertionError when its exit status is not 0.
        """
        # What the terminal echoes holds the marks with the quotes in between, so it never matches.
        mark = f"mark{next(self._runs)}"
        self.send(f'echo ="{mark}"=; {command}; echo =$?="{mark}"=\n')
        match = self.expect(rf"={mark}=\r\n(.*?)=(\d+)={mark}=\r\n", timeout)
        output = match[1].replace("\r\n", "\n")
        try:
            self.expect(re.escape(PROMPT), min(timeout, 10))
        except SerialTimeout:
            # The command is over; what the kernel says meanwhile may have taken the prompt along.
            self.send("\n")
            self.expect(re.escape(PROMPT), timeout)
        if match[2] != "0":
            raise AssertionError(f"{command!r} ended with {match[2]} in the guest: {output}")
        return output

    def close(self) -> None:
        """Let go of the console."""
        if self._conn is None:
            return
        dropped = threading.Event()

        def drop() -> None:
            self._stream.drop()
            dropped.set()

        self._loop.call(drop)
        dropped.wait(5)
        try:
            self._raw.abort()
        except libvirt.libvirtError:
            pass  # It ended before: the guest is gone.
        self._conn.close()
        self._conn = None

    def __enter__(self) -> Serial:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
