"""An operator at a terminal of the lab host: a device is chosen, planned, given, and taken back."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import libvirt

from tests.e2e.operator import Operator
from tests.lab import sysfs
from tests.lab.case import case
from tests.lab.cases.guest import GPU_ID, SOUND_ID
from tests.lab.cases.handing_over import gpu_and_sound
from tests.lab.inner import NAME, Inner, inner_guest
from tests.support.lab import hardware
from tests.support.libvirtd import SYSTEM, until
from tests.support.tmux import TUIVIRT, Terminal

KINDS = {"GPU": "3", "USB": "4"}
"""The digits that show one kind of device only."""


@contextlib.contextmanager
def at_the_devices(kind: str) -> Iterator[Operator]:
    """The real program in a real terminal, on the host's devices of a kind."""
    with Terminal(80, 24, (*TUIVIRT, "-c", SYSTEM)) as terminal:
        at = Operator(terminal)
        at.sees(NAME)
        at.go_to("dev")
        at.type(KINDS[kind])
        at.sees(rf"{kind} \d+")
        yield at


def choose(at: Operator, device: str) -> None:
    """Let the list show this one alone."""
    at.type(f"/{device}")
    at.press("Enter")
    at.sees_no("^ /")
    at.sees(r"Devices 1 of \d+")
    at.sees(device)


def give(at: Operator) -> None:
    """``+``, the guest, and the form as it is: now and for each boot."""
    at.press("+")
    at.sees(f"Hand .* to(.|\n)*{NAME}")
    at.press("Enter")
    at.sees("Hand a host device over: ")
    at.press("C-s")


def say_yes(at: Operator) -> None:
    """From ``no``, where a plan begins, to the other button."""
    at.press("Left")
    at.answer("Hand a host device over: ", "Enter")


def take(at: Operator) -> None:
    """``-``, and through its form to the button."""
    at.press("-")
    at.sees("Take a host device back: ")
    at.press(*["Down"] * 5)
    at.answer("Take a host device back: ", "Enter")


def given(inner: Inner) -> list[int]:
    """How many host devices the guest has now, and at its next boot."""
    flags = (0, libvirt.VIR_DOMAIN_XML_INACTIVE)
    return [inner.guest.domain.XMLDesc(each).count("<hostdev ") for each in flags]


@case(limit_s=300)
def a_gpu_with_its_sound_is_given_by_a_plan_that_is_read_first_and_taken_back() -> None:
    gpu, sound = gpu_and_sound()
    with inner_guest() as inner, at_the_devices("GPU") as at:
        choose(at, gpu)
        at.sees(f"{gpu} .*bochs-drm")
        give(at)
        at.sees("bind it to vfio-pci")
        plan = " ".join(re.sub(r"[│┃|]", " ", at.text).split())
        assert f"1. take {gpu}" in plan, plan
        assert f"2. take {sound}" in plan, plan
        assert sysfs.driver(gpu) == "bochs-drm"  # It was only told.
        say_yes(at)
        at.sees(f"handed to {NAME}")
        assert (sysfs.driver(gpu), sysfs.driver(sound)) == ("vfio-pci", "vfio-pci")
        assert given(inner) == [2, 2]
        inner.wait_for_pci(GPU_ID)
        inner.wait_for_pci(SOUND_ID)
        at.sees(f"{gpu} .*vfio-pci .*{NAME[:7]}")

        take(at)
        at.sees("with bochs-drm")
        assert given(inner) == [0, 0]
        at.sees(f"{gpu} .*bochs-drm")
    sysfs.wait_for_driver(gpu, "bochs-drm")
    sysfs.wait_for_driver(sound, "snd_hda_intel")


@case(limit_s=200)
def one_of_two_equal_usb_devices_is_given_by_its_row_and_taken_back() -> None:
    first, second = (sysfs.usb_device(port) for port in hardware.TWINS)
    place = ":".join(f"{int((second / name).read_text()):03}" for name in ("busnum", "devnum"))
    with inner_guest() as inner, at_the_devices("USB") as at:
        choose(at, place)
        give(at)
        at.sees("by its place on the bus")
        say_yes(at)
        at.sees(f"handed to {NAME}")
        assert given(inner) == [1, 1]
        # The hypervisor takes it when the guest looks at it.
        until(lambda: sysfs.usb_driver(second) == "usbfs", "the guest has the second")
        assert sysfs.usb_driver(first) == "ftdi_sio"
        at.sees(f"{place} .*{NAME[:7]}")
        take(at)
        at.sees("taken from")
        assert given(inner) == [0, 0]
    until(lambda: sysfs.usb_driver(second) == "ftdi_sio", "the second is the host's again")
