"""A file of saved memory: what it holds, and a guest taken up again from it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import TuivirtError, from_libvirt, is_gone
from .here import is_here
from .lifecycle import Progress, state_of, touch
from .model.device import DomainConfig
from .model.domain import DomainState
from .model.finding import Finding, Plan, Weight
from .model.record import record
from .model.size import spelled
from .saving import SAVE_FLAGS, check, flags_of, memory_of, path_of
from .sides import parse_text
from .snapshots.judge import refuse
from .storage import half_disks

if TYPE_CHECKING:
    from .host import Host

_CLOSING_S = 5.0
"""QEMU closes its images after the file is done."""


@record(frozen=True, slots=True)
class Saved:
    """What a file of saved memory holds."""

    config: DomainConfig
    at: float | None
    """When it was written, seconds since the epoch; None: the file is not on this machine."""
    xml: str = ""
    """The configuration as the file has it."""

    @property
    def when(self) -> str:
        """By this machine's clock and zone."""
        if self.at is None:
            return "at a time that is not known"
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.at))

    @property
    def lines(self) -> tuple[str, ...]:
        """In words."""
        config = self.config
        disks = ", ".join(f"{disk.target} {disk.source}" for disk in config.disks if disk.source)
        return (
            f"{config.name} ({config.uuid}), saved {self.when}",
            f"memory        {spelled(memory_of(config))}, {config.vcpus} CPUs",
            f"machine       {config.machine}, {config.arch}",
            f"disks         {disks or 'none'}",
        )


def saved_in(host: Host, path: str) -> Saved:
    """What a file holds. Raises TuivirtError. Source: virDomainSaveImageGetXMLDesc."""
    what = f"cannot read {path}"
    try:
        xml = str(host.conn.saveImageGetXMLDesc(path, 0))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what, "is it a file that virsh save has written?") from error
    config = parse_text(xml, what)
    assert config is not None
    return Saved(config, _mtime(host, path), xml)


def info(host: Host, file: str) -> str:
    """What a file holds, as lines. Raises BadInput, TuivirtError."""
    return "\n".join(saved_in(host, path_of(host, file)).lines)


def _mtime(host: Host, path: str) -> float | None:
    if not is_here(host):
        return None
    try:
        return os.stat(path).st_mtime
    except OSError:
        return None


def managed_info(host: Host, uuid: str) -> str:
    """What a domain's managed save holds, as lines. Source: virDomainManagedSaveGetXMLDesc."""
    domain = host.domain(uuid)
    name = domain.name()
    what = f"cannot read the managed save of {name}"
    try:
        if not domain.hasManagedSaveImage(0):
            return f"{name} has no managed save"
        config = parse_text(str(domain.managedSaveGetXMLDesc(0)), what)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    assert config is not None
    first, *rest = Saved(config, None).lines
    return "\n".join((first.partition(", saved")[0], *rest))


def plan_restore(host: Host, _key: str, values: Mapping[str, Any]) -> Plan:
    """What a file holds, and what speaks against going on from it. Raises TuivirtError."""
    check(values)
    path = path_of(host, str(values["file"]))
    found = saved_in(host, path)
    config = found.config
    findings = _against_domains(host, config)
    findings += half_disks.against(host, [found.xml], f"cannot restore {config.name}")
    if is_here(host) and found.at is not None:
        findings += _against_disks(config, found.at)
    after = "as it was then"
    if values.get("running") or values.get("paused"):
        after = "running" if values.get("running") else "paused"
    steps = [*found.lines, f"It goes on from there: {after}. {path} stays, and is of no use then."]
    return Plan(config.name, tuple(steps), tuple(findings))


def _against_domains(host: Host, config: DomainConfig) -> list[Finding]:
    """Whether it runs already, or another has its name; asked of libvirt, not of what was known."""
    try:
        uuid = host.conn.lookupByName(config.name).UUIDString()
    except libvirt.libvirtError as error:
        if not is_gone(error):
            raise from_libvirt(error, f"cannot look for {config.name}") from error
        uuid = ""
    try:
        runs = bool(host.conn.lookupByUUIDString(config.uuid).isActive())
    except libvirt.libvirtError as error:
        if not is_gone(error):
            raise from_libvirt(error, f"cannot look for {config.name}") from error
        runs = False
    if runs:
        return [Finding(Weight.REFUSED, f"{config.name} runs already", "it cannot run twice")]
    if uuid and uuid != config.uuid:
        text = f"another domain is called {config.name}"
        return [Finding(Weight.REFUSED, text, "rename that one first: virsh domrename")]
    return []


def _against_disks(config: DomainConfig, saved_at: float) -> list[Finding]:
    """Images that are away, or that were written after the memory was."""
    said = []
    for disk in config.disks:
        if disk.source_type != "file" or not disk.source:
            continue
        try:
            written = os.stat(disk.source).st_mtime
        except FileNotFoundError:
            text = f"{disk.target} is away: there is no {disk.source}"
            said.append(Finding(Weight.REFUSED, text))
            continue
        except OSError:
            continue  # It cannot be looked at: libvirt will tell.
        if not disk.readonly and written > saved_at + _CLOSING_S:
            text = f"{disk.target} ({disk.source}) was written after its memory was saved: going "
            text += "on damages the file systems on it"
            said.append(Finding(Weight.RISK, text, "start it afresh instead"))
    return said


def restore(
    host: Host,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> str:
    """Take a saved guest up again; a sentence of what is true now. It cannot be aborted.

    Raises BadInput, TuivirtError. Source: virDomainRestoreFlags.
    """
    host.require_write()
    path = path_of(host, str(values["file"]))
    plan = plan_restore(host, "", values)
    name = plan.word
    what = f"cannot restore {name} from {path}"
    refuse(plan, what, force)
    if progress is not None:
        progress(f"reading the memory of {name}", None)
    try:
        host.conn.restoreFlags(path, None, flags_of(values, SAVE_FLAGS))
        domain = host.conn.lookupByName(name)
        state = state_of(domain)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what, "the file is as it was") from error
    touch(host, domain.UUIDString())
    if state is None or state is DomainState.SHUTOFF:
        raise TuivirtError(what, "it has stopped again already", "its log says why")
    return (
        f"{name} goes on from {path}, and is {state.name.lower()}. Remove the file: it no longer "
        "fits what is on its disks"
    )
