"""What no guest can ever have is said before a guest is asked for."""

from __future__ import annotations

import pytest

from tuivirt.backend.model.resources import NodeDevice
from tuivirt.backend.passthrough.find import givable, never_given


@pytest.mark.parametrize(
    ("device", "said"),
    [
        (NodeDevice("h", "computer", capability="system"), "no guest can have it"),
        (NodeDevice("h", "net_eth0", capability="net"), "no guest can have it"),
        (
            NodeDevice("h", "b", capability="pci", address="0000:00:1c.0", pci_class="060400"),
            "is a bridge",
        ),
        (NodeDevice("h", "usb_usb1", capability="usb_device", address="001:001"), "is a USB bus"),
    ],
)
def test_what_no_guest_can_have_is_not_offered_and_says_why(device: NodeDevice, said: str) -> None:
    assert said in never_given(device)
    assert givable({device.name: device}) == ()


def test_what_a_guest_can_have_is_offered() -> None:
    gpu = NodeDevice("h", "g", capability="pci", address="0000:04:00.0", pci_class="030000")
    assert never_given(gpu) == ""
    assert givable({gpu.name: gpu}) == (gpu,)
