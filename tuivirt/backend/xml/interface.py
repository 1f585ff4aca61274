"""A domain's ``<interface>``, declared. Format: https://libvirt.org/formatdomain.html#network-interfaces."""

from __future__ import annotations

from typing import cast

from ..model.device import Interface
from .declare import Declaration, Field, FieldType
from .facts import facts_of
from .offered import Offer
from .shared import BOOT_ORDER, ROM_BAR, ROM_FILE
from .tree import Element, address_of, attribute, parse, pci_address, to_text

_DIRECT = ("type", ("direct",))
_NETWORK = ("type", ("network",))
_HOSTDEV = ("type", ("hostdev",))
_VHOST = ("type", ("vhostuser",))
_QBG = ("virtualport", ("802.1Qbg",))
_RATE = "KiB per second"


def _bandwidth(name: str, verb: str) -> tuple[Field, ...]:
    """One direction's limits, as the guest sees them."""

    def of(suffix: str, path: str, label: str, help: str) -> Field:
        return Field(f"{name}{suffix}", f"bandwidth/{name}/@{path}", label, help, FieldType.INT)

    return (
        of("", "average", f"{verb} at most", f"{_RATE}, on average."),
        of("_peak", "peak", f"{verb} peak", f"{_RATE}, for a while."),
        of("_burst", "burst", f"{verb} burst", "KiB that may go at the peak's rate."),
    )


INTERFACE = Declaration(
    "interface",
    (
        Field(
            "type",
            "@type",
            "Connected to",
            "What it is connected to on the host; direct is macvtap, hostdev a PCI function.",
            choices=(
                *("network", "bridge", "direct", "ethernet", "hostdev", "user"),
                *("vhostuser", "vdpa"),
            ),
            default="network",
            required=True,
        ),
        Field(
            "managed",
            "@managed",
            "Managed",
            "libvirt takes it from the host's driver at start and gives it back.",
            FieldType.YES_NO,
            only=_HOSTDEV,
            initial=True,
        ),
        Field("mac", "mac/@address", "MAC address", "Empty: libvirt makes one up."),
        Field(
            "source",
            {
                "network": "source/@network",
                "bridge": "source/@bridge",
                "direct": "source/@dev",
                "vdpa": "source/@dev",
            },
            "Source",
            "The network, the bridge or the host's interface.",
            by="type",
        ),
        Field(
            "pci",
            "source/address[@type='pci']",
            "PCI address",
            "Of the function on the host, as in 0000:03:10.1.",
            FieldType.PCI,
            only=_HOSTDEV,
        ),
        Field(
            "mode",
            {"direct": "source/@mode", "vhostuser": "source/@mode"},
            "Mode",
            "How macvtap passes frames; bridge lets guests of this host talk.",
            choices=("vepa", "bridge", "private", "passthrough", "server", "client"),
            by="type",
            offer=Offer(
                beside=(
                    "type",
                    {
                        "direct": ("vepa", "bridge", "private", "passthrough"),
                        "vhostuser": ("server", "client"),
                    },
                )
            ),
        ),
        Field(
            "socket_type",
            "source/@type",
            "Reached by",
            "Of the vhost-user switch.",
            choices=("unix",),
            default="unix",
            only=_VHOST,
            required=True,
        ),
        Field("socket", "source/@path", "Socket", "Of the vhost-user switch.", only=_VHOST),
        Field("portgroup", "source/@portgroup", "Port group", "Of the network.", only=_NETWORK),
        Field(
            "virtualport",
            "virtualport/@type",
            "Virtual port",
            "openvswitch, when the bridge is one of Open vSwitch.",
            choices=("openvswitch", "802.1Qbg", "802.1Qbh", "midonet"),
        ),
        Field(
            "port_profile",
            "virtualport/parameters/@profileid",
            "Port profile",
            "The switch's profile for it.",
            only=("virtualport", ("openvswitch", "802.1Qbh")),
        ),
        Field(
            "port_id",
            "virtualport/parameters/@interfaceid",
            "Port's id",
            "A UUID by which the switch knows it; libvirt makes one up.",
            only=("virtualport", ("openvswitch", "midonet")),
        ),
        *(
            Field(name, f"virtualport/parameters/@{name}", label, help, only=_QBG)
            for name, label, help in (
                ("managerid", "Manager's id", "Of the database of types."),
                ("typeid", "Type's id", "As the network's administrator says."),
                ("typeidversion", "Type's version", "As the network's administrator says."),
                ("instanceid", "Instance's id", "A UUID; libvirt makes one up."),
            )
        ),
        Field(
            "vlan",
            "vlan/tag/@id",
            "VLAN",
            "Tag of its frames (Open vSwitch, SR-IOV); several with commas make a trunk.",
            FieldType.LIST,
        ),
        Field(
            "trunk",
            "vlan/@trunk",
            "Trunk",
            "The guest tags its frames itself.",
            FieldType.YES_NO,
        ),
        Field("target", "target/@dev", "Host's name", "As in vnet3; libvirt chooses it."),
        Field(
            "target_managed",
            "target/@managed",
            "Host's own",
            "no: the host's interface is there already, made by somebody else.",
            FieldType.YES_NO,
            only=("type", ("ethernet",)),
        ),
        Field(
            "script",
            "script/@path",
            "Script",
            "Run on the host when it comes up.",
            only=("type", ("ethernet", "bridge")),
        ),
        Field(
            "model",
            "model/@type",
            "Model",
            "The card that the guest sees; virtio where it can.",
            only=(
                "type",
                ("network", "bridge", "direct", "ethernet", "user", "vhostuser", "vdpa"),
            ),
            initial="virtio",
            offer=Offer(
                usual=(
                    *("virtio", "e1000e", "e1000", "rtl8139"),
                    *("virtio-transitional", "virtio-non-transitional"),
                )
            ),
        ),
        Field(
            "backend",
            "driver/@name",
            "Driver",
            "Who moves its frames: vhost is the host's kernel; vfio for a PCI function.",
            choices=("vhost", "qemu", "vfio", "kvm", "xen"),
            offer=Offer(
                needs={"xen": ("xen",)},
                beside=(
                    "type",
                    {
                        "hostdev": ("vfio", "kvm", "xen"),
                        **dict.fromkeys(
                            ("network", "bridge", "direct", "ethernet", "user"), ("vhost", "qemu")
                        ),
                    },
                ),
            ),
        ),
        Field(
            "queues",
            "driver/@queues",
            "Queues",
            "How many queues it has (virtio).",
            FieldType.INT,
            least=1,
        ),
        Field(
            "rx_queue_size",
            "driver/@rx_queue_size",
            "Receive queue",
            "How many frames it holds: 256, 512 or 1024 (virtio).",
            FieldType.INT,
            least=1,
        ),
        Field(
            "tx_queue_size",
            "driver/@tx_queue_size",
            "Send queue",
            "How many frames it holds (vhost-user).",
            FieldType.INT,
            least=1,
        ),
        Field("filter", "filterref/@filter", "Filter", "The network filter that it passes."),
        Field(
            "filter_ip",
            "filterref/parameter[@name='IP']/@value",
            "Filter's addresses",
            "The IP addresses that the guest may use; several with commas.",
            FieldType.LIST,
        ),
        Field(
            "link",
            "link/@state",
            "Link",
            "down: as if the cable were pulled out.",
            choices=("up", "down"),
            default="up",
        ),
        Field(
            "mtu",
            "mtu/@size",
            "MTU",
            "Bytes in a frame; empty: the source's.",
            FieldType.INT,
            least=1,
        ),
        Field(
            "isolated",
            "port/@isolated",
            "Isolated",
            "It cannot talk to other isolated ones of its bridge.",
            FieldType.YES_NO,
            only=("type", ("network", "bridge")),
        ),
        *_bandwidth("inbound", "Receive"),
        *_bandwidth("outbound", "Send"),
        ROM_BAR,
        ROM_FILE,
        BOOT_ORDER,
    ),
    common=("type", "source", "pci", "mode", "socket", "model", "mac", "vlan", "link"),
)


def read_interface(element: Element, *, compared: bool = True) -> Interface:
    """The record of an ``<interface>`` element; never raises for what libvirt writes.

    While a domain runs, an interface on a network that stands for a bridge says
    ``type='bridge'``, and names its network still: that network is its source. Unless it is to
    be ``compared``, without its facts.
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
        facts=facts_of(element) if compared else frozenset(),
    )


def parse_interface(xml: str) -> Interface:
    """The record of one interface's XML. Raises MalformedXml."""
    return read_interface(parse(xml, "interface"))
