"""A migration under way: the call, how far it is, and what is done to it meanwhile.

The call blocks for as long as the migration takes, and asking how far it is may hang with the
guest's monitor: each has a thread of its own, and whoever waits can always be told to stop.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import libvirt

from ..errors import is_gone
from ..lifecycle import Progress
from .job import Figures, figures_of

ASK_EVERY_S = 0.5
WAIT_S = 0.1


class Running:
    """One call that moves a domain."""

    def __init__(
        self,
        domain: Any,
        call: Callable[[], Any],
        around: Callable[[], AbstractContextManager[None]],
        asking: Callable[[], AbstractContextManager[None]],
        *,
        progress: Progress | None = None,
        aborted: threading.Event | None = None,
        timeout_s: int | None = None,
        postcopy: bool = False,
        max_downtime_ms: int | None = None,
        memory_bytes: int = 0,
    ) -> None:
        """``around`` is entered for the call, ``asking`` for each look at how far it is.

        ``timeout_s``: after so long the guest is paused, or (``postcopy``) it is switched."""
        self._domain = domain
        self._call = call
        self._around = around
        self._asking = asking
        self._progress = progress
        self._aborted = aborted or threading.Event()
        self._timeout_s = timeout_s
        self._postcopy = postcopy
        self._downtime = max_downtime_ms
        self._memory = memory_bytes
        self._ended = threading.Event()
        self.result: Any = None
        self.failure: BaseException | None = None
        self.abort_asked = False
        self.not_aborted = ""
        """libvirt's reason for not having taken the abort, as last told."""
        self.paused = False
        """It was paused by the timeout."""
        self.troubles: list[str] = []
        """What was asked for on the way and was refused, a clause each."""
        self.last = Figures()

    def run(self) -> None:
        """Do it, and wait until it has ended, well or not."""
        began = time.monotonic()
        threading.Thread(target=self._work, name="migration", daemon=True).start()
        threading.Thread(target=self._watch, name="migration-figures", daemon=True).start()
        while not self._ended.wait(WAIT_S):
            if self._aborted.is_set() and not self.abort_asked:
                self.abort_asked = True
                threading.Thread(target=self._abort, name="migration-abort", daemon=True).start()
            if self._timeout_s and time.monotonic() - began > self._timeout_s:
                self._timeout_s = None
                threading.Thread(target=self._hurry, name="migration-hurry", daemon=True).start()

    def _work(self) -> None:
        try:
            with self._around():
                self.result = self._call()
        except BaseException as error:
            self.failure = error
        finally:
            self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(ASK_EVERY_S):
            try:
                with self._asking():
                    figures = figures_of(self._domain.jobStats(0))
            except libvirt.libvirtError:
                continue  # It has just ended, or the connection has: the call itself tells.
            if self._ended.is_set():
                return
            if figures.type:
                self.last = figures
                self._limit_downtime()
            if self._progress is not None:
                asked = "asked to stop; " if self.abort_asked else ""
                asked += "paused after its time; " if self.paused else ""
                refused = f"cannot be stopped: {self.not_aborted}; " if self.not_aborted else ""
                self._progress(f"{refused or asked}{figures.words}", figures.fraction(self._memory))

    def _limit_downtime(self) -> None:
        """Once there is a job: before it QEMU's own limit is set again."""
        if self._downtime is None:
            return
        wanted, self._downtime = self._downtime, None
        try:
            with self._asking():
                self._domain.migrateSetMaxDowntime(wanted, 0)
        except libvirt.libvirtError as error:
            self.troubles.append(f"its downtime was not limited: {error.get_error_message()}")

    def _abort(self) -> None:
        """Until it is taken: there may be no job yet, or none that can be aborted any more."""
        while not self._ended.is_set():
            try:
                with self._asking():
                    self._domain.abortJob()
            except libvirt.libvirtError as error:
                if is_gone(error):
                    return
                self.not_aborted = error.get_error_message() or str(error)
            else:
                self.not_aborted = ""
                return
            self._ended.wait(ASK_EVERY_S)

    def _hurry(self) -> None:
        try:
            with self._asking():
                if self._postcopy:
                    self._domain.migrateStartPostCopy(0)
                else:
                    self._domain.suspend()
            self.paused = not self._postcopy
        except libvirt.libvirtError as error:
            what = "switched to post-copy" if self._postcopy else "paused after its time"
            self.troubles.append(f"it was not {what}: {error.get_error_message()}")
