"""``<volume>`` → Volume. Format: https://libvirt.org/formatstorage.html#storage-volume-xml."""

from __future__ import annotations

from ..model.resources import Volume
from .tree import attribute, size_of, skim


def parse_volume(host: str, pool: str, xml: str, *, users: tuple[str, ...] = ()) -> Volume:
    """The volume of the pool named ``pool`` that ``xml`` (virStorageVolGetXMLDesc) describes.

    Raises MalformedXml.
    """
    root = skim(xml, "volume")
    path = root.findtext("target/path") or ""
    return Volume(
        host=host,
        pool=pool,
        name=root.findtext("name") or "",
        key=root.findtext("key") or path,
        path=path,
        type=root.get("type", "file"),
        format=attribute(root, "target/format", "type"),
        capacity_bytes=size_of(root.find("capacity")),
        allocation_bytes=size_of(root.find("allocation")),
        backing=root.findtext("backingStore/path") or "",
        users=users,
    )
