"""Networks with leases, and node devices that can be taken from their driver and given back."""

from __future__ import annotations

import re
import time
from typing import Any

import libvirt

from ..backend.xml.errors import XmlError
from ..backend.xml.tree import attribute, lxml, parse, size_of, to_text
from .errors import failure
from .hardware import GRAIN
from .proxy import Proxy

LEASE_S = 3600


class DemoNetwork(Proxy):
    """A network of the demo."""

    def DHCPLeases(self, mac: str | None = None, flags: int = 0) -> list[dict[str, Any]]:
        """A lease for each running guest's interface on this network, as libvirt tells them."""
        if not self._real.isActive():
            raise failure(
                libvirt.VIR_ERR_OPERATION_INVALID,
                f"network '{self._real.name()}' is not active",
                libvirt.VIR_FROM_NETWORK,
            )
        leases = self._host.leases_of(self._real.name())
        return [lease for lease in leases if mac is None or lease["mac"] == mac]


def lease(bridge: str, mac: str, address: str, hostname: str) -> dict[str, Any]:
    """One lease in the shape of virNetworkGetDHCPLeases."""
    now = int(time.time())
    return {
        "iface": bridge,
        "expirytime": now - now % (LEASE_S // 2) + LEASE_S,
        "type": libvirt.VIR_IP_ADDR_TYPE_IPV4,
        "mac": mac,
        "iaid": None,
        "ipaddr": address,
        "prefix": 24,
        "hostname": hostname,
        "clientid": f"01:{mac}",
    }


def stored(xml: str) -> str:
    """The XML of a new volume as the test driver is told it; one that libvirt cannot read as is."""
    try:
        root = parse(xml, "volume")
        capacity = size_of(root.find("capacity")) or 0
        taken = size_of(root.find("allocation"))
    except XmlError:
        return xml
    found = root.find("allocation")
    if found is None:
        found = lxml().SubElement(root, "allocation")
        form = attribute(root, "target/format", "type")
        taken = capacity if form in ("", "raw") else min(capacity, EMPTY_IMAGE)
    found.set("unit", "bytes")
    found.text = str((taken or 0) // GRAIN)
    return to_text(root)


EMPTY_IMAGE = 200704
"""What an empty qcow2 image takes."""


class DemoPool(Proxy):
    """A storage pool with room for what it holds."""

    def info(self) -> list[int]:
        """As virStoragePoolGetInfo: state, capacity, allocation, available; bytes."""
        state, _, allocation, _ = self._real.info()
        allocation *= GRAIN
        capacity = 512 << 30
        while capacity < allocation * 5 // 4:
            capacity *= 2
        return [state, capacity, allocation, capacity - allocation]

    def XMLDesc(self, flags: int = 0) -> str:
        xml = str(self._real.XMLDesc(flags))
        _, *sizes = self.info()
        for word, value in zip(("capacity", "allocation", "available"), sizes, strict=True):
            xml = re.sub(rf"(<{word} unit='bytes'>)\d+", rf"\g<1>{value}", xml, count=1)
        return xml

    def storageVolLookupByName(self, name: str) -> DemoVolume:
        return DemoVolume(self._host, self._real.storageVolLookupByName(name))

    def listAllVolumes(self, flags: int = 0) -> list[DemoVolume]:
        return [DemoVolume(self._host, each) for each in self._real.listAllVolumes(flags)]

    def createXML(self, xmlDesc: str, flags: int = 0) -> DemoVolume:
        return DemoVolume(self._host, self._real.createXML(stored(xmlDesc), flags))

    def createXMLFrom(self, xmlDesc: str, clonevol: Any, flags: int = 0) -> DemoVolume:
        made = self._real.createXMLFrom(stored(xmlDesc), clonevol, flags)
        return DemoVolume(self._host, made)


class DemoVolume(Proxy):
    """A volume of the demo: it has no contents."""

    def info(self) -> list[int]:
        """As virStorageVolGetInfo: type, capacity, allocation; bytes."""
        kind, capacity, taken = self._real.info()
        return [kind, capacity, taken * GRAIN]

    def XMLDesc(self, flags: int = 0) -> str:
        taken = f"{self.info()[2]}"
        xml = str(self._real.XMLDesc(flags))
        return re.sub(r"(<allocation unit='bytes'>)\d+", rf"\g<1>{taken}", xml, count=1)

    def storagePoolLookupByVolume(self) -> DemoPool:
        return DemoPool(self._host, self._real.storagePoolLookupByVolume())

    def _key(self) -> str:
        return str(self._real.key())

    def download(self, stream: Any, offset: int, length: int, flags: int = 0) -> int:
        raise failure(libvirt.VIR_ERR_NO_SUPPORT, "virStorageVolDownload")

    def upload(self, stream: Any, offset: int, length: int, flags: int = 0) -> int:
        raise failure(libvirt.VIR_ERR_NO_SUPPORT, "virStorageVolUpload")

    def resize(self, capacity: int, flags: int = 0) -> int:
        """The test driver cannot: it is made anew with another size, under its own name."""
        self._host.require_write("virStorageVolResize")
        _kind, before, taken = self.info()
        if capacity < before and not flags & libvirt.VIR_STORAGE_VOL_RESIZE_SHRINK:
            raise failure(
                libvirt.VIR_ERR_INVALID_ARG,
                "Can't shrink capacity below current capacity unless shrink flag explicitly "
                "specified",
                libvirt.VIR_FROM_STORAGE,
            )
        if flags & libvirt.VIR_STORAGE_VOL_RESIZE_ALLOCATE:
            taken = capacity
        xml = self.XMLDesc()
        for word, size in (("capacity", capacity), ("allocation", min(taken, capacity))):
            xml = re.sub(rf"(<{word} unit='bytes'>)\d+", rf"\g<1>{size}", xml, count=1)
        pool = self._real.storagePoolLookupByVolume()
        self._real.delete(0)
        self._real = pool.createXML(stored(xml), 0)
        return 0

    def wipePattern(self, algorithm: int, flags: int = 0) -> int:
        """It has no contents: there is nothing to write over."""
        self._host.require_write("virStorageVolWipePattern")
        return 0


class DemoNodeDevice(Proxy):
    """A node device of the demo, which knows its driver; the test driver forgets it."""

    def _key(self) -> str:
        return str(self._real.name())

    def XMLDesc(self, flags: int = 0) -> str:
        xml = str(self._real.XMLDesc(flags))
        driver = self._host.drivers.get(self._real.name())
        if not driver:
            return xml
        # libvirt writes the driver before the first capability.
        line = f"  <driver>\n    <name>{driver}</name>\n  </driver>\n  <capability "
        return xml.replace("  <capability ", line, 1)

    def isActive(self) -> int:
        return 1

    def isPersistent(self) -> int:
        return 0

    def autostart(self) -> int:
        return 0

    def _pci(self, function: str) -> str:
        self._host.require_write(function)
        name = str(self._real.name())
        if name not in self._host.drivers:
            raise failure(
                libvirt.VIR_ERR_INVALID_ARG,
                f"device {name} is not a PCI device",
                libvirt.VIR_FROM_DOMAIN,
            )
        address = pci_address(name)
        user = self._host.user_of(address)
        if user:
            raise failure(
                libvirt.VIR_ERR_OPERATION_INVALID,
                f"PCI device {address} is in use by driver QEMU, domain {user}",
                libvirt.VIR_FROM_NONE,
            )
        return name

    def dettach(self) -> int:
        return self.detachFlags(None, 0)

    def detachFlags(self, driverName: str | None, flags: int = 0) -> int:
        if driverName not in (None, "vfio"):
            raise failure(
                libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
                f"unknown device assignment driver '{driverName}'",
            )
        self._host.bind(self._pci("virNodeDeviceDetachFlags"), "vfio-pci")
        return 0

    def reAttach(self) -> int:
        name = self._pci("virNodeDeviceReAttach")
        self._host.bind(name, self._host.own_drivers[name])
        return 0

    def reset(self) -> int:
        self._pci("virNodeDeviceReset")
        return 0


def pci_address(name: str) -> str:
    """``pci_0000_04_00_0`` → ``0000:04:00.0``."""
    domain, bus, slot, function = name.removeprefix("pci_").split("_")
    return f"{domain}:{bus}:{slot}.{function}"


def device_name(address: str) -> str:
    """``0000:04:00.0`` → ``pci_0000_04_00_0``."""
    return "pci_" + address.replace(":", "_").replace(".", "_")
