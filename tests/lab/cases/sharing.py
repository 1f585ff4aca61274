"""Devices that hang together: one group behind an old bridge, the functions of one drive."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import libvirt
import pytest

from tests.contract.conftest import Heard, started
from tests.lab import sysfs
from tests.lab.case import case
from tests.lab.cases.guest import hostdev, node_name
from tests.lab.cases.handing_over import attach, nothing_changes, refused, run
from tests.lab.forked import tuivirt
from tests.lab.inner import NAME, inner_guest, start
from tests.support.lab import hardware
from tests.support.libvirtd import SYSTEM, until
from tuivirt.backend.errors import BadInput
from tuivirt.backend.host import Host
from tuivirt.backend.model.passthrough import Weight
from tuivirt.backend.model.when import When
from tuivirt.backend.passthrough.functions import set_functions
from tuivirt.backend.passthrough.hand_over import Wish, hand_over, plan_for
from tuivirt.backend.passthrough.take_back import take_back

LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
FUNCTION_ID = "1b36:0010"


@contextlib.contextmanager
def a_host() -> Iterator[Host]:
    host = started(SYSTEM, Heard())
    try:
        yield host
    finally:
        host.close()


@case(limit_s=120)
def behind_an_old_bridge_all_share_a_group_and_one_that_the_host_uses_keeps_the_others() -> None:
    first, second = map(sysfs.card_behind, hardware.OLD_CARDS)
    assert sysfs.group(first) == sysfs.group(second)
    assert {first, second} < set(sysfs.group_members(first))  # The bridge is in it as well.
    name = sysfs.network_card(hardware.OLD_CARDS[1])
    with inner_guest() as inner, nothing_changes():
        # The hypervisor's own word for it, which says nothing of who is in the way.
        with pytest.raises(libvirt.libvirtError, match="not viable"):
            inner.guest.domain.attachDeviceFlags(hostdev(first), LIVE)
        sysfs.wait_for_driver(first, "e1000")
        run("ip", "link", "add", "lab-old", "type", "bridge")
        try:
            run("ip", "link", "set", name, "master", "lab-old")
            group = f"{second} .*shares IOMMU group {sysfs.group(first)} with {first}"
            ran = attach(first, "--force")
            refused(ran, name, "carries lab-old")
            assert re.search(group, " ".join(ran.err.split())), ran.err
        finally:
            run("ip", "link", "delete", "lab-old")


@case(limit_s=120)
def one_behind_an_old_bridge_goes_when_nothing_uses_the_other_which_waits_with_nobody() -> None:
    first, second = map(sysfs.card_behind, hardware.OLD_CARDS)
    with inner_guest() as inner, a_host() as host:
        plan = plan_for(host, inner.guest.uuid, Wish(first, When.NOW))
        assert [each.address for each in plan.given] == [first]
        assert [each.address for each in plan.held] == [second]
        hand_over(host, inner.guest.uuid, Wish(first, When.NOW), force=True)
        assert (sysfs.driver(first), sysfs.driver(second)) == ("vfio-pci", "vfio-pci")
        inner.wait_for_pci(hardware.OLD_CARD_ID)
        outcome = take_back(host, inner.guest.uuid, first, timeout_s=40)
        assert not outcome.asked, outcome.text
    sysfs.wait_for_driver(first, "e1000")
    sysfs.wait_for_driver(second, "e1000")


@case(limit_s=150)
def virtual_functions_are_made_one_goes_to_a_guest_and_holds_its_drive_until_it_is_back() -> None:
    drive, most = sysfs.behind(hardware.NVME), hardware.VIRTUAL_FUNCTIONS
    # No driver for the new functions: the drive's own would wait for queues that they lack.
    (sysfs.PCI / drive / "sriov_drivers_autoprobe").write_text("0")
    with inner_guest() as inner, a_host() as host:
        assert host.snapshot.devices[node_name(drive)].virtual_most == most
        made = tuivirt("-c", SYSTEM, "set-functions", drive, str(most))
        assert made.status == 0, made.err
        try:
            until(lambda: len(functions(host, drive)) == most, "libvirt tells of them", 30)
            function = functions(host, drive)[0]
            until(lambda: node_name(function) in host.snapshot.devices, "it is listed", 30)
            assert host.snapshot.devices[node_name(function)].physical_function == drive
            hand_over(host, inner.guest.uuid, Wish(function, When.NOW))
            assert sysfs.driver(function) == "vfio-pci"
            inner.wait_for_pci(FUNCTION_ID)

            with pytest.raises(BadInput, match=f"{NAME} runs with {function}"):
                set_functions(host, node_name(drive), 0, force=True)
            plan = plan_for(host, inner.guest.uuid, Wish(drive, When.NOW))
            said = [each.text for each in plan.of(Weight.REFUSED)]
            assert any(f"{NAME} runs with {function}" in text for text in said), said

            outcome = take_back(host, inner.guest.uuid, function, timeout_s=40)
            assert not outcome.asked, outcome.text
            inner.wait_for_pci(FUNCTION_ID, there=False)
        finally:
            gone = set_functions(host, node_name(drive), 0, force=True)
        assert "no virtual functions" in gone
        until(lambda: functions(host, drive) == (), "libvirt tells of none any more", 30)
    assert (sysfs.PCI / drive / "sriov_numvfs").read_text() == "0\n"


def functions(host: Host, drive: str) -> tuple[str, ...]:
    return host.snapshot.devices[node_name(drive)].virtual_functions


@case(limit_s=90, early=True)
def a_card_as_an_interface_is_refused_live_and_kept_with_its_vlan_for_the_next_boot() -> None:
    """What there is of it here: no network card that QEMU 7.2 emulates has virtual functions."""
    spare, mac = sysfs.behind(hardware.SPARE_CARD), "52:54:00:1a:b0:0f"
    wanted = ("--type", "hostdev", "--pci", spare, "--mac", mac, "--vlan", "7")
    with nothing_changes():
        ran = tuivirt("-c", SYSTEM, "attach-interface", NAME, *wanted, "--live")
        refused(ran, "Virtual Functions")
        # libvirt asks for a virtual function when the domain starts, and takes the rest as it is.
        ran = tuivirt("-c", SYSTEM, "attach-interface", NAME, *wanted, "--config")
        assert ran.status == 0, ran.err
        guest = start()
        saved = guest.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        guest.conn.close()
        card = ElementTree.fromstring(saved).find(f"devices/interface/mac[@address='{mac}']/..")
        assert card is not None
        assert card.get("type") == "hostdev"
        assert [tag.get("id") for tag in card.iterfind("vlan/tag")] == ["7"]
        ran = tuivirt("-c", SYSTEM, "detach-interface", NAME, mac, "--config")
        assert ran.status == 0, ran.err
