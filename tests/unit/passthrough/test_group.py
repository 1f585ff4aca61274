"""What goes with a device, and what is only held."""

from __future__ import annotations

from tests.unit.passthrough.things import by_name, pci, usb
from tuivirt.backend.model.resources import NodeDevice
from tuivirt.backend.passthrough.group import choose

GPU = pci("0000:04:00.0", 1)
SOUND = pci("0000:04:00.1", 1, pci_class="040300")
BRIDGE = pci("0000:00:01.0", 1, pci_class="060400")
NETWORK = pci("0000:05:00.0", 1, pci_class="020000")


def names(devices: tuple[NodeDevice, ...]) -> list[str]:
    return [device.address for device in devices]


def test_a_gpu_goes_with_its_sound_and_the_bridge_above_stays() -> None:
    given, held = choose(GPU, by_name(BRIDGE, SOUND, GPU))
    assert (given, held) == ((GPU, SOUND), ())


def test_a_stranger_in_the_group_is_held_and_given_to_nobody() -> None:
    given, held = choose(GPU, by_name(GPU, SOUND, NETWORK))
    assert names(given) == ["0000:04:00.0", "0000:04:00.1"]
    assert names(held) == ["0000:05:00.0"]


def test_alone_means_that_the_rest_of_the_group_is_held() -> None:
    given, held = choose(GPU, by_name(GPU, SOUND), alone=True)
    assert (given, held) == ((GPU,), (SOUND,))


def test_a_gpus_sound_goes_along_from_a_group_of_its_own() -> None:
    sound = pci("0000:04:00.1", 2, pci_class="040300")
    neighbour = pci("0000:06:00.0", 2, pci_class="020000")
    given, held = choose(GPU, by_name(GPU, sound, neighbour))
    assert (given, held) == ((GPU, sound), (neighbour,))


def test_one_port_of_a_network_card_leaves_the_other_to_the_host() -> None:
    one = pci("0000:05:00.0", 5, pci_class="020000")
    other = pci("0000:05:00.1", 6, pci_class="020000")
    assert choose(one, by_name(one, other)) == ((one,), ())


def test_a_usb_device_goes_by_itself() -> None:
    stick = usb("001:002")
    assert choose(stick, by_name(stick, usb("001:003"))) == ((stick,), ())
