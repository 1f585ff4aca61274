"""A libvirt call about storage that may take hours, and that libvirt itself cannot stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import Aborted, Silent
from ..lifecycle import Progress

if TYPE_CHECKING:
    from ..host import Host

EVERY_S = 0.5
LOOK_S = 30.0
"""How long libvirt may take to look at a pool where nobody stands by who could abort that."""

_left: set[tuple[Hashable, threading.Event]] = set()
"""Calls that nobody waits for any more, and that have not ended: each one's key and its end."""
_left_lock = threading.Lock()


def goes_on(key: Hashable) -> bool:
    """Whether a call of that key that nobody waits for any more has not ended."""
    with _left_lock:
        return any(each == key for each, _ended in _left)


def call_slowly(
    call: Callable[[], Any],
    *,
    named: str,
    saying: str,
    far: Callable[[], float | None],
    aborted: threading.Event | None,
    progress: Progress | None,
    advice: str = "",
    limit_s: float = float("inf"),
    key: Hashable = None,
) -> Any:
    """What the call gives; what it raises is raised.

    ``far`` asks how far it is, 0 to 1 or None. Aborted, or after ``limit_s`` seconds, leaves the
    call to libvirt, which goes on with it: raises Aborted, or Silent, which says so with the
    ``advice``. ``key``: while one of that key goes on so, no other is made, and Silent is raised
    at once. The daemon takes no more than a few calls of a connection at the same time.
    """
    if key is not None and goes_on(key):
        raise Silent(f"{named} was begun before, and has not ended", "it goes on", advice)
    until = time.monotonic() + limit_s
    ended = threading.Event()
    result: list[Any] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            result.append(call())
        except BaseException as error:
            failure.append(error)
        finally:
            ended.set()
            with _left_lock:
                _left.discard((key, ended))

    def leave() -> None:
        with _left_lock:
            if key is not None and not ended.is_set():
                _left.add((key, ended))

    threading.Thread(target=work, name=named, daemon=True).start()
    if progress is not None:
        progress(saying, None)
    while not ended.wait(min(EVERY_S, max(0.0, until - time.monotonic()))):
        if aborted is not None and aborted.is_set():
            leave()
            raise Aborted(
                f"{named} is no longer followed", "it goes on: libvirt cannot stop it", advice
            )
        if time.monotonic() >= until:
            leave()
            raise Silent(f"{named} has not ended within {limit_s:g} s", "it goes on", advice)
        if progress is not None:
            try:
                progress(saying, far())
            except libvirt.libvirtError:
                progress(saying, None)  # Not there yet, or not told: the call itself will say.
    if failure:
        raise failure[0]
    return result[0]


def call_for_pool(
    call: Callable[[], Any],
    named: str,
    saying: str,
    aborted: threading.Event | None,
    progress: Progress | None,
    limit_s: float = float("inf"),
    key: Hashable = None,
) -> Any:
    """A call about a whole pool: it may take minutes, or hang with the server that it asks."""
    return call_slowly(
        call,
        named=named,
        saying=saying,
        far=lambda: None,
        aborted=aborted,
        progress=progress,
        advice="until it ends libvirt may not answer for its pools",
        limit_s=limit_s,
        key=key,
    )


def refresh(
    host: Host,
    pool: Any,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
    limit_s: float = float("inf"),
) -> None:
    """Have libvirt look again at what is in a pool. Raises Aborted, Silent, libvirtError."""
    name = pool.name()
    call_for_pool(
        lambda: pool.refresh(0),
        f"the refresh of pool {name}",
        f"looking again at what is in pool {name}",
        aborted,
        progress,
        limit_s,
        key=("refresh", host.name, name),
    )
