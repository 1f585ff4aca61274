"""``<volume>``: read, and written for a new one.

Format: https://libvirt.org/formatstorage.html#storage-volume-xml.
"""

from __future__ import annotations

from ..model.resources import Volume
from .plain_volume import read_plain
from .tree import Element, lxml, size_of, skim


def parse_volume(host: str, pool: str, xml: str, *, users: tuple[str, ...] = ()) -> Volume:
    """The volume of the pool named ``pool`` that ``xml`` (virStorageVolGetXMLDesc) describes.

    Raises MalformedXml.
    """
    plain = read_plain(xml)
    if plain is not None:
        kind, name, key, capacity, allocation, physical, path, form, mtime, *store = plain
        backing, backing_format, _written = store
        return Volume(
            host=host,
            pool=pool,
            name=name or "",
            key=key or path or "",
            path=path or "",
            type=kind or "",
            format=form or "",
            capacity_bytes=int(capacity or 0),
            allocation_bytes=int(allocation or 0),
            backing=backing or "",
            backing_format=backing_format or "",
            physical_bytes=int(physical) if physical else None,
            modified=mtime or "",
            users=users,
        )
    root = skim(xml, "volume")
    # A step at a time: a path of two takes ten times as long, and a pool may have thousands.
    target, store = root.find("target"), root.find("backingStore")
    path = (target.findtext("path") if target is not None else "") or ""
    times = target.find("timestamps") if target is not None else None
    locked = target.find("encryption") if target is not None else None
    secret = locked.find("secret") if locked is not None else None
    return Volume(
        host=host,
        pool=pool,
        name=root.findtext("name") or "",
        key=root.findtext("key") or path,
        path=path,
        type=root.get("type", "file"),
        format=_format(target),
        capacity_bytes=size_of(root.find("capacity")),
        allocation_bytes=size_of(root.find("allocation")),
        backing=(store.findtext("path") if store is not None else "") or "",
        backing_format=_format(store),
        physical_bytes=size_of(root.find("physical")),
        modified=(times.findtext("mtime") if times is not None else "") or "",
        users=users,
        encryption=(locked.get("format") or "") if locked is not None else "",
        secret=(secret.get("uuid") or "") if secret is not None else "",
    )


def _format(of: Element | None) -> str:
    found = of.find("format") if of is not None else None
    return (found.get("type") or "") if found is not None else ""


def new_volume(
    name: str,
    capacity: int,
    *,
    allocation: int | None = None,
    form: str = "",
    backing: str = "",
    backing_format: str = "",
    secret: str = "",
    clusters: int | None = None,
) -> str:
    """``capacity`` and ``allocation`` in bytes; without the latter libvirt takes all of a raw one.

    ``backing`` is the path of the image that it lies on; ``secret`` the UUID of libvirt's secret
    with which it is encrypted (LUKS); ``clusters`` the bytes of a qcow2 image's clusters.
    """
    etree = lxml()
    root = etree.Element("volume")
    etree.SubElement(root, "name").text = name
    etree.SubElement(root, "capacity", unit="bytes").text = str(capacity)
    if allocation is not None:
        etree.SubElement(root, "allocation", unit="bytes").text = str(allocation)
    if form or secret:
        target = etree.SubElement(root, "target")
        if form:
            etree.SubElement(target, "format", type=form)
        if secret:
            target.append(_encryption(secret))
        if clusters is not None:
            etree.SubElement(target, "clusterSize", unit="B").text = str(clusters)
    if backing:
        store = etree.SubElement(root, "backingStore")
        etree.SubElement(store, "path").text = backing
        if backing_format:
            etree.SubElement(store, "format", type=backing_format)
    return str(etree.tostring(root, encoding="unicode"))


def _encryption(secret: str) -> Element:
    etree = lxml()
    found = etree.Element("encryption", format="luks")
    etree.SubElement(found, "secret", type="passphrase", uuid=secret)
    return found


def with_secret(disk: str, secret: str) -> str:
    """A disk's XML, whose source is encrypted with this secret. Raises MalformedXml."""
    from .tree import parse

    root = parse(disk, "disk")
    source = root.find("source")
    if source is not None:
        source.append(_encryption(secret))
    return str(lxml().tostring(root, encoding="unicode"))


def cloned_volume(name: str, original: str, *, tables: bool = False) -> str:
    """What a copy of the volume is made from: the original's XML under another name.

    ``tables``: they are made ahead (VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA), and alone. By the
    same flag libvirt takes all of the data's place where the XML has as much allocated as the
    volume can hold, as the original has by its internal snapshots, or where it was itself taken
    whole: measured with libvirt 9.0, 20 MiB of data in 64 became 64 (virsh vol-clone does so).

    As virsh vol-clone does it: its sizes, format, backing file and rights are kept; what names
    the original (key, path) is libvirt's own affair and is ignored. Raises MalformedXml.
    """
    from .tree import parse

    etree = lxml()
    root = parse(original, "volume")
    found = root.find("name")
    if found is None:
        found = etree.SubElement(root, "name")
    found.text = name
    taken = root.find("allocation")
    if tables and taken is not None:
        taken.text = "0"
    return str(etree.tostring(root, encoding="unicode"))
