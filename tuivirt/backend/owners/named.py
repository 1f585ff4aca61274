"""What the domains of a host name in their configurations: disks, what they boot from, and more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import libvirt

from ..errors import if_offered, is_gone
from ..here import is_here
from ..sides import read_texts
from ..together import together
from ..xml.tree import Element, skim

if TYPE_CHECKING:
    from ..host import Host

_BOOTED = ("kernel", "initrd", "dtb", "loader", "nvram", "nvram/source", "acpi/table", "varstore")
"""Files that an ``<os>`` names."""
_WRITTEN = ("nvram", "varstore")
_OTHERS = {"memory": "memory", "filesystem": "file system", "serial": "log", "console": "log"}
"""Other devices that may have a file, and what it is to the domain."""
VolumeAt = Callable[[str, str], str]
"""The path of a volume by its pool and name; '' where there is none now."""
_heard: WeakKeyDictionary[Host, float] = WeakKeyDictionary()
"""When a host answered last, in monotonic seconds."""


@dataclass(frozen=True, slots=True)
class Named:
    """A file, or an image, as a configuration names it."""

    domain: str
    uuid: str
    what: str
    """The disk, as in ``vda``; or ``kernel`` and the like."""
    path: str
    """Of one on a storage server: what it is called there."""
    active: bool
    live: bool
    """The running domain has it; otherwise its next start."""
    saved: bool = False
    """The domain has a managed save."""
    disk: bool = True
    form: str = ""
    reads_only: bool = False
    shareable: bool = False
    """It is said to share what it writes to."""
    below: tuple[str, ...] = ()
    """What lies below it, nearest first, as the configuration tells."""
    whole: bool = False
    """``below`` is all there is, by the word of a running domain."""
    volume: tuple[str, str] = ("", "")
    servers: frozenset[str] = frozenset()
    snapshot: str = ""
    """The snapshot whose record names it; '' for what a configuration names."""
    frozen: bool = False
    """Writing to it would spoil the snapshot."""


def named_by(host: Host) -> list[Named]:
    """All that the domains of the host name, by both configurations of each, read now.

    Raises libvirtError. Source: virConnectListAllDomains, each one's XML and managed save.
    """
    conn = host.conn
    found = each_of(host, [partial(named_of, conn, each) for each in conn.listAllDomains(0)])
    return [named for each in found for named in each]


def each_of(host: Host, calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What the calls give: of a far host as many are under way at the same time as `together` has.

    Its daemon answers no more than ``max_client_requests`` of them at once, 5; yet the line is
    what takes the time, and it is full meanwhile. Measured over 50 ms, records of 1,000 snapshots:
    8 at once 6.6 s, 20 2.8 s, 40 1.4 s; here, one after the other, 0.3 s.
    """

    def heard(call: Callable[[], Any]) -> Any:
        found = call()
        _heard[host] = time.monotonic()
        return found

    telling = [partial(heard, each) for each in calls]
    if is_here(host):
        return [call() for call in telling]
    return together(telling, host.conn.getLibVersion)


def heard_at(host: Host) -> float:
    """When one of the calls that are made of `each_of` was answered last; 0.0 when none was."""
    return _heard.get(host, 0.0)


def named_of(conn: Any, handle: Any) -> list[Named]:
    """What one domain names; [] where it is gone. Raises libvirtError."""
    try:
        name, uuid, active = handle.name(), handle.UUIDString(), bool(handle.isActive())
        texts = read_texts(handle)
        saved = not active and bool(if_offered(lambda: handle.hasManagedSaveImage(0), 0))
    except libvirt.libvirtError as error:
        if is_gone(error):
            return []
        raise
    found: list[Named] = []
    for live, text in zip((True, False), texts, strict=True):
        if text:
            root = skim(text, "domain")
            build = partial(Named, name, uuid, active=active, live=live, saved=saved)
            found += _files(root, build)
            found += _disks(volumes_of(conn), root, build, live)
    return found


def disks_in(conn: Any, text: str) -> list[tuple[str, str]]:
    """The disks that a configuration's XML names: what each is called, and where it lies.

    As of saved memory, whose configuration no domain need have now. Raises libvirtError.
    """
    build = partial(Named, "", "", active=False, live=False)
    named = _disks(volumes_of(conn), skim(text, "domain"), build, False)
    return [(each.what, each.path) for each in named if each.path]


def _files(root: Element, build: Any) -> Iterator[Named]:
    for word in _BOOTED:
        for found in root.iterfind(f"os/{word}"):
            path = found.get("file") or found.get("dev") or found.text or ""
            what = word.partition("/")[0] if word != "acpi/table" else word
            if path.startswith("/"):
                yield build(what, path, disk=False, reads_only=what not in _WRITTEN)
    for tag, what in _OTHERS.items():
        for source in root.iterfind(f"devices/{tag}/source"):
            path = source.get("file") or source.get("path") or source.findtext("path") or ""
            path = path or source.get("dev") or ""
            if path.startswith("/"):
                yield build(what, path, disk=False)


def _disks(at: VolumeAt, root: Element, build: Any, live: bool) -> Iterator[Named]:
    for disk in root.iterfind("devices/disk"):
        target, driver = disk.find("target"), disk.find("driver")
        what = target.get("dev", "a disk") if target is not None else "a disk"
        reads_only = disk.find("readonly") is not None or disk.get("device") == "cdrom"
        below, whole = below_of(at, disk)
        top = disk.find("source")
        if top is not None:
            yield build(
                what,
                path_of(at, top, disk.get("type", "")),
                form=driver.get("type", "") if driver is not None else "",
                reads_only=reads_only,
                shareable=disk.find("shareable") is not None,
                below=below,
                whole=whole and live,
                volume=(top.get("pool", ""), top.get("volume", "")),
                servers=frozenset(each.get("name", "") for each in top.iterfind("host")),
            )
        # Where a block job writes to.
        mirror = disk.find("mirror")
        if mirror is not None:
            source = mirror.find("source")
            path = mirror.get("file") or mirror.get("dev") or ""
            if source is not None:
                path = path_of(at, source, mirror.get("type", ""))
            form = mirror.find("format")
            said = form.get("type", "") if form is not None else ""
            yield build(what, path, form=said, below=below_of(at, mirror)[0])


def below_of(volume_at: VolumeAt, disk: Element) -> tuple[tuple[str, ...], bool]:
    """What a disk's XML says that it lies on, nearest first, and whether that is all."""
    found = []
    at = disk.find("backingStore")
    while at is not None and (source := at.find("source")) is not None:
        found.append(path_of(volume_at, source, at.get("type", "")))
        at = at.find("backingStore")
    return tuple(each for each in found if each), at is not None


def path_of(volume_at: VolumeAt, source: Element, kind: str) -> str:
    """Where an image lies, by its ``<source>``; '' where that is nowhere. Raises libvirtError."""
    if kind == "network":
        name = str(source.get("name", ""))
        lun = "/0" if source.get("protocol") == "iscsi" and "/" not in name else ""
        return name.lstrip("/") + lun
    if source.get("volume"):
        return volume_at(source.get("pool", ""), source.get("volume", ""))
    return str(source.get("file") or source.get("dev") or "")


def volumes_of(conn: Any) -> VolumeAt:
    """Where the volumes of a host lie, each looked up once: many records name the same."""
    return cache(partial(_volume, conn))


def _volume(conn: Any, pool: str, name: str) -> str:
    try:
        return str(conn.storagePoolLookupByName(pool).storageVolLookupByName(name).path())
    except libvirt.libvirtError as error:
        if is_gone(error) or error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID:
            return ""  # Its pool is off, or has no such volume: there is no such file.
        raise
