"""``<controller>``, declared. Format: https://libvirt.org/formatdomain.html#controllers."""

from __future__ import annotations

from .declare import Declaration
from .field import Field, FieldType
from .offered import Offer
from .say import named

_PCI = ("type", ("pci",))

_VIRTIO = ("virtio", "virtio-transitional", "virtio-non-transitional")
_MODELS = {
    "scsi": (
        *("virtio-scsi", "virtio-transitional", "virtio-non-transitional", "auto", "lsilogic"),
        *("lsisas1068", "lsisas1078", "buslogic", "vmpvscsi", "ibmvscsi", "ncr53c90", "dc390"),
        "am53c974",
    ),
    "usb": (
        *("qemu-xhci", "nec-xhci", "ehci", "ich9-ehci1", "ich9-uhci1", "ich9-uhci2"),
        *("ich9-uhci3", "piix3-uhci", "piix4-uhci", "vt82c686b-uhci", "pci-ohci"),
        *("qusb1", "qusb2", "none"),
    ),
    "virtio-serial": _VIRTIO,
    "pci": (
        *("pcie-root-port", "pcie-root", "pci-root", "pci-bridge", "pcie-to-pci-bridge"),
        *("dmi-to-pci-bridge", "pcie-switch-upstream-port", "pcie-switch-downstream-port"),
        *("pci-expander-bus", "pcie-expander-bus"),
    ),
    "ide": ("piix3", "piix4", "ich6"),
    **dict.fromkeys(("sata", "fdc", "ccid", "isa", "xenbus"), ()),
}
"""By type: the models that there are of it."""

CONTROLLER = Declaration(
    "controller",
    (
        Field(
            "type",
            "@type",
            "Type",
            "Which bus it makes.",
            choices=(
                *("scsi", "usb", "virtio-serial", "pci", "sata", "ide", "fdc", "ccid"),
                *("isa", "xenbus"),
            ),
            required=True,
            initial="scsi",
            offer=Offer(needs={"xenbus": ("xen",), "ide": ("i440fx",), "isa": ("ppc",)}),
        ),
        Field(
            "index",
            "@index",
            "Number",
            "Its number among those of its type; empty: the next one.",
            FieldType.INT,
            # libvirt makes all that are missing below it: a huge one costs its daemon its life.
            most=255,
        ),
        Field(
            "model",
            "@model",
            "Model",
            "virtio-scsi, qemu-xhci and pcie-root-port are today's; none: no such bus (USB).",
            choices=(
                *("virtio-scsi", "virtio", "virtio-transitional", "virtio-non-transitional"),
                *("auto", "lsilogic", "lsisas1068", "lsisas1078", "buslogic", "vmpvscsi"),
                *("ibmvscsi", "ncr53c90", "dc390", "am53c974"),
                *("qemu-xhci", "nec-xhci", "ehci", "ich9-ehci1", "ich9-uhci1", "ich9-uhci2"),
                *("ich9-uhci3", "piix3-uhci", "piix4-uhci", "vt82c686b-uhci", "pci-ohci"),
                *("qusb1", "qusb2", "none", "piix3", "piix4", "ich6"),
                *("pcie-root-port", "pci-bridge", "pcie-to-pci-bridge", "pcie-root", "pci-root"),
                *("dmi-to-pci-bridge", "pcie-switch-upstream-port"),
                *("pcie-switch-downstream-port", "pci-expander-bus", "pcie-expander-bus"),
            ),
            offer=Offer(
                needs=dict.fromkeys(
                    (
                        *("pcie-root-port", "pcie-to-pci-bridge", "pcie-root"),
                        *("dmi-to-pci-bridge", "pcie-switch-upstream-port"),
                        *("pcie-switch-downstream-port", "pcie-expander-bus"),
                    ),
                    ("q35", "virt"),
                ),
                beside=("type", _MODELS),
                starts=(
                    "type",
                    {"scsi": "virtio-scsi", "usb": "qemu-xhci", "pci": "pcie-root-port"},
                ),
            ),
        ),
        Field(
            "ports",
            "@ports",
            "Ports",
            "How many devices it takes.",
            FieldType.INT,
            only=("type", ("usb", "virtio-serial")),
        ),
        Field(
            "vectors",
            "@vectors",
            "Vectors",
            "How many interrupts it has.",
            FieldType.INT,
            only=("type", ("virtio-serial",)),
        ),
        Field(
            "master_port",
            "master/@startport",
            "First port",
            "The master's port at which this companion begins.",
            FieldType.INT,
            only=("type", ("usb",)),
        ),
        Field(
            "queues",
            "driver/@queues",
            "Queues",
            "How many queues it has (virtio-scsi).",
            FieldType.INT,
            only=("type", ("scsi",)),
        ),
        Field(
            "cmd_per_lun",
            "driver/@cmd_per_lun",
            "Commands",
            "How many a disk may have under way (virtio-scsi).",
            FieldType.INT,
            only=("type", ("scsi",)),
        ),
        Field(
            "max_sectors",
            "driver/@max_sectors",
            "Sectors",
            "The most that one request moves (virtio-scsi).",
            FieldType.INT,
            only=("type", ("scsi",)),
        ),
        Field(
            "ioeventfd",
            "driver/@ioeventfd",
            "Asynchronous",
            "Whether requests leave the guest's processor at once (virtio-scsi).",
            FieldType.ON_OFF,
            only=("type", ("scsi",)),
        ),
        Field(
            "iothread",
            "driver/@iothread",
            "I/O thread",
            "Number of the domain's I/O thread that serves it (virtio-scsi).",
            FieldType.INT,
            only=("type", ("scsi",)),
            least=1,
        ),
        Field(
            "pci_model",
            "model/@name",
            "QEMU's model",
            "The device that QEMU makes of it; libvirt chooses it.",
            choices=(
                *("pcie-root-port", "ioh3420", "pci-bridge", "pcie-pci-bridge"),
                *("i82801b11-bridge", "x3130-upstream", "xio3130-downstream", "pxb", "pxb-pcie"),
                "spapr-pci-host-bridge",
            ),
            only=_PCI,
        ),
        Field(
            "chassis",
            "target/@chassis",
            "Chassis",
            "Its chassis number as a PCI Express port.",
            FieldType.INT,
            only=_PCI,
            most=255,
        ),
        Field(
            "chassis_nr",
            "target/@chassisNr",
            "Bridge's chassis",
            "Its chassis number as a PCI bridge.",
            FieldType.INT,
            only=_PCI,
            least=1,
            most=255,
        ),
        Field(
            "port",
            "target/@port",
            "Port",
            "Its port number in the chassis.",
            FieldType.INT,
            only=_PCI,
            most=255,
        ),
        Field(
            "bus_number",
            "target/@busNr",
            "Bus number",
            "The first bus below an expander.",
            FieldType.INT,
            only=_PCI,
            most=254,
        ),
        Field(
            "numa_node",
            "target/node",
            "NUMA node",
            "The guest's node that an expander is near.",
            FieldType.INT,
            only=_PCI,
        ),
        Field(
            "hotplug",
            "target/@hotplug",
            "Hot-plug",
            "Whether devices can be plugged into this port.",
            FieldType.ON_OFF,
            only=_PCI,
        ),
        Field(
            "pcihole64",
            "pcihole64",
            "64-bit window",
            "Room for large PCI memory (of the root), as big GPUs need.",
            FieldType.SIZE,
            only=_PCI,
        ),
    ),
    named("type", "index", "model"),
    common=("type", "model", "index", "ports"),
)
