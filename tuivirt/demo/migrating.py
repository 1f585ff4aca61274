"""A guest of a demo host moved to another one: in this process, at the pace of a real line.

What is not modelled, and refused as libvirt refuses it: peer to peer and tunnelled migration.
Post-copy, throttling and compression are taken and change nothing.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import libvirt
from lxml import etree

from .errors import failure, not_running
from .guest import Guest

if TYPE_CHECKING:
    from .domain import DemoDomain
    from .machines import Machines

LINE_MIB_S = 512
"""How fast the line between two demo hosts is, unless a bandwidth is given."""
STEP_S = 0.1
DOWNTIME_MS = 42
_MIB = 1 << 20


class Move:
    """A migration under way, on its source."""

    def __init__(self, memory_mib: int, mib_per_s: int) -> None:
        self.memory = memory_mib * _MIB
        self.mib_per_s = mib_per_s
        self.done = 0
        self.began = time.monotonic()
        self.canceled = threading.Event()

    def go(self) -> bool:
        """Send all of it; False when it was canceled."""
        while self.done < self.memory:
            if self.canceled.wait(STEP_S):
                return False
            self.done = min(self.memory, self.done + int(self.mib_per_s * _MIB * STEP_S))
        return True

    def stats(self) -> dict[str, int]:
        """As virDomainGetJobStats tells them while it goes on."""
        return {
            "type": libvirt.VIR_DOMAIN_JOB_UNBOUNDED,
            "operation": libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT,
            "time_elapsed": int((time.monotonic() - self.began) * 1000),
            "downtime": 300,
            "memory_total": self.memory,
            "memory_processed": self.done,
            "memory_remaining": self.memory - self.done,
            "memory_bps": self.mib_per_s * _MIB,
            "memory_iteration": 1,
        }


def migrate(domain: DemoDomain, target: Any, params: dict[str, Any], flags: int) -> Any:
    """As virDomainMigrate3; returns the target's domain. Raises libvirtError."""
    source: Machines = domain._host
    target.require_write("virDomainMigrate3")
    guest = domain.guest
    live = not flags & libvirt.VIR_MIGRATE_OFFLINE
    if live and not guest.active:
        raise not_running()
    if guest.move is not None:
        raise failure(
            libvirt.VIR_ERR_OPERATION_TIMEOUT,
            "Timed out during operation: cannot acquire state change lock",
        )
    xml, uuid = _renamed(domain, params), domain.UUIDString()
    _check_free(target, xml, uuid)
    if live:
        limit = int(params.get(libvirt.VIR_MIGRATE_PARAM_BANDWIDTH, 0)) or guest.speed_mib_s
        guest.move = move = Move(guest.spec.memory_mib, limit or LINE_MIB_S)
        try:
            if not move.go():
                raise failure(
                    libvirt.VIR_ERR_OPERATION_ABORTED,
                    "operation aborted: migration out job: canceled by client",
                )
        finally:
            guest.move = None
        if not guest.active:  # Forced off meanwhile: there is nothing that could arrive.
            raise not_running()
    moved = _arrive(
        target, xml, guest if live else None, bool(flags & libvirt.VIR_MIGRATE_PERSIST_DEST)
    )
    _leave(source, domain, live, bool(flags & libvirt.VIR_MIGRATE_UNDEFINE_SOURCE))
    return moved


def _renamed(domain: DemoDomain, params: dict[str, Any]) -> str:
    root: Any = etree.fromstring(domain._real.XMLDesc(0))
    root.attrib.pop("id", None)
    name = params.get(libvirt.VIR_MIGRATE_PARAM_DEST_NAME)
    if name:
        root.find("name").text = name
    return str(etree.tostring(root, encoding="unicode"))


def _check_free(target: Any, xml: str, uuid: str) -> None:
    name = etree.fromstring(xml).findtext("name")
    for known in target.real.listAllDomains(0):
        same_name, same_uuid = known.name() == name, known.UUIDString() == uuid
        if (same_name and not same_uuid) or (same_uuid and known.isActive()):
            raise failure(
                libvirt.VIR_ERR_OPERATION_FAILED,
                f"domain '{known.name()}' already exists with uuid {known.UUIDString()}",
            )


def _arrive(target: Any, xml: str, guest: Guest | None, persistent: bool) -> Any:
    """Define it there; a guest that runs goes on, its clock and its figures with it."""
    with target.lock:
        real = target.real.defineXML(xml)
        if guest is not None:
            there = target.guest(real)
            there.take_over(guest)
            real.create()
            there = target.guest(real)
            there.completed_move = True
            target.started(there, resumed=True)
            if not persistent:
                real.undefine()
    return target.lookupByUUIDString(real.UUIDString())


def _leave(source: Machines, domain: DemoDomain, live: bool, undefine: bool) -> None:
    with source.lock:
        undefine = undefine and bool(domain._real.isPersistent())
        if live:
            source.leaving.add(domain.UUIDString())
            try:
                domain._real.destroy()
            except libvirt.libvirtError:
                source.leaving.discard(domain.UUIDString())
                raise
            source.stopped(domain._real)
        if undefine:
            domain._real.undefine()


def job_stats(domain: DemoDomain, flags: int) -> dict[str, int]:
    """As virDomainGetJobStats."""
    guest = domain.guest
    if flags & libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED:
        if not guest.completed_move:
            return {"type": libvirt.VIR_DOMAIN_JOB_NONE}
        return {
            "type": libvirt.VIR_DOMAIN_JOB_COMPLETED,
            "operation": libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN,
            "downtime": DOWNTIME_MS,
        }
    if not guest.active:
        raise not_running()
    return guest.move.stats() if guest.move else {"type": libvirt.VIR_DOMAIN_JOB_NONE}


def abort_job(domain: DemoDomain) -> int:
    """As virDomainAbortJob. Raises libvirtError when there is none."""
    move = domain.guest.move
    if move is None:
        raise failure(libvirt.VIR_ERR_OPERATION_INVALID, "no job is active on the domain")
    move.canceled.set()
    return 0
