"""libvirt's default event loop on one daemon thread.

Registered before the first connection is opened and never libvirtaio, which is not
thread-safe: called from another thread, an event waited three seconds.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any

import libvirt

from . import bindings

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_loop: EventLoop | None = None


class EventLoop:
    """The one loop of this process. A pipe wakes it, so that it can stop and run calls at once."""

    def __init__(self) -> None:
        libvirt.virEventRegisterDefaultImpl()
        # By default libvirt prints each error to standard error, across the screen; every one
        # of them reaches us as an exception anyway.
        libvirt.registerErrorHandler(_quiet, None)
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._calls: list[Callable[[], None]] = []
        self._calls_lock = threading.Lock()
        self._stopping = False
        # The handle must stay referenced from Python, or its callback's opaque is collected.
        self._handle = libvirt.virEventAddHandle(
            self._read, libvirt.VIR_EVENT_HANDLE_READABLE, self._woken, None
        )
        self._thread = threading.Thread(target=self._run, name="libvirt-events", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping:
            # A callback's exception is printed by libvirt-python and does not end the loop.
            libvirt.virEventRunDefaultImpl()

    def _woken(self, _watch: int, _fd: int, _events: int, _opaque: Any) -> None:
        try:
            while os.read(self._read, 4096):
                pass
        except BlockingIOError:
            pass
        with self._calls_lock:
            calls, self._calls = self._calls, []
        for call in calls:
            try:
                call()
            except Exception:
                # One that fails is a defect of ours; those behind it are still owed.
                _log.exception("unexpected on libvirt's event thread")

    def _wake(self) -> None:
        try:
            os.write(self._write, b".")
        except BlockingIOError:
            pass  # The pipe is full, so the loop is about to wake anyway.

    def call(self, function: Callable[[], None]) -> None:
        """Run ``function`` on the loop's thread, soon. It must not block."""
        with self._calls_lock:
            self._calls.append(function)
        self._wake()

    @property
    def on_thread(self) -> bool:
        """Whether the caller runs on the loop's thread."""
        return threading.current_thread() is self._thread

    def stop(self, timeout: float = 0.2) -> bool:
        """End the loop; true when its thread ended within ``timeout`` seconds.

        Afterwards no event arrives any more: for the end of the program, and tests.
        """
        self._stopping = True
        self._wake()
        self._thread.join(timeout)
        return not self._thread.is_alive()


def _quiet(_context: Any, _error: Any) -> None:
    """Take libvirt's error in place of its printing."""
    bindings.forget_logged()


def start() -> EventLoop:
    """The running loop, started by the first call."""
    global _loop
    with _lock:
        if _loop is None or _loop._stopping:
            _loop = EventLoop()
        return _loop
