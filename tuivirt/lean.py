"""Leaves out what is imported along and never used, and what is left of the start."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Mapping

SETTLE_S = 0.25
"""When the start's garbage is looked for: the first picture is there, and nobody has read it."""
LOOK_AGAIN_S, LOOK_AT_FEW_S, GROWN = 60.0, 15.0, 1.02
"""How often it is seen whether all must be looked through, how often that is where they are few,
and by how much they have grown then. Who goes from screen to screen leaves 1,000 to 2,000 objects
of garbage a second, and the most that ever lay there is what the process keeps."""
MANY, FRESH, FRESH_MOST, GROWN_MANY = 200_000, 50_000, 200_000, 2.0
"""From how many objects on a look takes longer than a key should wait. Then nothing is looked
through by itself: only what is new, when that is so much, and all, when it has grown so."""
QUIET_S, MOST_PUT_OFF = 5.0, 10
"""With so many not while somebody types, unless it was put off so often, or FRESH_MOST are new."""
_M_ARENA_MAX = -8
"""Of mallopt(3), in glibc's malloc.h."""


def import_asyncio() -> None:
    """Import asyncio without TLS, which no socket of ours speaks (libvirt's are its own).

    asyncio does without it where the interpreter was built so. That saves 2.5 MiB and 5 ms.
    Who imports ``ssl`` later gets it.
    """
    if "asyncio" in sys.modules or "ssl" in sys.modules:
        return
    sys.modules["ssl"] = None  # type: ignore[assignment]
    try:
        import asyncio  # noqa: F401
    finally:
        del sys.modules["ssl"]


def share_one_heap() -> None:
    """Have all threads allocate from one heap: each has its own else, and a dozen are half empty.

    That saves 0.5 MiB. The interpreter lets one thread run at a time anyway. For the main thread,
    before there are others. ctypes itself would take what is saved; where what it is made of is
    not there, or malloc is not glibc's, nothing is changed.
    """
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import _ctypes

        program = _ctypes.dlopen(None, os.RTLD_LAZY)  # type: ignore[arg-type]
        _ctypes.call_function(_ctypes.dlsym(program, "mallopt"), (_M_ARENA_MAX, 1))


def collect_start() -> None:
    """Free what the imports left behind, and look through what stays never again.

    Half of it are the classes that ``datetime`` has in Python and puts C's in place of. To look
    through all of it takes 20 ms, so not before the first picture, and not once a key may wait.
    What is freed (0.4 MiB) is taken by what is read of the domains next.
    """
    gc.collect()
    gc.freeze()
    gc.callbacks.append(_look_at_each_once)
    gc.enable()


def _look_at_each_once(phase: str, info: Mapping[str, int]) -> None:
    """After each collection of the oldest: what stays is not looked through by the next.

    With 10,000 domains that took half a second, in which no key was answered. What is new there
    are mostly figures, in the place of others: 20,000 at a time, and next to no garbage.
    """
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()
        if gc.isenabled() and gc.get_freeze_count() > MANY:
            gc.disable()


class Growth:
    """Looks through all when there has come to be so much that some of it may be garbage.

    What was alive when it was looked at, and became part of a circle of garbage later, is found
    by nothing else: screens that were left, for one. Most is freed without.
    """

    def __init__(self, quiet_s: Callable[[], float] = lambda: QUIET_S) -> None:
        """``quiet_s`` tells how many seconds ago a key was pressed."""
        self._quiet_s = quiet_s
        self._put_off = 0
        self._expected = False
        self._settled = 0
        """How many objects there were when all was looked through."""
        self._grown: int | None = None
        """How many came since and were looked at; None: what is new is looked at by itself."""

    def expect(self) -> None:
        """Much has gone, as with a host: look through all the next time. On any thread."""
        self._expected = True

    def look_at_few(self) -> None:
        """Called every LOOK_AT_FEW_S."""
        if gc.isenabled():
            self.look()

    def look(self) -> None:
        """Called every LOOK_AGAIN_S."""
        fresh = gc.get_count()[0]
        # Of few objects a look takes no longer than a key may wait.
        many = not gc.isenabled()
        typing = many and self._quiet_s() < QUIET_S and fresh < FRESH_MOST
        if typing and self._put_off < MOST_PUT_OFF:
            self._put_off += 1
            return
        self._put_off = 0
        if self._expected or self._has_changed(gc.get_freeze_count(), fresh):
            self._look_through()
        elif self._grown is not None and fresh > FRESH:
            self._grown += fresh
            gc.collect()

    def _has_changed(self, count: int, fresh: int) -> bool:
        """Whether there is so much more, or so much less, that all is to be looked through."""
        if gc.isenabled():
            return count > GROWN * self._settled
        if self._grown is None:
            self._settled, self._grown = count, 0
        more = self._settled + self._grown + fresh > GROWN_MANY * self._settled
        return more or count < self._settled / GROWN_MANY

    def _look_through(self) -> None:
        self._expected = False
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._settled = gc.get_freeze_count()
        if self._settled < MANY / 2:
            gc.enable()
        self._grown = None if gc.isenabled() else 0
