"""What both hosts tell, before a domain is moved. Nothing is changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import libvirt

from ..errors import TuivirtError, code_of, from_libvirt, if_offered, is_gone, is_unsupported
from ..model.device import DomainConfig
from ..model.host import Link
from ..model.migration import DiskFacts, SourceFacts, TargetFacts
from ..sides import parse_text
from ..xml.errors import XmlError
from ..xml.tree import Element, parse, skim, to_text
from .destination import address_of
from .disks import look_there, read_here
from .taken import with_users

if TYPE_CHECKING:
    from ..host import Host

T = TypeVar("T")

ASK_S = 30.0
"""How long a host may take to tell what is needed."""
_MIGRATABLE = libvirt.VIR_DOMAIN_XML_MIGRATABLE | libvirt.VIR_DOMAIN_XML_SECURE


def ask(host: Host, function: Callable[[], T]) -> T:
    """What ``function`` tells, asked on a thread of its own. Raises TuivirtError.

    Not on a lane of the host: two hosts that look one another's way would wait for each other.
    """
    answers: list[T] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with host.traffic.job():
                answers.append(function())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work, name=f"{host.name}-asked", daemon=True)
    thread.start()
    thread.join(ASK_S)
    if answers:
        return answers[0]
    if not failures:
        raise TuivirtError(
            f"host {host.name} did not answer within {ASK_S:.0f} s",
            advice="is its daemon, or one of its storage pools, stuck?",
        )
    error = failures[0]
    if isinstance(error, libvirt.libvirtError):
        raise from_libvirt(error, f"host {host.name} cannot be asked") from error
    raise error


def facts(
    source: Host, target: Host, uuid: str, name_there: str = "", *, over: bool = False
) -> tuple[SourceFacts, TargetFacts]:
    """Both sides. ``name_there``: the domain's name on the target, where it is another.

    ``over``: images may be copied over others, so it is asked whose those are.
    """
    here, config, root = ask(source, lambda: _source(source, uuid))
    name = name_there or here.name
    there = ask(target, lambda: _target(target, source, here, config, root, name))
    disks = look_at_disks(source, target, here.disks)
    if over and any(disk.written for disk in disks):
        disks = ask(target, lambda: with_users(target, here.uuid, disks))
    return replace(here, disks=disks), there


def look_at_disks(
    source: Host, target: Host, disks: tuple[DiskFacts, ...]
) -> tuple[DiskFacts, ...]:
    """The disks with what the target knows of them."""
    return ask(target, lambda: look_there(target, source, disks))


# -- the source -------------------------------------------------------------------------------


def _source(host: Host, uuid: str) -> tuple[SourceFacts, DomainConfig, Element]:
    domain = host.domain(uuid)
    active = bool(domain.isActive())
    name = domain.name()
    what = f"cannot read the configuration of {name}"
    flags = 0 if active else libvirt.VIR_DOMAIN_XML_INACTIVE
    text = str(domain.XMLDesc(flags))
    config = parse_text(text, what)
    assert config is not None
    try:
        root = parse(str(domain.XMLDesc(flags | _migratable(host))), "domain")
    except libvirt.libvirtError as error:
        if not is_unsupported(error) and code_of(error) != libvirt.VIR_ERR_INVALID_ARG:
            raise
        root = parse(text, "domain")  # A driver that knows no such flag.
    info = host.snapshot.info
    devices = config.devices
    return (
        SourceFacts(
            host=host.name,
            name=name,
            uuid=domain.UUIDString(),
            active=active,
            persistent=bool(domain.isPersistent()),
            autostart=bool(domain.isPersistent() and domain.autostart()),
            managed_save=bool(if_offered(lambda: domain.hasManagedSaveImage(0), 0)),
            snapshots=int(if_offered(lambda: domain.snapshotNum(0), 0)),
            checkpoints=len(if_offered(lambda: domain.listAllCheckpoints(0), [])),
            job=_job(domain) if active else "",
            memory_kib=config.memory_max_kib,
            hypervisor=info.hypervisor if info else "",
            hypervisor_version=info.hypervisor_version if info else "",
            libvirt_version=info.libvirt_version if info else "",
            reaches=address_of(host.uri),
            disks=read_here(host, domain, config.disks, active=active),
            encrypted=frozenset(
                target.get("dev", "")
                for disk in root.iterfind("devices/disk")
                if disk.find(".//encryption") is not None
                and (target := disk.find("target")) is not None
            ),
            interfaces=tuple((each.type, each.source) for each in config.interfaces),
            hostdevs=tuple(
                each.summary or "a device of the host" for each in devices if each.kind == "hostdev"
            )
            + tuple(f"{e.source or e.mac}" for e in config.interfaces if e.type == "hostdev"),
            tied=tuple(_tied(root)),
            nvram=root.find("os/nvram") is not None,
            tpm=root.find("devices/tpm/backend[@type='emulator']") is not None,
        ),
        config,
        root,
    )


def _migratable(host: Host) -> int:
    """A read-only connection may not see what is secret."""
    return int(libvirt.VIR_DOMAIN_XML_MIGRATABLE if host.readonly else _MIGRATABLE)


def _job(domain: Any) -> str:
    """What it is busy with, in libvirt's words."""
    info: dict[str, Any] = if_offered(lambda: dict(domain.jobStats(0)), {})
    operation = info.get("operation", 0)
    return OPERATIONS.get(operation, "another job") if info.get("type") else ""


OPERATIONS = {
    libvirt.VIR_DOMAIN_JOB_OPERATION_SAVE: "saving",
    libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN: "coming from another host",
    libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT: "going to another host",
    libvirt.VIR_DOMAIN_JOB_OPERATION_SNAPSHOT: "a snapshot",
    libvirt.VIR_DOMAIN_JOB_OPERATION_DUMP: "a dump",
    libvirt.VIR_DOMAIN_JOB_OPERATION_BACKUP: "a backup",
}
"""What a job is, by libvirt's number of it."""


def _tied(root: Element) -> list[str]:
    """What QEMU cannot take along, in words."""
    found = []
    for each in root.iterfind("devices/filesystem"):
        driver = each.find("driver")
        if driver is not None and driver.get("type") == "virtiofs":
            target = each.find("target")
            found.append(f"the shared folder {'' if target is None else target.get('dir', '')}")
    for each in root.iterfind("devices/disk"):
        if each.get("type") in ("nvme", "vhostvdpa"):
            target = each.find("target")
            found.append(f"the NVMe disk {'' if target is None else target.get('dev', '')}")
    cards = [each.get("mode") for each in root.iterfind("devices/smartcard")]
    return [*found, *("the host's smartcard reader" for mode in cards if mode == "host")]


# -- the target -------------------------------------------------------------------------------


def _target(
    host: Host, source: Host, here: SourceFacts, config: DomainConfig, root: Element, name: str
) -> TargetFacts:
    now = host.snapshot
    if now.link not in (Link.CONNECTED, Link.STALLED):
        return TargetFacts(host.name, connected=False, why=now.reason or str(now.link))
    info = now.info
    same_uuid, taken = _names(host, here.uuid, name)
    machine = _machine(host, config)
    cpu, unknown = ("", "") if machine else _cpu(host, source, config, root)
    return TargetFacts(
        name=host.name,
        readonly=host.readonly,
        same_host=bool(uuid := _host_uuid(host)) and uuid == _host_uuid(source),
        hypervisor=info.hypervisor if info else "",
        hypervisor_version=info.hypervisor_version if info else "",
        libvirt_version=info.libvirt_version if info else "",
        uuid_of=same_uuid.name() if same_uuid is not None else "",
        uuid_active=bool(same_uuid is not None and same_uuid.isActive()),
        name_taken=taken,
        machine=machine,
        cpu=cpu,
        cpu_unknown=unknown,
        memory_free_kib=free_kib(host),
        networks={each.name: each.active for each in now.networks.values()},
        links=_links(host),
        reaches=address_of(host.uri),
        hostname=info.hostname if info else "",
    )


def _names(host: Host, uuid: str, name: str) -> tuple[Any | None, bool]:
    """The domain of that UUID there, and whether another one has that name."""
    same = _find(lambda: host.conn.lookupByUUIDString(uuid))
    by_name = _find(lambda: host.conn.lookupByName(name))
    return same, by_name is not None and by_name.UUIDString() != uuid


def _find(look_up: Callable[[], Any]) -> Any | None:
    try:
        return look_up()
    except libvirt.libvirtError as error:
        if is_gone(error):
            return None
        raise


def _machine(host: Host, config: DomainConfig) -> str:
    """Why such a machine cannot be run there, in libvirt's words. The emulator is the target's."""
    try:
        host.conn.getDomainCapabilities(
            None, config.arch or None, config.machine or None, config.type or None, 0
        )
    except libvirt.libvirtError as error:
        if code_of(error) == libvirt.VIR_ERR_NO_SUPPORT:
            return ""
        return error.get_error_message() or str(error)
    return ""


def _cpu(host: Host, source: Host, config: DomainConfig, root: Element) -> tuple[str, str]:
    """Why its CPU cannot be had there, or why that cannot be told; '' for both: it can."""
    element = root.find("cpu")
    mode = "" if element is None else element.get("mode", "custom")
    if element is None or (mode in ("custom", "") and element.find("model") is None):
        return "", ""
    xml = to_text(element)
    if mode in ("host-passthrough", "maximum"):
        if config.type != "kvm":
            return "", ""  # An emulator's CPU is the same wherever its version is.
        own = parse(str(source.conn.getCapabilities()), "capabilities").find("host/cpu")
        if own is None:
            return "", f"{source.name} does not tell its CPU"
        return _compared(lambda: host.conn.compareCPU(to_text(own), _FAIL))
    arch, machine, kind = config.arch or None, config.machine or None, config.type or None
    why, unknown = _compared(
        lambda: host.conn.compareHypervisorCPU(None, arch, machine, kind, xml, _FAIL)
    )
    if unknown:
        return _compared(lambda: host.conn.compareCPU(xml, _FAIL))
    return why, ""


_FAIL = libvirt.VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE


def _compared(compare: Callable[[], int]) -> tuple[str, str]:
    try:
        result = compare()
    except libvirt.libvirtError as error:
        text = error.get_error_message() or str(error)
        if code_of(error) == libvirt.VIR_ERR_CPU_INCOMPATIBLE:
            return text, ""
        if is_unsupported(error) or code_of(error) in (
            libvirt.VIR_ERR_INVALID_ARG,
            libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
            libvirt.VIR_ERR_INTERNAL_ERROR,
        ):
            return "", text
        raise
    return ("it lacks features of it" if result == libvirt.VIR_CPU_COMPARE_INCOMPATIBLE else ""), ""


def _host_uuid(host: Host) -> str:
    """The host's own UUID: two connections with one lead to one daemon."""
    try:
        root = skim(str(host.conn.getCapabilities()), "capabilities")
    except (libvirt.libvirtError, XmlError):
        return ""  # The test driver's hosts have none: libvirt itself refuses the same host.
    return (root.findtext("host/uuid") or "").strip()


def free_kib(host: Host) -> int | None:
    """KiB that guests could have: what is free, and what the host keeps for its caches."""
    try:
        stats = host.conn.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS, 0)
    except libvirt.libvirtError as error:
        if is_unsupported(error):
            return None
        raise
    return sum(int(stats.get(part, 0)) for part in ("free", "buffers", "cached")) or None


def _links(host: Host) -> frozenset[str] | None:
    """Its network interfaces and bridges by name, as far as libvirt tells of any."""
    now = host.snapshot
    found = {each.net_name for each in now.devices.values() if each.net_name}
    found |= {each.name for each in now.interfaces.values()}
    found |= {each.bridge for each in now.networks.values() if each.bridge}
    return frozenset(found) if now.interfaces or len(found) > 1 else None
