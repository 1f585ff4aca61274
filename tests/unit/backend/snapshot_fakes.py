"""A domain with snapshots, by a libvirt that notes where the domain went back to.

``<revertDisks>`` are of libvirt 9.9: what it does with them is written out here.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import libvirt

from tests.unit.owners.fakes import Domain, FakeHost, disk, gone

CURRENT = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT
SECURE = libvirt.VIR_DOMAIN_SNAPSHOT_XML_SECURE


def record(
    name: str, kept: str, over: str, parent: str = "", reverted: str = "", more: str = ""
) -> str:
    """A snapshot of vda; ``reverted``: on what the domain is since it went back to it."""
    grew = f"<parent><name>{parent}</name></parent>" if parent else ""
    image = "<disk name='vda' snapshot='external' type='file'><source file='{}'/></disk>"
    back = f"<revertDisks>{image.format(reverted)}</revertDisks>" if reverted else ""
    return (
        f"<domainsnapshot><name>{name}</name>{grew}<disks>{image.format(over)}</disks>{back}"
        f"<domain><devices>{disk(kept, 'qcow2')}{more}</devices></domain></domainsnapshot>"
    )


class Handle:
    def __init__(self, guest: Guest, name: str) -> None:
        self._guest, self._name = guest, name

    def getName(self) -> str:
        return self._name

    def isCurrent(self, _flags: int) -> bool:
        return self._guest.current == self._name

    def getXMLDesc(self, flags: int) -> str:
        text = self._guest.records[self._name]
        return text if flags & SECURE else text.replace(" passwd='geheim'", "")

    def delete(self, flags: int) -> None:
        assert flags == libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY
        del self._guest.records[self._name]


class Guest(Domain):
    """A domain, and libvirt's records of its snapshots."""

    def __init__(self, on: str, current: str, *texts: str) -> None:
        super().__init__("web", disk(on, "qcow2"), snapshots=texts)
        self.records: dict[str, str] = {}
        self.current = ""
        for text in texts:
            self.snapshotCreateXML(text, 0)
        self.current = current

    def listAllSnapshots(self, _flags: int) -> list[Any]:
        return [Handle(self, name) for name in self.records]

    def hasCurrentSnapshot(self, _flags: int) -> bool:
        return self.current in self.records

    def snapshotCurrent(self, _flags: int) -> Handle:
        return Handle(self, self.current)

    def snapshotLookupByName(self, name: str, _flags: int) -> Handle:
        if name not in self.records:
            raise gone(libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT)
        return Handle(self, name)

    def snapshotCreateXML(self, text: str, flags: int) -> None:
        """As qemuSnapshotRedefine and qemuSnapshotSetCurrent of libvirt 9.9 have it."""
        name = str(ElementTree.fromstring(text).findtext("name"))
        self.records[name] = text
        if flags & CURRENT:
            if self.current:
                root = ElementTree.fromstring(self.records[self.current])
                for each in root.findall("revertDisks"):
                    root.remove(each)
                self.records[self.current] = ElementTree.tostring(root, encoding="unicode")
            self.current = name


class Place(FakeHost):
    """A host with one such domain."""

    def __init__(self, guest: Guest, version: str, *beside: Domain) -> None:
        super().__init__("h", guest, *beside)
        self.guest = guest
        self.snapshot.info.libvirt_version = version

    def require_write(self) -> None:
        pass

    def domain(self, _uuid: str) -> Guest:
        return self.guest

    def touch(self, _ref: Any) -> None:
        pass


def place(guest: Guest, *beside: Domain, version: str = "10.0.0") -> Any:
    """A host with that domain, and others."""
    return Place(guest, version, *beside)
