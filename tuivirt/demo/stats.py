"""Bulk statistics of the demo's guests, in the format of virConnectGetAllDomainStats."""

from __future__ import annotations

from typing import Any

import libvirt

from .guest import Guest

_GROUPS = (
    libvirt.VIR_DOMAIN_STATS_STATE
    | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
    | libvirt.VIR_DOMAIN_STATS_BALLOON
    | libvirt.VIR_DOMAIN_STATS_VCPU
    | libvirt.VIR_DOMAIN_STATS_INTERFACE
    | libvirt.VIR_DOMAIN_STATS_BLOCK
)
KNOWN_GROUPS: int = _GROUPS
ALL_GROUPS = 0xFFFF

_NS = 1_000_000_000


def record(
    guest: Guest, info: list[int], reason: int, groups: int, now: float, seen: float = 1.0
) -> dict[str, Any]:
    """The figures of one guest. ``info`` is virDomainGetInfo's list."""
    groups = groups or KNOWN_GROUPS
    values: dict[str, Any] = {}
    if groups & libvirt.VIR_DOMAIN_STATS_STATE:
        values["state.state"], values["state.reason"] = info[0], reason
    vcpus = info[3]
    live = guest.live
    if groups & (libvirt.VIR_DOMAIN_STATS_CPU_TOTAL | libvirt.VIR_DOMAIN_STATS_VCPU):
        _cpu(guest, values, vcpus, groups, now)
    if groups & libvirt.VIR_DOMAIN_STATS_BALLOON:
        values["balloon.current"], values["balloon.maximum"] = info[2], info[1]
        if live is not None:
            values.update(
                {f"balloon.{key}": value for key, value in memory(guest, info[2], now).items()}
            )
    if live is None:
        return values
    ran = guest.ran(now)
    if groups & libvirt.VIR_DOMAIN_STATS_INTERFACE:
        values["net.count"] = len(live.nics)
        profile = guest.profile
        for nic in live.nics:
            rx = nic.weight * _grown(profile.rx, ran, nic.since, guest.phase)
            tx = nic.weight * _grown(profile.tx, ran, nic.since, guest.phase)
            row = (nic.name, int(rx), int(rx / 900), 0, 0, int(tx), int(tx / 1100), 0, 0)
            values.update(zip(nic.keys, row, strict=True))
    if groups & libvirt.VIR_DOMAIN_STATS_BLOCK:
        _block(guest, values, ran)
    return values


def _cpu(guest: Guest, values: dict[str, Any], vcpus: int, groups: int, now: float) -> None:
    if not guest.active:
        if groups & libvirt.VIR_DOMAIN_STATS_VCPU:
            values["vcpu.current"], values["vcpu.maximum"] = vcpus, max(vcpus, guest.spec.vcpus)
        return
    each = guest.cpu_seconds(now, vcpus)
    if groups & libvirt.VIR_DOMAIN_STATS_CPU_TOTAL:
        total = cpu_total(guest, each, now)
        values["cpu.time"] = int(total * _NS)
        values["cpu.user"] = int(total * 0.8 * _NS)
        values["cpu.system"] = int(total * 0.2 * _NS)
    if groups & libvirt.VIR_DOMAIN_STATS_VCPU:
        values["vcpu.current"], values["vcpu.maximum"] = vcpus, max(vcpus, guest.spec.vcpus)
        for number, seconds in enumerate(each):
            values[f"vcpu.{number}.state"] = 1
            values[f"vcpu.{number}.time"] = int(seconds * _NS)
            values[f"vcpu.{number}.wait"] = int(seconds * 0.015 * _NS)
            values[f"vcpu.{number}.delay"] = int(seconds * 0.004 * _NS)


def cpu_total(guest: Guest, each: list[float], now: float) -> float:
    """CPU seconds of its vCPUs and of the emulator around them."""
    return sum(each) + 0.004 * guest.ran(now)


def memory(guest: Guest, current_kib: int, now: float) -> dict[str, int]:
    """Memory figures in KiB by the bulk stats' names without their ``balloon.``."""
    used = guest.memory_used(now)
    figures = {"rss": int(current_kib * (0.30 + 0.68 * used)) + 60_000}
    live = guest.live
    if live is None or not live.balloon or not live.period:
        figures["last-update"] = 0
        return figures
    available = int(current_kib * 0.965)
    usable = int(available * (1 - used))
    caches = int(available * min(0.25, (1 - used) * 0.6))
    ran = guest.ran(now)
    figures |= {
        "swap_in": 0,
        "swap_out": 0,
        "major_fault": int(ran * 0.01),
        "minor_fault": int(ran * 40),
        "unused": usable - caches,
        "available": available,
        "usable": usable,
        "last-update": int(guest.balloon_wall()) - int(ran % live.period),
        "disk_caches": caches,
    }
    return figures


def _grown(wave: Any, ran: float, since: float, phase: float) -> float:
    total: float = wave.total(ran, phase)
    return total - wave.total(since, phase) if since else total


def _block(guest: Guest, values: dict[str, Any], ran: float) -> None:
    live, profile = guest.live, guest.profile
    if live is None:
        return
    values["block.count"] = len(live.disks)
    read = profile.read.total(ran, guest.phase)
    write = profile.write.total(ran, guest.phase)
    for disk in live.disks:
        rd, wr = disk.weight * read, disk.weight * write
        if disk.since:
            rd = disk.weight * _grown(profile.read, ran, disk.since, guest.phase)
            wr = disk.weight * _grown(profile.write, ran, disk.since, guest.phase)
        reads, writes = int(rd / 28_000), int(wr / 15_000)
        size = disk.capacity
        held = size if disk.format == "raw" else int(size * 0.37)
        row = (
            disk.name,
            disk.path,
            1,
            reads,
            int(rd),
            reads * 600_000,
            writes,
            int(wr),
            writes * 1_100_000,
            writes // 20,
            writes // 20 * 2_000_000,
            held,
            size,
            held,
        )
        values.update(zip(disk.keys, row, strict=True))
