"""What goes with a device: its IOMMU group, and the functions of its slot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..model.resources import NodeDevice

_BRIDGE = "06"
_DISPLAY = "03"


def is_bridge(device: NodeDevice) -> bool:
    """Bridges stay with the host: vfio lets a group be without them."""
    return device.pci_class.startswith(_BRIDGE)


def is_root_hub(device: NodeDevice) -> bool:
    """A USB bus itself, which libvirt lists among its devices."""
    return device.capability == "usb_device" and device.name.startswith("usb_usb")


def is_display(device: NodeDevice) -> bool:
    """A GPU, whether it drives a monitor or not."""
    return device.pci_class.startswith(_DISPLAY)


def slot(device: NodeDevice) -> str:
    """``0000:04:00`` of a PCI device: what its functions have in common."""
    return device.address.rpartition(".")[0]


def group_of(device: NodeDevice, devices: Iterable[NodeDevice]) -> tuple[NodeDevice, ...]:
    """All PCI devices of its IOMMU group but bridges, itself first; itself alone without one."""
    others = [
        each
        for each in devices
        if each.capability == "pci"
        and each.name != device.name
        and device.iommu_group is not None
        and each.iommu_group == device.iommu_group
        and not is_bridge(each)
    ]
    return (device, *sorted(others, key=lambda each: each.address))


def choose(
    device: NodeDevice, devices: Mapping[str, NodeDevice], *, alone: bool = False
) -> tuple[tuple[NodeDevice, ...], tuple[NodeDevice, ...]]:
    """What is given with a device, itself first, and what is only held back from its drivers.

    A GPU goes with the functions of its slot (sound, USB), in its group or not; of any other
    device the functions of its slot go along when they share its group. What else is in the
    group is held: nobody may use it meanwhile. ``alone``: the device itself is all that goes.
    """
    if device.capability != "pci":
        return (device,), ()
    group = group_of(device, devices.values())
    in_slot = [
        each
        for each in devices.values()
        if each.capability == "pci" and slot(each) == slot(device) and each.name != device.name
    ]
    given = [device]
    if not alone:
        given += [
            each
            for each in sorted(in_slot, key=lambda each: each.address)
            if not is_bridge(each) and (each in group or is_display(device))
        ]
    held = [each for each in group if each not in given]
    # A sibling in a group of its own, such as a GPU's sound, may have neighbours there too.
    for each in given[1:]:
        held += [
            other
            for other in group_of(each, devices.values())
            if other not in given and other not in held
        ]
    return tuple(given), tuple(held)
