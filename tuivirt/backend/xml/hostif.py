"""A host's ``<interface>`` → HostInterface. Source: virInterfaceGetXMLDesc."""

from __future__ import annotations

from ..model.resources import HostInterface
from .tree import Element, attribute, skim


def parse_interface(host: str, xml: str, *, active: bool) -> HostInterface:
    """The host's interface that ``xml`` describes. Raises MalformedXml."""
    root = skim(xml, "interface")
    return HostInterface(
        host=host,
        name=root.get("name", ""),
        mac=attribute(root, "mac", "address"),
        active=active,
        type=root.get("type", ""),
        addresses=tuple(_addresses(root)),
        ports=tuple(_ports(root)),
    )


def _addresses(root: Element) -> list[str]:
    found = []
    for ip in root.iterfind("protocol/ip"):
        address = ip.get("address", "")
        prefix = ip.get("prefix", "")
        if address:
            found.append(f"{address}/{prefix}" if prefix else address)
    return found


def _ports(root: Element) -> list[str]:
    """The interfaces that a bridge or bond joins, or the one that a VLAN lies on."""
    joined = [
        port.get("name", "")
        for kind in ("bridge", "bond")
        for port in root.iterfind(f"{kind}/interface")
    ]
    below = attribute(root, "vlan/interface", "name")
    return [port for port in [*joined, below] if port]
