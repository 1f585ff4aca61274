"""Every device but disks and interfaces: its kind, one line that says what it is, who backs it."""

from __future__ import annotations

from collections.abc import Callable

from ..model.device import Device
from .tree import Element, address_of, attribute, number, pci_address, size_of, to_text


def read_device(element: Element) -> Device:
    """The record of any device element; never raises for what libvirt writes."""
    kind = element.tag
    summarise = _SUMMARIES.get(kind, _plain)
    node_device, identity = host_device(element) if kind in ("hostdev", "redirdev") else ("", "")
    return Device(
        kind=kind,
        summary=summarise(element),
        alias=attribute(element, "alias", "name"),
        address=address_of(element.find("address")),
        xml=to_text(element),
        node_device=node_device,
        vendor_product=identity,
    )


def host_device(element: Element) -> tuple[str, str]:
    """What of the host a ``<hostdev>`` takes: its address, and its USB ``vendor:product``.

    The address is as NodeDevice has it: PCI ``0000:04:00.0``, USB ``002:003``, SCSI
    ``0:0:0:0``; a mediated device's UUID. A running domain's USB device has both.
    """
    kind = element.get("type", "")
    source = element.find("source")
    if source is None:
        return "", ""
    address = source.find("address")
    if kind == "pci":
        return pci_address(address), ""
    if kind == "mdev":
        return ("" if address is None else address.get("uuid", "").lower()), ""
    if kind == "usb":
        return _usb_host_device(source, address)
    if kind == "scsi" and address is not None:
        host = attribute(source, "adapter", "name").removeprefix("scsi_host")
        parts = [host, *(address.get(name, "0") for name in ("bus", "target", "unit"))]
        return (":".join(parts) if host.isdigit() else ""), ""
    return "", ""


def _usb_host_device(source: Element, address: Element | None) -> tuple[str, str]:
    where = identity = ""
    if address is not None:
        bus, device = number(address.get("bus")), number(address.get("device"))
        if bus is not None and device is not None:
            where = f"{bus:03d}:{device:03d}"
    vendor = number(attribute(source, "vendor", "id"))
    product = number(attribute(source, "product", "id"))
    if vendor is not None and product is not None:
        identity = f"{vendor:04x}:{product:04x}"
    return where, identity


def _join(*words: str | None) -> str:
    return " ".join(word for word in words if word)


def _plain(element: Element) -> str:
    return _join(element.get("model"), element.get("type"), attribute(element, "model", "name"))


def _character(element: Element) -> str:
    """serial, parallel, console, channel: what is behind it, and what the guest sees."""
    kind = element.get("type", "")
    source = element.find("source")
    where = ""
    if source is not None:
        where = source.get("path") or source.get("channel") or ""
        if source.get("host") or source.get("service"):
            where = f"{source.get('mode', '')} {source.get('host', '')}:{source.get('service', '')}"
    target = element.find("target")
    seen = "" if target is None else _join(target.get("type"), target.get("name"))
    return _join(kind, where.strip(), f"→ {seen}" if seen else "")


def _hostdev(element: Element) -> str:
    where, identity = host_device(element)
    kind = element.get("type", "")
    source = element.find("source")
    if not where and not identity and source is not None:
        words = [source.get("protocol"), source.get("name"), source.get("wwpn")]
        words += [attribute(source, name, "dev") for name in ("block", "char", "interface")]
        words += [source.findtext(name) for name in ("block", "char", "interface")]
        return _join(kind or element.get("mode"), *words)
    managed = "" if kind != "pci" or element.get("managed") == "yes" else "unmanaged"
    return _join(kind, identity, f"at {where}" if identity and where else where, managed)


def _controller(element: Element) -> str:
    return _join(element.get("type"), element.get("index"), element.get("model"))


def _filesystem(element: Element) -> str:
    source, target = element.find("source"), attribute(element, "target", "dir")
    names = ("dir", "file", "dev", "name", "pool", "socket")
    where = "" if source is None else next((source.get(n) for n in names if source.get(n)), "")
    driver = attribute(element, "driver", "type")
    readonly = "read-only" if element.find("readonly") is not None else ""
    return _join(driver or element.get("type"), where, f"→ {target}" if target else "", readonly)


def _graphics(element: Element) -> str:
    kind, port = element.get("type", ""), element.get("port", "")
    listen = element.get("listen") or attribute(element, "listen", "address")
    socket = element.get("socket") or attribute(element, "listen", "socket")
    if socket:
        return _join(kind, socket)
    if port in ("", "-1", "0"):
        port = element.get("tlsPort", "")
    place = f"{listen}:{port}" if port not in ("", "-1") else listen
    return _join(
        kind, place, "" if port not in ("", "-1") or kind == "sdl" else "port chosen at start"
    )


def _video(element: Element) -> str:
    model = element.find("model")
    if model is None:
        return ""
    memory = number(model.get("vram"))
    heads = model.get("heads")
    return _join(
        model.get("type"),
        f"{memory // 1024} MiB" if memory and memory >= 1024 else "",
        f"{heads} heads" if heads and heads != "1" else "",
    )


def _input(element: Element) -> str:
    return _join(element.get("type"), element.get("bus"), attribute(element, "source", "evdev"))


def _tpm(element: Element) -> str:
    backend = element.find("backend")
    if backend is None:
        return _join(element.get("model"))
    return _join(
        element.get("model"),
        backend.get("type"),
        backend.get("version"),
        attribute(backend, "device", "path"),
    )


def _rng(element: Element) -> str:
    backend = element.find("backend")
    what = "" if backend is None else (backend.text or "").strip() or backend.get("model", "")
    return _join(element.get("model"), what)


def _watchdog(element: Element) -> str:
    return _join(element.get("model"), element.get("action"))


def _memory(element: Element) -> str:
    size = size_of(element.find("target/size"), "KiB")
    return _join(
        element.get("model"),
        f"{size // 1024**2} MiB" if size else "",
        element.findtext("source/path"),
    )


def _vsock(element: Element) -> str:
    cid = attribute(element, "cid", "address")
    return _join(element.get("model"), f"CID {cid}" if cid else "CID chosen at start")


def _redirdev(element: Element) -> str:
    return _join(element.get("bus"), element.get("type"))


def _shmem(element: Element) -> str:
    size = size_of(element.find("size"), "MiB")
    return _join(
        element.get("name"),
        attribute(element, "model", "type"),
        f"{size // 1024**2} MiB" if size else "",
    )


def _smartcard(element: Element) -> str:
    return _join(element.get("mode"), element.get("type"))


def _audio(element: Element) -> str:
    return _join(element.get("type"), element.get("id"))


def _hub(element: Element) -> str:
    return _join(element.get("type"))


def _iommu(element: Element) -> str:
    remapping = attribute(element, "driver", "intremap") == "on"
    return _join(element.get("model"), "interrupt remapping" if remapping else "")


def _lease(element: Element) -> str:
    return _join(element.findtext("lockspace"), element.findtext("key"))


_SUMMARIES: dict[str, Callable[[Element], str]] = {
    "serial": _character,
    "parallel": _character,
    "console": _character,
    "channel": _character,
    "hostdev": _hostdev,
    "controller": _controller,
    "filesystem": _filesystem,
    "graphics": _graphics,
    "video": _video,
    "input": _input,
    "tpm": _tpm,
    "rng": _rng,
    "watchdog": _watchdog,
    "memory": _memory,
    "vsock": _vsock,
    "redirdev": _redirdev,
    "shmem": _shmem,
    "smartcard": _smartcard,
    "audio": _audio,
    "hub": _hub,
    "iommu": _iommu,
    "lease": _lease,
}
