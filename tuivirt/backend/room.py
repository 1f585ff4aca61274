"""Whether a running machine has a place for one more device: libvirt's own words say little."""

from __future__ import annotations

from collections.abc import Mapping

from .disks import has_controller, has_conventional_slot
from .errors import BadInput
from .model.device import DomainConfig
from .xml.catalog import Kind
from .xml.field import Value
from .xml.targets import free_pci_places

NEXT_BOOT = "do it for the next boot"
_ON_PCI = ("interface", "rng", "controller", "vsock", "shmem", "filesystem")
_CONVENTIONAL = ("e1000", "rtl8139", "ne2k_pci", "pcnet", "i6300esb")
"""Models that are no PCI Express devices."""


def check_room(
    config: DomainConfig | None, kind: Kind, values: Mapping[str, Value], what: str
) -> None:
    """Raises BadInput when the running machine has no place for such a device."""
    if config is None:
        return
    on_pci = kind.name in _ON_PCI or values.get("bus") == "virtio"
    if on_pci and free_pci_places(config) == 0:
        why = "the running machine has no free PCI slot"
        raise BadInput(what, why, f"{NEXT_BOOT} (ports are added then)")
    if values.get("model") in _CONVENTIONAL and not has_conventional_slot(config):
        why = "the running machine has no free conventional PCI slot"
        raise BadInput(what, why, f"{NEXT_BOOT} (a bridge is added then)")
    virtio_port = kind.name in ("channel", "console") and values.get("target_type") == "virtio"
    if virtio_port and not has_controller(config, 'type="virtio-serial"'):
        why = "the running machine has no virtio-serial controller"
        raise BadInput(what, why, f"{NEXT_BOOT} (one is added then)")
