"""A guest in the lab host, and devices given to it by libvirt itself: the ground to stand on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import libvirt
import pytest

from tests.lab import sysfs
from tests.lab.case import case
from tests.lab.inner import Inner, inner_guest
from tests.support.lab import hardware
from tests.support.libvirtd import until
from tuivirt.backend import eventloop

GPU_ID, SOUND_ID, CARD_ID = "1234:1111", "8086:2668", "8086:10d3"


def hostdev(address: str) -> str:
    """A managed PCI device in a domain's XML."""
    domain, bus, rest = address.split(":")
    slot, function = rest.split(".")
    where = f"domain='0x{domain}' bus='0x{bus}' slot='0x{slot}' function='0x{function}'"
    return (
        "<hostdev mode='subsystem' type='pci' managed='yes'>"
        f"<source><address {where}/></source></hostdev>"
    )


def node_name(address: str) -> str:
    """What libvirt calls the PCI device."""
    return "pci_" + address.replace(":", "_").replace(".", "_")


@contextlib.contextmanager
def removals(inner: Inner) -> Iterator[threading.Semaphore]:
    """Counts the devices that the guest lets go while the block lasts."""
    eventloop.start()
    conn = libvirt.open(inner.guest.uri)
    gone = threading.Semaphore(0)

    def removed(_conn: Any, _domain: Any, _alias: str, _opaque: Any) -> None:
        gone.release()

    watched = conn.lookupByUUIDString(inner.guest.uuid)
    event = libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED
    watch = conn.domainEventRegisterAny(watched, event, removed, None)
    try:
        yield gone
    finally:
        conn.domainEventDeregisterAny(watch)
        conn.close()


@case()
def a_guest_boots_to_a_shell_on_its_serial_console() -> None:
    with inner_guest() as inner:
        assert inner.shell.run("echo $((6 * 7))") == "42\n"
        assert GPU_ID not in inner.pci()


@case()
def a_gpu_and_its_sound_go_to_a_running_guest_and_come_back() -> None:
    gpu, sound = (sysfs.behind(hardware.GPU, function) for function in (0, 1))
    with inner_guest() as inner, removals(inner) as gone:
        domain = inner.guest.domain
        nodes = [inner.guest.conn.nodeDeviceLookupByName(node_name(a)) for a in (gpu, sound)]
        try:
            # While one of a group is the host's, no other can be given away: all of it first.
            for node in nodes:
                node.detachFlags(None)
            for address in (gpu, sound):
                domain.attachDeviceFlags(hostdev(address), libvirt.VIR_DOMAIN_AFFECT_LIVE)
            assert (sysfs.driver(gpu), sysfs.driver(sound)) == ("vfio-pci", "vfio-pci")
            inner.wait_for_pci(GPU_ID)
            inner.wait_for_pci(SOUND_ID)
            for address in (gpu, sound):
                domain.detachDeviceFlags(hostdev(address), libvirt.VIR_DOMAIN_AFFECT_LIVE)
                assert gone.acquire(timeout=30)
            assert "<hostdev" not in domain.XMLDesc()
            inner.wait_for_pci(GPU_ID, there=False)
        finally:
            # libvirt leaves what was detached by hand where it is, managed or not.
            for node in nodes:
                node.reAttach()
    sysfs.wait_for_driver(gpu, "bochs-drm")
    sysfs.wait_for_driver(sound, "snd_hda_intel")


@case()
def a_card_with_a_group_of_its_own_is_taken_from_its_driver_and_given_back_by_libvirt() -> None:
    card = sysfs.behind(hardware.SPARE_CARD)
    with inner_guest() as inner, removals(inner) as gone:
        inner.guest.domain.attachDeviceFlags(hostdev(card), libvirt.VIR_DOMAIN_AFFECT_LIVE)
        try:
            assert sysfs.driver(card) == "vfio-pci"
            inner.wait_for_pci(CARD_ID)
        finally:
            inner.guest.domain.detachDeviceFlags(hostdev(card), libvirt.VIR_DOMAIN_AFFECT_LIVE)
            assert gone.acquire(timeout=30)
    sysfs.wait_for_driver(card, "e1000e")


@case()
def half_of_a_group_is_refused_by_the_hypervisor_and_the_host_keeps_it() -> None:
    sound = sysfs.behind(hardware.GPU, 1)
    with inner_guest() as inner, pytest.raises(libvirt.libvirtError, match="not viable"):
        inner.guest.domain.attachDeviceFlags(hostdev(sound), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    sysfs.wait_for_driver(sound, "snd_hda_intel")


@case()
def one_of_two_equal_usb_devices_goes_to_a_guest_by_its_place_and_comes_back() -> None:
    first, second = (sysfs.usb_device(port) for port in hardware.TWINS)
    vendor, product = hardware.TWIN_ID.split(":")
    bus, device = ((second / name).read_text().strip() for name in ("busnum", "devnum"))
    xml = (
        "<hostdev mode='subsystem' type='usb'><source>"
        f"<vendor id='0x{vendor}'/><product id='0x{product}'/>"
        f"<address bus='{bus}' device='{device}'/></source></hostdev>"
    )
    counted = f"grep -lx {vendor} /sys/bus/usb/devices/*/idVendor 2>/dev/null | wc -l"
    with inner_guest() as inner, removals(inner) as gone:
        inner.guest.domain.attachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        try:
            inner.shell.run(f'until [ "$({counted})" = 1 ]; do sleep 0.2; done')
            assert sysfs.usb_driver(first) == "ftdi_sio"
            assert sysfs.usb_driver(second) == "usbfs"
        finally:
            inner.guest.domain.detachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)
            assert gone.acquire(timeout=30)
    until(lambda: sysfs.usb_driver(second) == "ftdi_sio", "the second is the host's again")
    assert sysfs.usb_driver(first) == "ftdi_sio"
