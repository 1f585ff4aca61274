"""A domain's configuration of once, for images that were restored elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from ..model.record import record
from .tree import attribute, lxml, parse


@record(frozen=True, slots=True)
class Restored:
    """A configuration that can be defined."""

    xml: str
    dropped: tuple[str, ...]
    """Targets of writable disks that were not restored: they would be those of the other domain."""


def restored_domain(
    xml: str, name: str, images: Mapping[str, str], form: str, *, same: bool
) -> Restored:
    """``images``: by target, the file that its disk has now; ``form``: their format.

    ``same``: it takes the other's place, with its UUID and network addresses; otherwise it gets
    its own. Raises MalformedXml.
    """
    root = parse(xml, "domain")
    named = root.find("name")
    if named is not None:
        named.text = name
    if not same:
        for path in ("uuid", "os/nvram"):
            for element in root.findall(path):
                element.getparent().remove(element)
        for card in root.iterfind("devices/interface"):
            for element in card.findall("mac"):
                card.remove(element)
    dropped = []
    devices = root.find("devices")
    for disk in root.findall("devices/disk"):
        target = attribute(disk, "target", "dev")
        if target in images:
            for tag in ("source", "backingStore", "mirror"):
                for element in disk.findall(tag):
                    disk.remove(element)
            disk.set("type", "file")
            source = lxml().Element("source", file=images[target])
            driver = disk.find("driver")
            if driver is None:
                driver = lxml().Element("driver", name="qemu")
                disk.insert(0, driver)
            driver.set("type", form)
            disk.insert(list(disk).index(driver) + 1, source)
        elif disk.find("readonly") is None and disk.find("source") is not None:
            devices.remove(disk)
            dropped.append(target)
    return Restored(str(lxml().tostring(root, encoding="unicode")), tuple(dropped))
