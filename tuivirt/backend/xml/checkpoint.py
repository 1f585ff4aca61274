"""``<domaincheckpoint>``: read, and written for a new one.

Format: https://libvirt.org/formatcheckpoint.html.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..model.checkpoint import Checkpoint, CheckpointDisk
from .tree import lxml, number, skim


def parse_checkpoint(xml: str) -> Checkpoint:
    """Raises MalformedXml."""
    root = skim(xml, "domaincheckpoint")
    created = root.findtext("creationTime") or ""
    return Checkpoint(
        name=root.findtext("name") or "",
        description=(root.findtext("description") or "").strip(),
        parent=root.findtext("parent/name") or "",
        created=float(created) if created.isdigit() else None,
        disks=tuple(
            CheckpointDisk(
                target=disk.get("name", ""),
                bitmap=(disk.get("bitmap") or disk.get("name", ""))
                if disk.get("checkpoint") == "bitmap"
                else "",
                size_bytes=number(disk.get("size")),
            )
            for disk in root.iterfind("disks/disk")
        ),
    )


def new_checkpoint(name: str, description: str, disks: Mapping[str, bool]) -> str:
    """``disks``: by target, whether what is written to it is noted from now on."""
    etree = lxml()
    root = etree.Element("domaincheckpoint")
    etree.SubElement(root, "name").text = name
    if description:
        etree.SubElement(root, "description").text = description
    listed = etree.SubElement(root, "disks")
    for target, taken in disks.items():
        etree.SubElement(listed, "disk", name=target, checkpoint="bitmap" if taken else "no")
    return str(etree.tostring(root, encoding="unicode"))
