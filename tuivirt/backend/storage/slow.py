"""A libvirt call about storage that may take hours, and that libvirt itself cannot stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import libvirt

from ..errors import Aborted
from ..lifecycle import Progress

EVERY_S = 0.5


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
) -> Any:
    """What the call gives; what it raises is raised.

    ``far`` asks how far it is, 0 to 1 or None. Aborted, or after ``limit_s`` seconds, leaves the
    call to libvirt, which goes on with it: raises Aborted, which says so with the ``advice``.
    """
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

    threading.Thread(target=work, name=named, daemon=True).start()
    if progress is not None:
        progress(saying, None)
    while not ended.wait(min(EVERY_S, max(0.0, until - time.monotonic()))):
        if aborted is not None and aborted.is_set():
            raise Aborted(
                f"{named} is no longer followed", "it goes on: libvirt cannot stop it", advice
            )
        if time.monotonic() >= until:
            raise Aborted(f"{named} has not ended within {limit_s:g} s", "it goes on", advice)
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
    )
