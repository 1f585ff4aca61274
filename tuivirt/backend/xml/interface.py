"""A domain's ``<interface>``, declared. Format: https://libvirt.org/formatdomain.html#network-interfaces."""

from __future__ import annotations

from typing import cast

from ..model.device import Interface
from .declare import Declaration, Field, FieldType
from .tree import Element, address_of, attribute, parse, pci_address, to_text

_DIRECT = ("type", ("direct",))
_NETWORK = ("type", ("network",))

INTERFACE = Declaration(
    "interface",
    (
        Field(
            "type",
            "@type",
            "Connected to",
            "What it is connected to on the host.",
            choices=("network", "bridge", "direct", "ethernet", "hostdev", "user"),
            default="network",
            required=True,
        ),
        Field("mac", "mac/@address", "MAC address", "Empty: libvirt makes one up."),
        Field(
            "source",
            {"network": "source/@network", "bridge": "source/@bridge", "direct": "source/@dev"},
            "Source",
            "The network, the bridge or the host's interface.",
            by="type",
        ),
        Field(
            "mode",
            "source/@mode",
            "Mode",
            "How macvtap passes frames; bridge lets guests of this host talk.",
            choices=("vepa", "bridge", "private", "passthrough"),
            only=_DIRECT,
        ),
        Field("portgroup", "source/@portgroup", "Port group", "Of the network.", only=_NETWORK),
        Field(
            "virtualport",
            "virtualport/@type",
            "Virtual port",
            "openvswitch, when the bridge is one of Open vSwitch.",
            choices=("openvswitch", "802.1Qbg", "802.1Qbh", "midonet"),
        ),
        Field(
            "vlan",
            "vlan/tag/@id",
            "VLAN",
            "Tag of its frames (Open vSwitch, SR-IOV).",
            FieldType.INT,
        ),
        Field("target", "target/@dev", "Host's name", "As in vnet3; libvirt chooses it."),
        Field(
            "model", "model/@type", "Model", "The card that the guest sees; virtio where it can."
        ),
        Field(
            "queues",
            "driver/@queues",
            "Queues",
            "How many queues it has (virtio).",
            FieldType.INT,
        ),
        Field("filter", "filterref/@filter", "Filter", "The network filter that it passes."),
        Field(
            "link",
            "link/@state",
            "Link",
            "down: as if the cable were pulled out.",
            choices=("up", "down"),
            default="up",
        ),
        Field("mtu", "mtu/@size", "MTU", "Bytes in a frame; empty: the source's.", FieldType.INT),
        Field(
            "inbound",
            "bandwidth/inbound/@average",
            "Receive at most",
            "KiB per second, on average.",
            FieldType.INT,
        ),
        Field(
            "outbound",
            "bandwidth/outbound/@average",
            "Send at most",
            "KiB per second, on average.",
            FieldType.INT,
        ),
        Field(
            "boot_order",
            "boot/@order",
            "Boot order",
            "1 is tried first; empty: not by this list.",
            FieldType.INT,
        ),
    ),
)


def read_interface(element: Element) -> Interface:
    """The record of an ``<interface>`` element; never raises for what libvirt writes.

    While a domain runs, an interface on a network that stands for a bridge says
    ``type='bridge'``, and names its network still: that network is its source.
    """
    values = INTERFACE.parse(element)
    kind = cast(str, values["type"])
    source = cast(str, values["source"])
    network = attribute(element, "source", "network")
    if network:
        kind, source = "network", network
    elif kind in ("hostdev", "vdpa"):
        source = pci_address(element.find("source/address")) or attribute(element, "source", "dev")
    return Interface(
        mac=cast(str, values["mac"]).lower(),
        type=kind,
        source=source,
        model=cast(str, values["model"]),
        target=cast(str, values["target"]),
        link=cast(str, values["link"]),
        boot_order=cast("int | None", values["boot_order"]),
        alias=attribute(element, "alias", "name"),
        address=address_of(element.find("address")),
        xml=to_text(element),
    )


def parse_interface(xml: str) -> Interface:
    """The record of one interface's XML. Raises MalformedXml."""
    return read_interface(parse(xml, "interface"))
