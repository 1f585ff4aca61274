"""tuivirt hands the lab host's devices to a guest and takes them back, or says why it does not."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from tests.contract.cli import Ran
from tests.contract.conftest import Heard, started
from tests.lab import sysfs
from tests.lab.case import case
from tests.lab.cases.guest import CARD_ID, GPU_ID, SOUND_ID, hostdev, node_name
from tests.lab.forked import tuivirt
from tests.lab.inner import NAME, inner_guest, start
from tests.support.lab import hardware
from tests.support.libvirtd import SYSTEM
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.passthrough.hand_over import Wish, hand_over

LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
CONFIG = libvirt.VIR_DOMAIN_AFFECT_CONFIG


def attach(device: str, *options: str, **env: str) -> Ran:
    return tuivirt("-c", SYSTEM, "attach-hostdev", NAME, device, *options, **env)


def detach(device: str, *options: str) -> Ran:
    return tuivirt("-c", SYSTEM, "detach-hostdev", NAME, device, *options)


def gpu_and_sound() -> tuple[str, str]:
    return sysfs.behind(hardware.GPU, 0), sysfs.behind(hardware.GPU, 1)


def run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)


@contextlib.contextmanager
def nothing_changes() -> Iterator[None]:
    """The drivers and the guest's configurations afterwards are those of before."""
    guest = start()
    try:
        before = sysfs.drivers(), guest.domain.XMLDesc(0), guest.domain.XMLDesc(CONFIG)
        yield
        after = sysfs.drivers(), guest.domain.XMLDesc(0), guest.domain.XMLDesc(CONFIG)
        assert after == before
    finally:
        guest.conn.close()


def refused(ran: Ran, *words: str) -> None:
    assert ran.status == 1, (ran.out, ran.err)
    for word in words:
        assert word in ran.err, ran.err


@case(limit_s=300, on=("intel", "amd"))
def a_gpu_goes_with_its_sound_by_one_command_and_comes_back_by_another() -> None:
    gpu, sound = gpu_and_sound()
    with inner_guest() as inner:
        given = attach(gpu)
        assert given.status == 0, given.err
        assert (sysfs.driver(gpu), sysfs.driver(sound)) == ("vfio-pci", "vfio-pci")
        inner.wait_for_pci(GPU_ID)
        inner.wait_for_pci(SOUND_ID)
        for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE):
            assert inner.guest.domain.XMLDesc(flags).count("<hostdev ") == 2
        # What a guest has, no other gets.
        refused(attach(gpu), "already")
        taken = detach(gpu, "--timeout", "40")
        assert taken.status == 0, taken.err
        inner.wait_for_pci(GPU_ID, there=False)
        for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE):
            assert "<hostdev " not in inner.guest.domain.XMLDesc(flags)
    sysfs.wait_for_driver(gpu, "bochs-drm")
    sysfs.wait_for_driver(sound, "snd_hda_intel")
    assert "bochs-drm again" in taken.out


@case(limit_s=90, early=True)
def a_dry_run_says_each_step_and_changes_nothing() -> None:
    gpu, sound = gpu_and_sound()
    with nothing_changes():
        ran = attach(gpu, "--dry-run")
        assert ran.status == 0, ran.err
        for words in (f"1. take {gpu}", "bochs-drm", f"2. take {sound}", "3. add", "4. add"):
            assert words in ran.out
        assert f"The host loses {sound}" in ran.out


@case(limit_s=90, early=True)
def a_drive_with_a_mounted_file_system_is_refused_and_with_swap_too() -> None:
    drive = sysfs.behind(hardware.NVME)
    disk = next(
        each.name for each in Path("/sys/class/block").glob("nvme*n1") if "c" not in each.name[4:]
    )
    place = Path("/run/lab mount")
    place.mkdir(exist_ok=True)
    with nothing_changes():
        run("mkfs.ext4", "-q", "-F", f"/dev/{disk}")
        run("mount", f"/dev/{disk}", str(place))
        try:
            refused(attach(drive, "--force"), disk, f"mounted at {place}")
        finally:
            run("umount", str(place))
        run("mkswap", "-f", f"/dev/{disk}")
        run("swapon", f"/dev/{disk}")
        try:
            refused(attach(drive, "--force"), disk, "swap")
        finally:
            run("swapoff", f"/dev/{disk}")


@case(limit_s=120, early=True)
def the_hosts_network_card_is_not_given_away_by_mistake() -> None:
    uplink, spare = sysfs.behind(hardware.UPLINK), sysfs.behind(hardware.SPARE_CARD)
    address = hardware.ADDRESS.partition("/")[0]
    with nothing_changes():
        refused(attach(uplink, "--force"), address, "default route")
        ours = f"10.0.2.2 50022 {address} 22"
        refused(attach(uplink, "--force", SSH_CONNECTION=ours), "this SSH session")
        card = sysfs.network_card(hardware.SPARE_MAC)
        run("ip", "link", "add", "lab-bridge", "type", "bridge")
        try:
            run("ip", "link", "set", card, "master", "lab-bridge")
            refused(attach(spare, "--force"), card, "lab-bridge")
        finally:
            run("ip", "link", "delete", "lab-bridge")


@case(limit_s=60, early=True)
def a_bridge_is_refused_and_so_is_what_does_not_exist() -> None:
    with nothing_changes():
        refused(attach(f"0000:00:{hardware.GPU:02x}.0", "--force"), "is a bridge")
        refused(attach("0000:ff:00.0"), "no host device")


@case(limit_s=60, early=True)
def the_boot_display_is_a_risk_that_must_be_taken_by_name() -> None:
    with nothing_changes():
        refused(attach(hardware.BOOT_DISPLAY), "boot display", "--force")


@case(limit_s=120)
def a_device_of_another_domain_is_refused_while_that_one_runs_and_a_risk_otherwise() -> None:
    card = sysfs.behind(hardware.SPARE_CARD)
    conn = libvirt.open(SYSTEM)
    other = conn.defineXML(
        "<domain type='qemu'><name>lab-other</name><memory unit='MiB'>64</memory>"
        "<os><type machine='q35'>hvm</type></os>"
        f"<devices>{hostdev(card)}</devices></domain>"
    )
    try:
        with nothing_changes():
            refused(attach(card), "lab-other is defined with", "--force")
    finally:
        other.undefine()
    with inner_guest() as inner:
        given = attach(card, "--live")
        assert given.status == 0, given.err
        inner.wait_for_pci(CARD_ID)
        idle = conn.defineXML(
            "<domain type='qemu'><name>lab-other</name><memory unit='MiB'>64</memory>"
            "<os><type machine='q35'>hvm</type></os></domain>"
        )
        try:
            ran = tuivirt("-c", SYSTEM, "attach-hostdev", "lab-other", card, "--force")
            refused(ran, f"{NAME} runs with", f"detach-hostdev {NAME}")
        finally:
            idle.undefine()
            conn.close()
        taken = detach(card, "--timeout", "40")
        assert taken.status == 0, taken.err
    sysfs.wait_for_driver(card, "e1000e")


@case(limit_s=120)
def a_step_that_fails_in_the_middle_leaves_the_host_and_the_guest_as_they_were() -> None:
    gpu, sound = gpu_and_sound()
    with inner_guest() as inner, nothing_changes():
        host = started(SYSTEM, Heard())
        domain = inner.guest.domain

        def gets_in_the_way(text: str, _far: float | None) -> None:
            """Somebody else adds the sound to the configuration, just before it is its turn."""
            if text.startswith(f"add {sound}"):
                domain.attachDeviceFlags(hostdev(sound), CONFIG)

        try:
            with pytest.raises(TuivirtError, match="already in the domain") as caught:
                hand_over(host, inner.guest.uuid, Wish(gpu), progress=gets_in_the_way)
            assert "Undone" in caught.value.why
            assert not caught.value.done, caught.value.done
        finally:
            domain.detachDeviceFlags(hostdev(sound), CONFIG)
            host.close()
        inner.wait_for_pci(GPU_ID, there=False)
    sysfs.wait_for_driver(gpu, "bochs-drm")
    sysfs.wait_for_driver(sound, "snd_hda_intel")


@case(limit_s=120)
def one_of_two_equal_usb_devices_is_given_by_its_place_and_never_guessed() -> None:
    first, second = (sysfs.usb_device(port) for port in hardware.TWINS)
    place = ":".join(f"{int((second / name).read_text()):03}" for name in ("busnum", "devnum"))
    vendor, _product = hardware.TWIN_ID.split(":")
    counted = f"grep -lx {vendor} /sys/bus/usb/devices/*/idVendor | wc -l"
    with inner_guest() as inner:
        refused(attach(hardware.TWIN_ID), "2 host devices", place)
        given = attach(place, "--live")
        assert given.status == 0, given.err
        inner.shell.run(f'until [ "$({counted})" = 1 ]; do sleep 0.2; done')
        assert (sysfs.usb_driver(first), sysfs.usb_driver(second)) == ("ftdi_sio", "usbfs")
        taken = detach(place, "--timeout", "40")
        assert taken.status == 0, taken.err
        inner.shell.run(f'until [ "$({counted})" = 0 ]; do sleep 0.2; done')


@case(limit_s=60, early=True)
def the_list_says_who_has_what() -> None:
    card = sysfs.behind(hardware.SPARE_CARD)
    guest = start()
    guest.domain.attachDeviceFlags(hostdev(card), CONFIG)
    try:
        ran = tuivirt("-c", SYSTEM, "list", "devices", "-o", "json")
        (found,) = (each for each in json.loads(ran.out) if each["name"] == node_name(card))
        assert found["users"] == [NAME]
    finally:
        guest.domain.detachDeviceFlags(hostdev(card), CONFIG)
        guest.conn.close()
