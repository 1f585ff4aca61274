"""A volume is made larger, or, where that is meant, smaller."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import BadInput, TuivirtError, from_libvirt
from ..lifecycle import Progress
from ..model.finding import Finding, Plan, Weight
from ..owners.resizing import against_resizing
from ..sizes import MOST_BYTES
from ..snapshots.judge import refuse
from .create import advice_for
from .find import Found, bytes_of, find, human, touch
from .judge import usage_of
from .slow import call_slowly
from .unfinished import findings as of_uploads

if TYPE_CHECKING:
    from ..host import Host


@dataclass(frozen=True, slots=True)
class _Wish:
    found: Found
    now: int
    then: int
    """Bytes."""

    @property
    def shrinks(self) -> bool:
        return self.then < self.now


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options cannot be right together."""
    if values.get("shrink") and values.get("allocate"):
        raise BadInput("nothing is allocated where a volume is made smaller")


def plan_for(host: Host, pool_key: str, values: Mapping[str, Any]) -> Plan:
    """What it would be, and what speaks against it. Raises TuivirtError."""
    wish = _wish(host, pool_key, values)
    return _plan(host, wish, values)


def _wish(host: Host, pool_key: str, values: Mapping[str, Any]) -> _Wish:
    check(values)
    found = find(host, pool_key, str(values["vol"]))
    now = found.volume.capacity_bytes
    if now is None:
        raise TuivirtError(f"cannot resize {found.label}", "libvirt does not tell its size")
    size = bytes_of(str(values["capacity"]), "the capacity")
    if values.get("delta"):
        size = now - size if values.get("shrink") else now + size
    if size > MOST_BYTES or size <= 0:
        raise BadInput(f"cannot resize {found.label}", f"it would be {human(size)}")
    if size == now:
        raise BadInput(f"{found.label} is {human(now)} already")
    if values.get("shrink") and size > now:
        raise BadInput(
            f"{found.label} is {human(now)}: that would make it larger", advice="without --shrink"
        )
    return _Wish(found, now, size)


def _plan(host: Host, wish: _Wish, values: Mapping[str, Any]) -> Plan:
    name, usage = wish.found.name, usage_of(host, wish.found, refresh=True)
    findings = []
    if wish.shrinks and not values.get("shrink"):
        text = f"{name} is {human(wish.now)}: it would be made smaller"
        advice = "--shrink, if that is meant; --delta, if it was to grow by so much"
        findings.append(Finding(Weight.REFUSED, text, advice))
    elif wish.shrinks:
        text = f"what lies beyond {human(wish.then)} of {name} is lost"
        findings.append(
            Finding(Weight.RISK, text, "the file system in it has to be made smaller before")
        )
    findings += against_resizing(usage, name, shrinks=wish.shrinks)
    findings += of_uploads(host, wish.found.volume)
    steps = [f"{name} of pool {wish.found.volume.pool}: {human(wish.now)} → {human(wish.then)}"]
    if values.get("allocate"):
        steps.append("   what is new is taken at once")
    if not wish.shrinks:
        steps.append("   the guest's partitions and file systems stay as they are")
    return Plan(name, tuple(steps), tuple(findings))


def resize(
    host: Host,
    pool_key: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Resize a volume; a sentence of what is true then. Source: virStorageVolResize.

    ``values``: vol, capacity, delta, shrink, allocate. Raises Aborted, BadInput, TuivirtError.
    """
    host.require_write()
    wish = _wish(host, pool_key, values)
    found = wish.found
    what = f"cannot resize {found.label}"
    refuse(_plan(host, wish, values), what, force)
    flags = libvirt.VIR_STORAGE_VOL_RESIZE_SHRINK if wish.shrinks else 0
    flags |= libvirt.VIR_STORAGE_VOL_RESIZE_ALLOCATE if values.get("allocate") else 0
    try:
        call_slowly(
            lambda: found.handle.resize(wish.then, flags),
            named=f"the resizing of {found.name}",
            saying="resizing it",
            far=lambda: None,
            aborted=aborted,
            progress=progress,
        )
        now = int(found.handle.info()[1])
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what, advice_for(error)) from error
    finally:
        touch(host, found.pool)
    if (now > wish.then) if wish.shrinks else (now < wish.then):
        raise TuivirtError(what, f"libvirt took the call, but it is {human(now)}")
    return f"{found.label} is {human(now)} now; it was {human(wish.now)}"
