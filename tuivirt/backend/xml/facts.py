"""What a device's XML says, taken apart, so that two configurations can be held together.

A fact is a path, written as a declaration's fields have it, and what stands there:
``("target/@dev", "vda")``. Left out is what is the hypervisor's own affair: aliases, the guest's
addresses, security labels, what lies below an image. What libvirt fills in while a domain runs,
where its configuration leaves it open (a terminal's path, a port), is marked by `FILLED`.
"""

from __future__ import annotations

from ..model.twins import FILLED, Facts
from .tree import Element

_OF_A_DEVICE = frozenset({"alias", "address", "backingStore", "mirror"})
"""Elements right below a device that tell of a run, not of a wish."""
_ANYWHERE = frozenset({"seclabel", "privateData"})
_NOTHING: frozenset[str] = frozenset()
_DROPPED = frozenset({"source/@index", "target/@state", "target/current", "target/current/@unit"})

_CHARACTER = ("@tty", "source/@path", "source/@mode", "source/@tls")
_OPEN: dict[str, tuple[str, ...]] = {
    "disk": (
        *("driver/@type", "target/@tray", "source/reservations"),
        *("source/@tls", "source/host/@port"),
    ),
    "interface": ("target/@dev",),
    "hostdev": ("driver/@name", "source/address"),
    **dict.fromkeys(("serial", "parallel", "console", "channel", "redirdev"), _CHARACTER),
    "smartcard": _CHARACTER,
    "rng": ("backend/source/@tls",),
    "filesystem": ("binary/@path", "source/@socket"),
    "graphics": (
        *("@port", "@tlsPort", "@websocket", "@listen", "@socket", "gl/@rendernode", "@address"),
        *("listen/@address", "listen/@socket"),
    ),
    "vsock": ("cid/@address",),
    "memballoon": ("stats/@period",),  # tuivirt asks for figures where nobody does.
    "shmem": ("server/@path", "msi/@vectors"),
}
_OWN: dict[str, tuple[str, ...]] = {
    "interface": ("link/@state",),  # Up where nothing is said: `Interface` tells.
    "console": ("target/@port",),  # Counted anew when the domain starts.
}
_OF_A_NETWORK = ("source", "virtualport", "vlan", "bandwidth", "port", "mtu")
"""What an interface in one of libvirt's networks is told by that network while it runs."""


def facts_of(device: Element) -> Facts:
    """All that a device's element says."""
    open_ones = _OPEN.get(device.tag, ())
    in_a_network = device.tag == "interface" and device.find("source[@network]") is not None
    if in_a_network:
        open_ones += _OF_A_NETWORK

    below = tuple(f"{each}{mark}" for each in open_ones for mark in "/[")
    # A network that stands for a bridge is told as that bridge while the domain runs.
    own = _OWN.get(device.tag, ())
    if in_a_network:
        own += ("@type",)
    found: set[tuple[str, str]] = set()
    for path, value in _said(device, "", _OF_A_DEVICE, []):
        if path in _DROPPED or path in own:
            continue
        filled = path in open_ones or path.startswith(below)
        found.add((FILLED + path if filled else path, value))
    if device.tag == "panic" and (place := device.find("address[@iobase]")) is not None:
        found.add((f"{FILLED}address[@type='isa']/@iobase", place.get("iobase")))
    return frozenset(found)


def _said(
    element: Element, path: str, hidden: frozenset[str], found: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    """``found`` with what the element says. No generator in another: thousands are read."""
    for name, value in element.attrib.items():
        found.append((f"{path}@{name}", value))
    seen: dict[str, int] = {}
    for child in element:
        tag = child.tag
        if not isinstance(tag, str) or tag in hidden or tag in _ANYWHERE:  # A comment has none.
            continue
        count = seen[tag] = seen.get(tag, 0) + 1
        place = f"{path}{tag}[{count}]" if count > 1 else f"{path}{tag}"
        text = (child.text or "").strip()
        if text:
            found.append((place, text))
        elif not len(child) and not child.attrib:
            found.append((place, "yes"))
        _said(child, f"{place}/", _NOTHING, found)
    return found
