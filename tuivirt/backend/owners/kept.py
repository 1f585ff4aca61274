"""What the snapshots of a host's domains keep: images, and memory in files of their own.

After going back past a snapshot its images are in no domain's chain any more, and yet there is no
going back to it without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import if_offered, is_gone, is_unsupported
from ..xml.tree import Element, skim
from .below import ALONE, Below
from .named import Named, VolumeAt, below_of, each_of, path_of, volumes_of

if TYPE_CHECKING:
    from ..host import Host


def kept_by(host: Host, named: Sequence[Named]) -> list[Named]:
    """All that the snapshots keep, read now. Raises libvirtError.

    ``named``: what the domains themselves have. Of what a domain has its snapshots tell only what
    may not be written to. A host without snapshots is asked once, and no domain without one.
    Source: virConnectListAllDomains, virDomainListAllSnapshots, the XML of each.
    """
    conn, volume_at = host.conn, volumes_of(host.conn)
    own = {(each.uuid, path) for each in named for path in (each.path, *each.below)}
    lists = each_of(host, [partial(_handles, each) for each in with_snapshots(conn)])
    reading = [partial(_read, volume_at, *each) for found in lists for each in found]
    found = [named for each in each_of(host, reading) for named in each]
    # libvirt lists them in no order; first those to whom it matters most.
    found.sort(key=lambda each: (not each.frozen, each.domain, each.snapshot))
    return [each for each in found if each.frozen or (each.uuid, each.path) not in own]


def with_snapshots(conn: Any) -> list[Any]:
    try:
        return list(conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT))
    except libvirt.libvirtError as error:
        if not is_unsupported(error) and error.get_error_code() != libvirt.VIR_ERR_INVALID_ARG:
            raise
        return list(conn.listAllDomains(0))  # This driver cannot sort by it.


def _handles(domain: Any) -> list[tuple[str, str, Any]]:
    """Each with its domain's name and UUID."""
    try:
        name, uuid = domain.name(), domain.UUIDString()
        found: list[Any] = if_offered(lambda: domain.listAllSnapshots(0), [])
    except libvirt.libvirtError as error:
        if is_gone(error):
            return []
        raise
    return [(name, uuid, each) for each in found]


def _read(volume_at: VolumeAt, domain: str, uuid: str, handle: Any) -> list[Named]:
    try:
        root = skim(handle.getXMLDesc(0), "domainsnapshot")
    except libvirt.libvirtError as error:
        if is_gone(error) or error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT:
            return []
        raise
    name = root.findtext("name") or ""
    build = partial(
        Named, domain, uuid, f"snapshot {name}", active=False, live=False, disk=False, snapshot=name
    )
    memory = root.find("memory")
    found = list(_images(volume_at, root, build))
    if memory is not None and memory.get("file"):
        found.append(build(memory.get("file"), frozen=True))
    return [each for each in found if each.path]


def _images(volume_at: VolumeAt, root: Element, build: Callable[..., Named]) -> Iterator[Named]:
    then = {}
    for disk in root.iterfind("domain/devices/disk"):
        target = disk.find("target")
        then[target.get("dev") if target is not None else None] = disk
    for disk in root.iterfind("disks/disk"):
        kind, was = disk.get("snapshot"), then.get(disk.get("name"))
        if kind not in ("internal", "external"):
            continue
        if was is not None:
            yield _image(volume_at, was, build, frozen=kind == "external")
        if kind == "external":
            # Where what was written since lies: nobody goes back to that without it.
            yield _image(volume_at, disk, build, frozen=False)
    # Since the domain went back to it, as libvirt from 9.9 on notes it.
    for disk in root.iterfind("revertDisks/disk"):
        if disk.get("snapshot") == "external":
            yield _image(volume_at, disk, build, frozen=False)


def _image(
    volume_at: VolumeAt, disk: Element, build: Callable[..., Named], *, frozen: bool
) -> Named:
    source, driver = disk.find("source"), disk.find("driver")
    if source is None:
        return build("")
    return build(
        path_of(volume_at, source, disk.get("type", "")),
        form=driver.get("type", "") if driver is not None else "",
        below=below_of(volume_at, disk)[0] if frozen else (),
        volume=(source.get("pool", ""), source.get("volume", "")),
        servers=frozenset(each.get("name", "") for each in source.iterfind("host")),
        frozen=frozen,
    )


def under(kept: Named, below: Below) -> tuple[str, ...]:
    """What lies below a kept image, by its head or, of another machine, by the record's word.

    No call is made for it: what lies on an image is looked for from there, too.
    """
    if not kept.frozen or not kept.path or (kept.form or "raw") in ALONE:
        return ()
    return below.under(kept.path, kept.form)[0] if below.readable(kept.path) else kept.below
