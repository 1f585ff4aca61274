"""One device of a host, and what the host does with it."""

from __future__ import annotations

from collections.abc import Sequence

from tuivirt.actions import lookups
from tuivirt.actions.errors import TuivirtError
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.passthrough import DeviceFacts
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.resources import NodeDevice
from tuivirt.widgets.facts import facts
from tuivirt.widgets.page import PageLine
from tuivirt.widgets.text import size_bytes
from tuivirt.widgets.tones import Toned

from .devices import KIND_WORDS, by_place, number_of, short_name, what_it_is
from .handing import HandsOver
from .mdev_choice import described
from .paged import FactsScreen


class DeviceScreen(HandsOver, FactsScreen):
    """One device of a host."""

    HELP = "A device of the host: what it is, what drives it, what it shares its IOMMU group with."
    KIND = Kind.DEVICE

    def __init__(self, ref: Ref) -> None:
        super().__init__(ref)
        self._facts: DeviceFacts | None = None
        self._unknown = ""

    def on_mount(self) -> None:
        super().on_mount()
        self.look_up(self.ref.host, lookups.device_facts, self.ref.key, then=self._learned)

    def _learned(self, found: DeviceFacts | TuivirtError) -> None:
        if isinstance(found, TuivirtError):
            self._unknown = str(found)
        else:
            self._facts = found
        self.show_fleet(self.fleet)

    def _device(self, fleet: Fleet) -> NodeDevice | None:
        found = fleet.find(self.ref)
        return found if isinstance(found, NodeDevice) else None

    def title_of(self, fleet: Fleet) -> Sequence[Toned]:
        device = self._device(fleet)
        if device is None:
            return ()
        return (
            Toned(f" {short_name(device)}", "bold"),
            Toned(f"   {KIND_WORDS.get(device.capability, device.capability)}"),
            Toned(f"   {what_it_is(device)}"),
            Toned("" if device.active else "   not active", "warn"),
        )

    def lines(self, fleet: Fleet, width: int) -> Sequence[PageLine]:
        device = self._device(fleet)
        assert device is not None
        devices = fleet.hosts[device.host].devices
        children = sorted((d for d in devices.values() if d.parent == device.name), key=by_place)
        by_address = {d.address: d for d in devices.values() if d.capability == "pci"}
        ids = f"{device.vendor_id}:{device.product_id}" if device.vendor_id else ""
        group = number_of(device.iommu_group)
        about = self._facts or DeviceFacts()
        return facts(
            (
                ("name", device.name),
                ("vendor", device.vendor),
                ("product", device.product),
                ("vendor:product", ids),
                ("class", device.pci_class),
                ("address", device.address),
                ("driver", device.driver or ("none" if device.capability == "pci" else "")),
                ("link", device.link),
                ("boot display", "yes" if about.boot_display else ""),
                ("reset", "" if about.can_reset else "it cannot be reset"),
                ("in use", Toned(", ".join(_uses(about)) or self._unknown, "warn")),
                ("IOMMU group", group),
                ("goes along", [_sibling(a, by_address) for a in _others(device)]),
                ("NUMA node", number_of(device.numa_node)),
                ("used by", Toned(" ".join(device.used_by), "accent")),
                ("interface", f"{device.net_name} {device.net_mac} {device.net_state}".strip()),
                ("block device", device.block_path),
                ("size", size_bytes(device.size_bytes) if device.size_bytes else ""),
                ("device files", list(device.devnodes)),
                ("mediated type", device.mdev_type),
                ("defined", _definition(device)),
                ("can make", list(map(described, device.mdev_types))),
                ("physical one", device.physical_function),
                ("virtual ones", list(device.virtual_functions)),
                ("hangs on", device.parent),
                ("below it", [f"{short_name(d)}  {what_it_is(d)}" for d in children]),
                ("sysfs", device.path),
                ("host", device.host),
            ),
            width,
        )


def _definition(device: NodeDevice) -> str:
    """Whether a mediated device outlives its end, and comes back by itself."""
    if device.capability != "mdev":
        return ""
    if not device.persistent:
        return "no: it is gone when it is stopped"
    return "yes, and started with its parent" if device.autostart else "yes"


def _others(device: NodeDevice) -> list[str]:
    return [address for address in device.iommu_siblings if address != device.address]


def _sibling(address: str, known: dict[str, NodeDevice]) -> str:
    other = known.get(address)
    return f"{address}  {what_it_is(other)}" if other is not None else address


def _uses(about: DeviceFacts) -> list[str]:
    """What the host does with it, as far as it can be seen."""
    uses = [f"{disk.name} {disk.use}" for disk in about.disks]
    for net in about.nets:
        words = [*(f"in {each}" for each in net.above), *net.addresses]
        if net.default_route:
            words.append("default route")
        if net.this_session:
            words.append("this SSH session")
        if words:
            uses.append(f"{net.name} {' '.join(words)}")
    return uses
