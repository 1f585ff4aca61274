"""Power: what a demo guest does when it is started, asked or forced."""

from __future__ import annotations

import threading
from typing import Any

import libvirt
import pytest

from tests.unit.demo.conftest import Ear
from tuivirt.demo.connection import DemoConnection

LIFECYCLE = libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE


def stopped(heard: tuple[Any, ...]) -> bool:
    return bool(heard[1] == libvirt.VIR_DOMAIN_EVENT_STOPPED)


def test_a_guest_started_paused_is_paused(demo: DemoConnection) -> None:
    domain = demo.lookupByName("template-deb12")
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    assert domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED


def test_shutting_down_takes_a_moment_and_is_told(demo: DemoConnection) -> None:
    domain = demo.lookupByName("web-01")
    ear = Ear(demo, LIFECYCLE, domain)
    domain.shutdown()
    assert domain.isActive()
    assert ear.wait(stopped)[2] == libvirt.VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN
    assert libvirt.VIR_DOMAIN_EVENT_SHUTDOWN in [heard[1] for heard in ear.heard]
    assert not domain.isActive()


def test_one_guest_ignores_that_it_is_to_shut_down(demo: DemoConnection) -> None:
    deaf, other = demo.lookupByName("legacy-nt"), demo.lookupByName("vpn-gw")
    ear = Ear(demo, LIFECYCLE)
    deaf.shutdown()
    other.shutdown()
    assert ear.wait(stopped)[0] == other
    assert deaf.isActive()


def test_a_guest_forced_off_while_it_shuts_down_and_started_stays_up(demo: DemoConnection) -> None:
    domain, other = demo.lookupByName("web-01"), demo.lookupByName("vpn-gw")
    domain.shutdown()
    domain.destroy()
    domain.create()
    ear = Ear(demo, LIFECYCLE, other)
    other.shutdown()
    ear.wait(stopped)
    assert domain.isActive()


def test_a_guest_saved_goes_on_where_it_was_unless_booted_afresh(demo: DemoConnection) -> None:
    domain = demo.lookupByName("web-01")
    used = domain.info()[4]
    domain.managedSave()
    assert domain.hasManagedSaveImage()
    domain.create()
    assert domain.info()[4] >= used
    domain.managedSave()
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_FORCE_BOOT)
    assert domain.info()[4] < used
    assert not domain.hasManagedSaveImage()


@pytest.mark.parametrize("verb", ["reboot", "reset"])
def test_a_reboot_is_told_and_the_guest_stays_up(demo: DemoConnection, verb: str) -> None:
    domain = demo.lookupByName("web-01")
    ear = Ear(demo, libvirt.VIR_DOMAIN_EVENT_ID_REBOOT)
    getattr(domain, verb)()
    assert ear.wait()[0] == domain
    assert domain.isActive()


@pytest.mark.parametrize(
    ("name", "verb"),
    [
        ("web-01", "create"),
        ("web-01", "resume"),
        ("kernel-test", "create"),
        ("win11", "shutdown"),
        ("template-deb12", "shutdown"),
        ("template-deb12", "destroy"),
        ("template-deb12", "suspend"),
        ("template-deb12", "reboot"),
        ("template-deb12", "managedSave"),
    ],
)
def test_what_makes_no_sense_in_its_state_is_not_valid(
    demo: DemoConnection, name: str, verb: str
) -> None:
    with pytest.raises(libvirt.libvirtError) as refused:
        getattr(demo.lookupByName(name), verb)()
    assert refused.value.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID


def test_a_guest_defined_without_ports_gets_those_it_needs(demo: DemoConnection) -> None:
    domain = demo.defineXML(
        "<domain type='test'><name>mine</name><memory>65536</memory>"
        "<os><type machine='q35'>hvm</type></os><devices>"
        "<interface type='network'><source network='default'/></interface></devices></domain>"
    )
    domain.create()
    assert "pcie-root-port" in domain.XMLDesc(0)
    [(_, figures)] = demo.domainListGetStats([domain])
    assert figures["net.count"] == 1


def test_a_console_ends_when_a_snapshot_takes_the_guest_back_to_off(demo: DemoConnection) -> None:
    domain = demo.lookupByName("template-deb12")
    off = domain.snapshotCreateXML("<domainsnapshot><name>off</name></domainsnapshot>")
    domain.create()
    stream = demo.newStream(0)
    domain.openConsole(None, stream, 0)
    domain.revertToSnapshot(off)
    while stream.recv(4096):
        pass
    assert not domain.isActive()


def test_events_hold_the_demos_own_domains(demo: DemoConnection) -> None:
    ear = Ear(demo, LIFECYCLE)
    domain = demo.lookupByName("template-deb12")
    domain.create()
    assert ear.wait()[0].connect() is demo


def test_networks_and_pools_tell_what_happened_to_them(demo: DemoConnection) -> None:
    happened = threading.Event()
    demo.networkEventRegisterAny(
        None,
        libvirt.VIR_NETWORK_EVENT_ID_LIFECYCLE,
        lambda _conn, network, *_rest: happened.set() if network.name() == "lab-old" else None,
        None,
    )
    demo.networkLookupByName("lab-old").create()
    assert happened.wait(20)
    refreshed = threading.Event()
    demo.storagePoolEventRegisterAny(
        None,
        libvirt.VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE,
        lambda _conn, pool, *_rest: refreshed.set() if pool.name() == "usb-stick" else None,
        None,
    )
    demo.storagePoolLookupByName("usb-stick").create(0)
    assert refreshed.wait(20)
