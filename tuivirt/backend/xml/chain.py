"""The chains of a running domain's disks, and the other ends of their jobs.

Format: https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms.
"""

from __future__ import annotations

from ..model.block_job import Begun, Chain, Layer, Mirror
from .tree import Element, attribute, lxml, parse, skim

NAMESPACE = "https://tuivirt.org/xmlns/block-jobs/1"
PREFIX = "tuivirt-jobs"


def parse_chains(xml: str) -> dict[str, Chain]:
    """By target, of a domain's XML. Raises MalformedXml."""
    root = skim(xml, "domain")
    return {
        attribute(disk, "target", "dev"): _chain(disk) for disk in root.iterfind("devices/disk")
    }


def _chain(disk: Element) -> Chain:
    found: list[Layer] = []
    at = disk
    while at is not None:
        source = at.find("source")
        path = _path(source)
        if not path:
            break
        inner = at.find("format") if found else at.find("driver")
        found.append(
            Layer(
                path=path,
                index=(at.get("index") if found else source.get("index")) or "",
                type=at.get("type") or "file",
                format=(inner.get("type") or "") if inner is not None else "",
            )
        )
        at = at.find("backingStore")
    mirror = disk.find("mirror")
    return Chain(
        target=attribute(disk, "target", "dev"),
        layers=tuple(found),
        device=disk.get("device") or "disk",
        readonly=disk.find("readonly") is not None,
        mirror=_mirror(mirror) if mirror is not None else None,
    )


def _mirror(mirror: Element) -> Mirror:
    # libvirt before 1.2 told the file in an attribute of its own, and still does so for those.
    path = _path(mirror.find("source")) or mirror.get("file") or ""
    return Mirror(mirror.get("job") or "copy", path, mirror.get("ready") in ("yes", "pivot"))


def _path(source: Element | None) -> str:
    if source is None:
        return ""
    for name in ("file", "dev", "name", "dir"):
        if source.get(name):
            where = source.get("protocol")
            return f"{where}:{source.get(name)}" if where else str(source.get(name))
    pool, volume = source.get("pool"), source.get("volume")
    return f"{pool}/{volume}" if pool and volume else ""


def copy_xml(path: str, form: str, *, block: bool) -> str:
    """The destination of a copy as virDomainBlockCopy takes it."""
    etree = lxml()
    root = etree.Element("disk", type="block" if block else "file")
    etree.SubElement(root, "source").set("dev" if block else "file", path)
    etree.SubElement(root, "driver", name="qemu", type=form)
    return str(etree.tostring(root, encoding="unicode"))


def read_begun(text: str) -> tuple[Begun, ...]:
    """What `written_begun` wrote; () for ''. Raises MalformedXml."""
    if not text:
        return ()
    return tuple(
        Begun(
            target=each.get("disk", ""),
            kind=each.get("kind", ""),
            source=each.get("source", ""),
            other=each.get("other", ""),
            merged=tuple(inner.text or "" for inner in each if _name(inner) == "merged"),
        )
        for each in parse(text)
        if _name(each) == "job"
    )


def written_begun(begun: tuple[Begun, ...]) -> str:
    """An element for a domain's metadata; '' for none."""
    if not begun:
        return ""
    etree = lxml()
    root = etree.Element("jobs")
    for each in begun:
        job = etree.SubElement(root, "job", disk=each.target, kind=each.kind, source=each.source)
        job.set("other", each.other)
        for path in each.merged:
            etree.SubElement(job, "merged").text = path
    return str(etree.tostring(root, encoding="unicode"))


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
