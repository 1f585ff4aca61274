"""``<domainsnapshot>``: read, and written for a new one.

Format: https://libvirt.org/formatsnapshot.html.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..model.snapshot import Snapshot, SnapshotDisk
from .tree import attribute, lxml, skim


def parse_snapshot(xml: str, *, current: bool = False) -> Snapshot:
    """Raises MalformedXml."""
    root = skim(xml, "domainsnapshot")
    created = root.findtext("creationTime") or ""
    return Snapshot(
        name=root.findtext("name") or "",
        description=(root.findtext("description") or "").strip(),
        parent=root.findtext("parent/name") or "",
        state=root.findtext("state") or "",
        created=float(created) if created.isdigit() else None,
        current=current,
        memory=attribute(root, "memory", "snapshot"),
        memory_file=attribute(root, "memory", "file"),
        disks=tuple(
            SnapshotDisk(
                target=disk.get("name", ""),
                kind=disk.get("snapshot", ""),
                overlay=attribute(disk, "source", "file") or attribute(disk, "source", "dev"),
            )
            for disk in root.iterfind("disks/disk")
        ),
    )


def new_snapshot(
    name: str,
    description: str,
    *,
    disks: Mapping[str, str],
    overlays: Mapping[str, str],
    memory: str,
    memory_file: str = "",
) -> str:
    """``disks``: by target internal, external or no. ``memory``: the same; '': libvirt's choice.

    ``overlays``: by target the file of an external one that shall not have libvirt's name.
    """
    etree = lxml()
    root = etree.Element("domainsnapshot")
    if name:
        etree.SubElement(root, "name").text = name
    if description:
        etree.SubElement(root, "description").text = description
    if memory:
        element = etree.SubElement(root, "memory", snapshot=memory)
        if memory_file:
            element.set("file", memory_file)
    listed = etree.SubElement(root, "disks")
    for target, kind in disks.items():
        disk = etree.SubElement(listed, "disk", name=target, snapshot=kind)
        if kind == "external" and target in overlays:
            etree.SubElement(disk, "source", file=overlays[target])
    return str(etree.tostring(root, encoding="unicode"))
