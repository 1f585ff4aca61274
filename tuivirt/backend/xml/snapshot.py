"""``<domainsnapshot>``: read, and written for a new one.

Format: https://libvirt.org/formatsnapshot.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..model.snapshot import Snapshot, SnapshotDisk
from .tree import Element, attribute, lxml, parse, skim


def parse_snapshot(xml: str, *, current: bool = False) -> Snapshot:
    """Raises MalformedXml."""
    root = skim(xml, "domainsnapshot")
    created = root.findtext("creationTime") or ""
    kept = {
        attribute(disk, "target", "dev"): _file(disk)
        for disk in root.iterfind("domain/devices/disk")
    }
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
                overlay=_file(disk),
                kept=kept.get(disk.get("name", ""), ""),
            )
            for disk in root.iterfind("disks/disk")
        ),
    )


def _file(disk: Element) -> str:
    return attribute(disk, "source", "file") or attribute(disk, "source", "dev")


@dataclass(frozen=True, slots=True)
class Written:
    """Where what was written since a snapshot lies, by its record."""

    overlays: frozenset[str]
    """On these since it was taken."""
    reverted: frozenset[str]
    """On these since the domain went back to it (``<revertDisks>``, libvirt 9.9 and newer)."""

    @property
    def left(self) -> frozenset[str]:
        """What libvirt takes for the domain's own as long as that snapshot is the current one."""
        return self.reverted or self.overlays


def written_since(xml: str) -> Written:
    """Where what was written since that snapshot lies. Raises MalformedXml."""
    root = skim(xml, "domainsnapshot")
    overlays, reverted = (
        frozenset(path for disk in root.iterfind(f"{tag}/disk") if (path := _file(disk)))
        for tag in ("disks", "revertDisks")
    )
    return Written(overlays, reverted)


def moved_images(xml: str, moved: Mapping[str, tuple[str, str]]) -> str:
    """The record of a snapshot with other images for what it kept: by path, where the data are now.

    With each its format; '' where nothing in it changes. Raises MalformedXml.
    """
    root = parse(xml, "domainsnapshot")
    changed = False
    for disk in root.xpath("domain/devices/disk|inactiveDomain/devices/disk"):
        source = disk.find("source")
        old = _file(disk)
        if source is None or old not in moved:
            continue
        path, form = moved[old]
        source.set("file" if source.get("file") else "dev", path)
        # What lies below it libvirt finds out anew.
        for gone in disk.findall("backingStore"):
            disk.remove(gone)
        if form and (driver := disk.find("driver")) is not None:
            driver.set("type", form)
        changed = True
    return str(lxml().tostring(root, encoding="unicode")) if changed else ""


def gone_back(xml: str, images: Mapping[str, tuple[str, str]], *, leaf: bool) -> str:
    """The record of a snapshot that the domain went back to, as libvirt from 9.9 on notes it.

    ``images``: by target what is written to now, and its format. It stands in ``<revertDisks>``,
    or, of a ``leaf``, in the place of what was written to before. Raises MalformedXml.
    """
    root = parse(xml, "domainsnapshot")
    for gone in root.findall("revertDisks"):
        root.remove(gone)
    disks = root.find("disks")
    into = disks if leaf else None
    if into is None:
        into = lxml().Element("revertDisks")
        root.insert(root.index(disks) + 1 if disks is not None else len(root), into)
    for gone in [each for each in into if each.get("name") in images]:
        into.remove(gone)
    for target, (path, form) in images.items():
        disk = lxml().SubElement(into, "disk", name=target, snapshot="external", type="file")
        lxml().SubElement(disk, "driver", type=form)
        lxml().SubElement(disk, "source", file=path)
    return str(lxml().tostring(root, encoding="unicode"))


def retold(
    xml: str, *, name: str | None = None, description: str | None = None, parent: str | None = None
) -> str:
    """The record of a snapshot under another name, description or parent; all else is as it was.

    '' takes a description away, and changes neither name nor parent. Raises MalformedXml.
    """
    root = parse(xml, "domainsnapshot")
    if name and (element := root.find("name")) is not None:
        element.text = name
    if parent and (element := root.find("parent/name")) is not None:
        element.text = parent
    if description is not None:
        for gone in root.findall("description"):
            root.remove(gone)
    if description:
        element = lxml().Element("description")
        element.text = description
        root.insert(1, element)
    return str(lxml().tostring(root, encoding="unicode"))


AGENT = "org.qemu.guest_agent.0"


def why_no_agent(xml: str) -> str:
    """Why the guest's agent cannot be asked, by a domain's XML; ''. Raises MalformedXml."""
    for channel in skim(xml, "domain").iterfind("devices/channel/target"):
        if channel.get("name") == AGENT:
            # Of a domain that is off no state is told.
            off = channel.get("state") == "disconnected"
            return "its guest agent is not connected" if off else ""
    return f"it has no channel to a guest agent ({AGENT})"


def nvram_format(xml: str) -> str:
    """The format of a domain's UEFI variables; '' where it has none. Raises MalformedXml."""
    nvram = skim(xml, "domain").find("os/nvram")
    return "" if nvram is None else nvram.get("format", "raw")


def formats_of(xml: str) -> dict[str, str]:
    """By path: the format of each image that the domain had at that time. Raises MalformedXml."""
    disks = skim(xml, "domainsnapshot").iterfind("domain/devices/disk")
    return {_file(disk): attribute(disk, "driver", "type") for disk in disks}


def encrypted_in(xml: str) -> frozenset[str]:
    """The targets of the disks that were encrypted at that time. Raises MalformedXml."""
    disks = skim(xml, "domainsnapshot").iterfind("domain/devices/disk")
    return frozenset(
        attribute(disk, "target", "dev") for disk in disks if disk.find(".//encryption") is not None
    )


def with_images(xml: str, images: Mapping[str, tuple[str, str]]) -> str:
    """A domain's configuration with other images for disks: by target, each with its format.

    Raises MalformedXml.
    """
    root = parse(xml, "domain")
    for disk in root.iterfind("devices/disk"):
        target = attribute(disk, "target", "dev")
        if target not in images:
            continue
        path, form = images[target]
        for gone in [*disk.findall("source"), *disk.findall("backingStore")]:
            disk.remove(gone)
        disk.set("type", "file")
        disk.append(lxml().Element("source", file=path))
        if form:
            driver = disk.find("driver")
            if driver is None:  # Without one libvirt would take it for raw.
                driver = lxml().SubElement(disk, "driver", name="qemu")
            driver.set("type", form)
    return str(lxml().tostring(root, encoding="unicode"))


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
