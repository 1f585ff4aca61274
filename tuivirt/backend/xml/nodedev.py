"""``<device>`` of a host → NodeDevice. Format: https://libvirt.org/formatnode.html."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..model.resources import MdevType, NodeDevice
from .tree import Element, attribute, number, pci_address, skim, text_of


def parse_node_device(host: str, xml: str, *, active: bool = True) -> NodeDevice:
    """The device that ``xml`` (virNodeDeviceGetXMLDesc) describes. Raises MalformedXml."""
    root = skim(xml, "device")
    found: dict[str, Any] = {"capability": ""}
    capability = root.find("capability")
    if capability is not None:
        kind = capability.get("type", "")
        found["capability"] = kind
        read = _READERS.get(kind)
        if read is not None:
            found |= read(capability)
    return NodeDevice(
        host=host,
        name=root.findtext("name") or "",
        parent=root.findtext("parent") or "",
        driver=text_of(root, "driver/name"),
        path=root.findtext("path") or "",
        devnodes=tuple(node.text or "" for node in root.iterfind("devnode")),
        active=active,
        **found,
    )


def _id(element: Element | None) -> str:
    """Four hexadecimal digits of an ``id='0x10de'``, or ''."""
    value = None if element is None else number(element.get("id"))
    return "" if value is None else f"{value:04x}"


def _named(capability: Element) -> dict[str, Any]:
    """Vendor and product by name and number, as PCI and USB devices have them."""
    vendor, product = capability.find("vendor"), capability.find("product")
    return {
        "vendor": "" if vendor is None else (vendor.text or "").strip(),
        "vendor_id": _id(vendor),
        "product": "" if product is None else (product.text or "").strip(),
        "product_id": _id(product),
    }


def _pci(capability: Element) -> dict[str, Any]:
    parts = [
        number(text_of(capability, name)) or 0 for name in ("domain", "bus", "slot", "function")
    ]
    group = capability.find("iommuGroup")
    numa = number(attribute(capability, "numa", "node"))
    functions: tuple[str, ...] = ()
    most: int | None = None
    parent_function = ""
    types: list[MdevType] = []
    for inner in capability.iterfind("capability"):
        kind = inner.get("type", "")
        if kind == "virt_functions":
            functions = tuple(pci_address(each) for each in inner.iterfind("address"))
            most = number(inner.get("maxCount")) or len(functions)
        elif kind == "phys_function":
            parent_function = pci_address(inner.find("address"))
        elif kind == "mdev_types":
            types += map(_mdev_type, inner.iterfind("type"))
    return _named(capability) | {
        "address": f"{parts[0]:04x}:{parts[1]:02x}:{parts[2]:02x}.{parts[3]:x}",
        "pci_class": _class(text_of(capability, "class")),
        "iommu_group": None if group is None else number(group.get("number")),
        "iommu_siblings": ()
        if group is None
        else tuple(pci_address(each) for each in group.iterfind("address")),
        "numa_node": None if numa is None or numa < 0 else numa,
        "virtual_functions": functions,
        "virtual_most": most,
        "physical_function": parent_function,
        "mdev_types": tuple(types),
        "link": _link(capability.find("pci-express")),
    }


def _link(express: Element | None) -> str:
    """The link as it is, and as it could be; the status has no speed while there is no link."""
    if express is None:
        return ""
    said = {each.get("validity", ""): each for each in express.iterfind("link")}

    def words(name: str) -> str:
        one = said.get(name)
        speed, width = ("", "") if one is None else (one.get("speed", ""), one.get("width", ""))
        return " ".join(
            word
            for word in (f"{speed} GT/s" if speed else "", f"×{width}" if width != "0" else "")
            if word.strip("×")
        )

    now, most = words("sta"), words("cap")
    if now and most and now != most:
        return f"{now}, of {most}"
    return now or (f"none, of {most}" if most else "")


def _class(text: str) -> str:
    value = number(text)
    return "" if value is None else f"{value:06x}"


def _usb_device(capability: Element) -> dict[str, Any]:
    bus, device = number(text_of(capability, "bus")), number(text_of(capability, "device"))
    address = "" if bus is None or device is None else f"{bus:03d}:{device:03d}"
    return _named(capability) | {"address": address}


def _usb(capability: Element) -> dict[str, Any]:
    """An interface of a USB device: its class is all that tells what it is."""
    return {"product": text_of(capability, "description")}


def _net(capability: Element) -> dict[str, Any]:
    return {
        "net_name": text_of(capability, "interface"),
        "net_mac": text_of(capability, "address"),
        "net_state": attribute(capability, "link", "state"),
    }


def _scsi_host(capability: Element) -> dict[str, Any]:
    number_of = text_of(capability, "host")
    return {"product": f"SCSI host {number_of}" if number_of else ""}


def _scsi(capability: Element) -> dict[str, Any]:
    parts = [text_of(capability, name) for name in ("host", "bus", "target", "lun")]
    return {
        "address": ":".join(parts) if all(parts) else "",
        "product": text_of(capability, "type"),
    }


def _storage(capability: Element) -> dict[str, Any]:
    """A disk or drive; the medium's size where the drive itself has none."""
    size = number(text_of(capability, "size"))
    if size is None:
        size = number(text_of(capability, "capability/media_size"))
    vendor = text_of(capability, "vendor")
    return {
        "block_path": text_of(capability, "block"),
        "size_bytes": size,
        "vendor": "" if vendor.startswith("0x") else vendor,
        "vendor_id": vendor[2:] if vendor.startswith("0x") else "",
        "product": text_of(capability, "model"),
    }


def _mdev(capability: Element) -> dict[str, Any]:
    group = capability.find("iommuGroup")
    return {
        "mdev_type": attribute(capability, "type", "id"),
        "mdev_uuid": text_of(capability, "uuid"),
        "iommu_group": None if group is None else number(group.get("number")),
    }


def _mdev_parent(capability: Element) -> dict[str, Any]:
    """A parent of mediated devices that is no PCI device (css, ap_matrix)."""
    types = capability.iterfind("capability[@type='mdev_types']/type")
    return {"mdev_types": tuple(map(_mdev_type, types))}


def _mdev_type(element: Element) -> MdevType:
    return MdevType(
        element.get("id", ""),
        text_of(element, "name"),
        text_of(element, "deviceAPI"),
        number(text_of(element, "availableInstances")),
    )


def _css(capability: Element) -> dict[str, Any]:
    parts = [number(text_of(capability, name)) for name in ("cssid", "ssid", "devno")]
    if None in parts:
        return _mdev_parent(capability)
    cssid, ssid, devno = (part or 0 for part in parts)
    return _mdev_parent(capability) | {"address": f"{cssid:x}.{ssid:x}.{devno:04x}"}


def _system(capability: Element) -> dict[str, Any]:
    return {
        "vendor": text_of(capability, "hardware/vendor"),
        "product": text_of(capability, "product"),
    }


def _drm(capability: Element) -> dict[str, Any]:
    return {"product": text_of(capability, "type")}


def _vdpa(capability: Element) -> dict[str, Any]:
    node = text_of(capability, "chardev")
    return {"product": node}


_READERS: dict[str, Callable[[Element], dict[str, Any]]] = {
    "pci": _pci,
    "usb_device": _usb_device,
    "usb": _usb,
    "net": _net,
    "scsi_host": _scsi_host,
    "scsi": _scsi,
    "storage": _storage,
    "mdev": _mdev,
    "css": _css,
    "ccw": _css,
    "ap_matrix": _mdev_parent,
    "system": _system,
    "drm": _drm,
    "vdpa": _vdpa,
}
