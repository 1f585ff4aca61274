"""What a disk is to be made of: where its data lie, in which format, under which name."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import libvirt

from .backup.folder import against_breaks
from .errors import BadInput, NotFound, code_of, from_libvirt, is_gone
from .here import is_here
from .images import tool
from .model.device import Disk, DomainConfig
from .xml.domain import parse_domain
from .xml.errors import BusFull
from .xml.field import Value
from .xml.netdisk import is_same_source, network_of
from .xml.targets import PREFIXES, free_pci_places
from .xml.volume import parse_volume

if TYPE_CHECKING:
    from .host import Host

_QEMU_FORMATS = frozenset(
    ("raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc", "vhdx", "luks", "bochs", "cloop", "dmg")
)
_BRIDGES = ("pcie-to-pci-bridge", "dmi-to-pci-bridge", "pci-bridge")
_BLOCK, _FILE = 1, 0  # VIR_STORAGE_VOL_*


@dataclass(frozen=True, slots=True)
class DiskRequest:
    """What is asked for; whatever is left empty is chosen."""

    source: str = ""
    """A path on the host, ``pool/volume``, or a URI; empty: a drive without a medium."""
    kind: str = ""
    """file, block, volume or network; empty: as the source says."""
    network: Mapping[str, object] = field(default_factory=dict)
    """Fields of a network source (see xml.disksource), beside what the source says of it."""
    target: str = ""
    bus: str = ""
    device: str = "disk"
    format: str = ""
    readonly: bool = False
    shareable: bool = False
    serial: str = ""
    cache: str = ""
    io: str = ""
    discard: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a disk's data lie, resolved."""

    source_type: str = "file"
    source: str = ""
    pool: str = ""
    volume: str = ""
    format: str = ""
    path: str = ""
    """On the host, as far as known: two names of one thing are told by it."""
    secret: str = ""
    """UUID of libvirt's secret that a volume is encrypted with."""
    network: Mapping[str, Value] = field(default_factory=dict)
    """The fields of a network source; its ``source`` is then its URI."""

    @property
    def label(self) -> str:
        """As the operator wrote it."""
        return f"{self.pool}/{self.volume}" if self.pool else self.source

    def fields(self) -> dict[str, Any]:
        """For the disk's XML."""
        fields = {"source_type": self.source_type, "format": self.format}
        if self.source_type == "volume":
            return {**fields, "pool": self.pool, "volume": self.volume}
        return {**fields, **(self.network or {"source": self.source})}


def resolve(host: Host, source: str, form: str = "") -> Source:
    """Look the source up where it lies. Raises BadInput when it cannot be used; changes nothing.

    The format, when it is not given: from ``qemu-img info`` where the host is this machine,
    else from the volume's XML.
    """
    if not source:
        return Source(format=form or "raw")
    for each in against_breaks([source]):
        raise BadInput("it cannot be a disk", each.text, each.advice)
    if source.startswith("/"):
        if is_here(host):
            return _local(host, source, form)
        return _remote(host, source, form)
    pool, slash, volume = source.partition("/")
    if not slash or not pool or not volume:
        raise BadInput(
            f"{source!r} is neither a path nor a volume",
            advice="give an absolute path on the host, or pool/volume",
        )
    return _volume(host, pool, volume, form)


def _local(host: Host, path: str, form: str) -> Source:
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError as error:
        if os.path.islink(path):
            raise BadInput(
                f"{path} is a link to {os.readlink(path)}, which is not there"
            ) from error
        raise BadInput(f"{path} does not exist on host {host.name}") from error
    except PermissionError:
        # The daemon may see what we may not.
        return _remote(host, path, form)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be used", str(error)) from error
    if stat.S_ISDIR(mode):
        raise BadInput(f"{path} is a directory", advice="give a file or a block device")
    if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
        raise BadInput(f"{path} is neither a file nor a block device")
    kind = "block" if stat.S_ISBLK(mode) else "file"
    if not form:
        if not os.access(path, os.R_OK):
            return _remote(host, path, form)
        form = probe(path)
    return Source(kind, path, format=form, path=os.path.realpath(path))


_SYSTEM = ("/bin", "/boot", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/root", "/sbin", "/sys",
           "/usr")  # fmt: skip
"""Where a host keeps itself; images lie elsewhere."""


def refuse_system_file(source: Source) -> None:
    """Raises BadInput for a file of the host's own system that a guest could write to.

    libvirt would change its owner, and the guest overwrite it: a wrong path was meant.
    """
    place = next((each for each in _SYSTEM if source.path.startswith(f"{each}/")), "")
    if source.source_type == "file" and place:
        raise BadInput(
            f"{source.path} lies in {place}, where the host keeps its own system",
            "the guest would overwrite it, and libvirt change its owner",
            "copy it to where images lie, or attach it with --mode readonly",
        )


def probe(path: str) -> str:
    """The format of a file or block device of this machine. Source: ``qemu-img info -U``."""
    try:
        found = tool.info(path).get("format")
    except BadInput as error:
        said = "give the format yourself (--subdriver raw, qcow2 …)"
        advice = f"{error.advice}; or {said}" if error.advice else said
        raise BadInput(f"cannot find out the format of {path}", error.why, advice) from error
    # Devices of a machine are told as host_device; to a domain they are raw.
    return str(found) if found in _QEMU_FORMATS else "raw"


def _remote(host: Host, path: str, form: str) -> Source:
    """A path that only the daemon can look at: as a volume of a pool, if it is one."""
    try:
        volume = host.conn.storageVolLookupByPath(path)
        kind = "block" if volume.info()[0] == _BLOCK else "file"
        known = parse_volume(host.name, "", volume.XMLDesc(0))
    except libvirt.libvirtError as error:
        if not is_gone(error):
            raise from_libvirt(error, f"cannot look at {path}") from error
        if not form:
            raise BadInput(
                f"cannot find out the format of {path}",
                f"it is no volume of host {host.name}'s active pools, and cannot be read here",
                "give the format (--subdriver), if the path is right",
                code=error.get_error_code(),
            ) from error
        kind = "block" if path.startswith("/dev/") else "file"
        return Source(kind, path, format=form, path=path)
    return Source(kind, path, format=form or _qemu_format(known.format), path=known.path or path)


def _volume(host: Host, pool_name: str, name: str, form: str) -> Source:
    pool = host.pool(pool_name)
    what = f"cannot use volume {name} of pool {pool_name}"
    try:
        if not pool.isActive():
            raise BadInput(f"pool {pool_name} is not active", advice="start it first")
        volume = pool.storageVolLookupByName(name)
        kind = volume.info()[0]
        known = parse_volume(host.name, pool_name, volume.XMLDesc(0))
    except libvirt.libvirtError as error:
        if is_gone(error):
            raise BadInput(
                f"pool {pool_name} has no volume {name}",
                advice="refresh the pool, if it is new there",
                code=error.get_error_code(),
            ) from error
        raise from_libvirt(error, what) from error
    if kind not in (_FILE, _BLOCK, libvirt.VIR_STORAGE_VOL_NETWORK):
        raise BadInput(what, "it is a directory")
    if known.encryption and not known.secret:
        raise BadInput(
            what,
            f"it is encrypted ({known.encryption}), and libvirt knows not with which secret",
            f"define that for the volume {known.path} (tuivirt secret-define, of type volume),"
            " and refresh the pool",
        )
    return Source(
        "volume",
        pool=pool.name(),
        volume=name,
        format=form or _qemu_format(known.format),
        path=known.path,
        secret=known.secret,
    )


def _qemu_format(form: str) -> str:
    """A volume's format as a disk's: a file system image or an ISO is raw to the guest."""
    return form if form in _QEMU_FORMATS else "raw"


def is_same(host: Host, source: Source, disk: Disk) -> bool:
    """Whether a disk that is there has this source. Raises TuivirtError when that is not known."""
    if not disk.source or not source.label:
        return False
    if disk.source_type == "network" and source.network:
        return is_same_source(source.network, network_of(disk.xml))
    if disk.source_type == "volume":
        if (disk.pool, disk.volume) == (source.pool, source.volume):
            return True
        return bool(source.path) and path_of(host, disk) == source.path
    if disk.source_type not in ("file", "block"):
        return False
    return _real(host, disk.source) in (source.path, source.source)


def path_of(host: Host, disk: Disk) -> str:
    """Where the volume of a disk lies; '' when it is gone, as a saved configuration's may be."""
    try:
        return str(host.pool(disk.pool).storageVolLookupByName(disk.volume).path())
    except NotFound:
        return ""
    except libvirt.libvirtError as error:
        # Nothing can be said of a pool that is not active, and nothing of it be used.
        if is_gone(error) or code_of(error) == libvirt.VIR_ERR_OPERATION_INVALID:
            return ""
        raise from_libvirt(error, f"cannot look up volume {disk.source}") from error


def _real(host: Host, path: str) -> str:
    return os.path.realpath(path) if is_here(host) else path


def refuse_used(host: Host, uuid: str, source: Source, request: DiskRequest) -> None:
    """Raises BadInput when another running domain has the source and has not agreed to share it.

    One list call; then the XML of those that the host knows nothing of, and of those that it
    takes for users of the source, read once more: a disk may just have been taken away.
    """
    if not source.label:
        return
    known = host.configs.known()
    try:
        for other in host.conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
            key = other.UUIDString()
            if key == uuid:
                continue
            read = known.get(key)
            live = read.live if read is not None and read.run == other.ID() else None
            if live is not None and _refusal(host, live, source, request) is None:
                continue
            try:
                config = parse_domain(other.XMLDesc(0))
            except libvirt.libvirtError as error:
                if is_gone(error):
                    continue
                raise
            refusal = _refusal(host, config, source, request)
            if refusal is not None:
                raise refusal
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot tell whether {source.label} is in use") from error


def _refusal(
    host: Host, config: DomainConfig, source: Source, request: DiskRequest
) -> BadInput | None:
    """Why the source cannot be had beside a running domain's disks, or None."""
    reads_only = request.readonly or request.device == "cdrom"
    for disk in config.disks:
        if is_same(host, source, disk):
            if (disk.shareable and request.shareable) or (disk.readonly and reads_only):
                continue
            return BadInput(
                f"{source.label} is in use by {config.name}",
                f"it is disk {disk.target} there, and {config.name} runs",
                "two guests that write to one disk destroy it; mark it shareable in both"
                " (--mode shareable) if they can",
            )
        below = {_real(host, path) for path in disk.backing}
        if source.path and source.path in below and not reads_only:
            return BadInput(
                f"{source.label} is in use by {config.name}",
                f"its disk {disk.target} lies on it, and {config.name} runs",
                "writing to it destroys that disk; attach it read-only"
                " (--mode readonly), or a copy of it",
            )
    return None


def choose_bus(configs: Iterable[DomainConfig], request: DiskRequest, *, live: bool) -> str:
    """The bus: as the target's name says, else as the domain's other disks have it.

    A running machine takes new disks on virtio, SCSI and USB only.
    """
    config = next(iter(configs))
    scsi = _has_scsi(config)
    old_pc = not ("q35" in config.machine or "virt" in config.machine)
    if request.target:
        name = re.match(r"(vd|sd|hd|fd|xvd)[a-z]+$", request.target)
        prefix = name[1] if name else ""
        if prefix == "sd":
            return "scsi" if scsi or live else ("usb" if old_pc else "sata")
        for bus in ("virtio", "ide", "fdc", "xen"):
            if PREFIXES[bus] == prefix:
                return bus
    if request.device == "floppy":
        return "fdc"
    if request.device == "lun" or (scsi and request.device == "cdrom"):
        return "scsi"
    if request.device == "cdrom":
        return "ide" if old_pc else "sata"
    used = next((d.bus for d in config.disks if d.device == "disk" and d.bus), "")
    if used in ("virtio", "scsi") or (used and not live):
        return used
    return "scsi" if scsi else "virtio"


def check_scsi_room(running: DomainConfig, bus: str) -> None:
    """Raise BusFull when a SCSI disk needs a controller and a running machine has no slot for it.

    For the first disk on a bus without one libvirt adds its default controller, a device of
    conventional PCI: a PCIe machine has a slot for it behind a bridge only.
    """
    if bus != "scsi" or _has_scsi(running):
        return
    if not has_conventional_slot(running):
        raise BusFull(
            bus,
            "it has no controller, and the running machine no free conventional PCI slot for one",
            "attach it for the next boot, or to the virtio bus (--targetbus virtio)",
        )


def has_conventional_slot(running: DomainConfig) -> bool:
    """Whether a running machine may have a slot for a device of conventional PCI.

    One of PCI Express has them behind a bridge only.
    """
    if has_controller(running, 'model="pcie-root"'):
        return any(has_controller(running, f'model="{bridge}"') for bridge in _BRIDGES)
    return free_pci_places(running) != 0


def _has_scsi(config: DomainConfig) -> bool:
    return has_controller(config, 'type="scsi"')


def has_controller(config: DomainConfig, attribute: str) -> bool:
    """Whether the domain has a controller whose XML says this, as in ``type="scsi"``."""
    return any(d.kind == "controller" and attribute in d.xml for d in config.devices)
