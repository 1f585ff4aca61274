"""``<network>`` → Network. Format: https://libvirt.org/formatnetwork.html."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from ..model.resources import DhcpRange, Network, NetworkAddress
from .tree import Element, attribute, pci_address, skim, text_of


def parse_network(
    host: str, xml: str, *, active: bool, autostart: bool, persistent: bool
) -> Network:
    """The network that ``xml`` (virNetworkGetXMLDesc) describes. Raises MalformedXml."""
    root = skim(xml, "network")
    forward = root.find("forward")
    return Network(
        host=host,
        uuid=text_of(root, "uuid"),
        name=root.findtext("name") or "",
        active=active,
        autostart=autostart,
        persistent=persistent,
        mode="isolated" if forward is None else forward.get("mode", "nat"),
        bridge=attribute(root, "bridge", "name"),
        device=_device(forward),
        hands_out=() if forward is None else tuple(_hands_out(forward)),
        addresses=tuple(
            NetworkAddress(cidr, _ranges(ip)) for ip in root.iterfind("ip") if (cidr := _cidr(ip))
        ),
    )


def _device(forward: Element | None) -> str:
    if forward is None:
        return ""
    return (
        forward.get("dev")
        or attribute(forward, "interface", "dev")
        or attribute(forward, "pf", "dev")
    )


_SHARING = ("nat", "route", "open")
"""Modes in which all guests share what it forwards to."""


def _hands_out(forward: Element) -> Iterator[str]:
    if forward.get("mode", "nat") in _SHARING:
        return
    for pci in forward.iterfind("address"):
        address = pci_address(pci)
        if address:
            yield address
    for card in forward.iterfind("interface"):
        yield card.get("dev", "")
    for card in forward.iterfind("pf"):
        yield f"pf:{card.get('dev', '')}"


def _cidr(ip: Element) -> str:
    """``192.168.122.1/24``; the address alone when its mask makes no sense; '' without one."""
    address = ip.get("address", "")
    mask = ip.get("prefix") or ip.get("netmask")
    if not address or not mask:
        return str(address)
    try:
        return ipaddress.ip_interface(f"{address}/{mask}").with_prefixlen
    except ValueError:
        return str(address)


def _ranges(ip: Element) -> tuple[DhcpRange, ...]:
    return tuple(
        DhcpRange(found.get("start", ""), found.get("end", ""))
        for found in ip.iterfind("dhcp/range")
    )
