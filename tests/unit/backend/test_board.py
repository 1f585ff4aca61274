"""What is known of a host is replaced as a whole, and each difference is told once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tuivirt.backend.board import Board
from tuivirt.backend.events import Event, ListChanged, SnapshotChanged
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.ref import Kind
from tuivirt.backend.model.resources import Lease, Network, NodeDevice

WEB = Domain("srv", "uuid-web", "web", 7, DomainState.RUNNING)
DB = Domain("srv", "uuid-db", "db", None, DomainState.SHUTOFF)


def told(board_events: list[Event]) -> list[ListChanged]:
    return [event for event in board_events if isinstance(event, ListChanged)]


def board() -> tuple[Board, list[Event]]:
    events: list[Event] = []
    return Board("srv", "test:///", events.append), events


def test_a_reading_tells_what_is_gone_new_and_changed() -> None:
    it, events = board()
    it.listed({WEB.uuid: WEB}, {})
    it.listed({DB.uuid: DB}, {})
    it.listed({DB.uuid: replace(DB, autostart=True)}, {})
    first, second, third = told(events)
    assert first.kind is Kind.DOMAIN
    nothing: set[str] = set()
    assert [set(e.gone) for e in (first, second, third)] == [nothing, {WEB.uuid}, nothing]
    assert [set(e.new) for e in (first, second, third)] == [{WEB.uuid}, {DB.uuid}, nothing]
    assert [set(e.changed) for e in (first, second, third)] == [nothing, nothing, {DB.uuid}]


def test_a_reading_that_found_the_same_tells_nothing_and_keeps_the_object() -> None:
    it, events = board()
    it.listed({WEB.uuid: WEB}, {})
    before, count = it.snapshot, len(events)
    it.listed({WEB.uuid: replace(WEB)}, {})
    assert it.snapshot is before
    assert len(events) == count


def test_what_others_found_out_meanwhile_survives_a_reading() -> None:
    it, _events = board()
    it.listed({WEB.uuid: WEB}, {})
    it.change_domains(
        {WEB.uuid: lambda d: replace(d, pending=("memory",), detaching=("vdb",), stalled_since=1.0)}
    )
    it.listed({WEB.uuid: replace(WEB, name="renamed")}, {})
    web = it.snapshot.domains[WEB.uuid]
    assert (web.name, web.pending, web.detaching) == ("renamed", ("memory",), ("vdb",))
    assert web.stalled_since == 1.0


def test_a_new_run_of_a_guest_is_not_stalled_because_the_old_one_was() -> None:
    it, _events = board()
    it.listed({WEB.uuid: WEB}, {})
    it.change_domains({WEB.uuid: lambda d: replace(d, stalled_since=1.0)})
    it.listed({WEB.uuid: replace(WEB, id=8)}, {})
    assert it.snapshot.domains[WEB.uuid].stalled_since is None


def test_a_domain_that_is_off_has_neither_addresses_nor_anything_that_waits() -> None:
    it, _events = board()
    it.listed({WEB.uuid: WEB}, {})
    it.change_domains(
        {WEB.uuid: lambda d: replace(d, addresses=("192.168.122.9",), pending=("memory",))}
    )
    it.listed({WEB.uuid: replace(WEB, id=None, state=DomainState.SHUTOFF)}, {})
    web = it.snapshot.domains[WEB.uuid]
    assert web.addresses == ()
    assert web.pending == ()


def test_the_newest_snapshot_is_told_last() -> None:
    it, events = board()
    it.update(reason="one")
    it.update(reason="two")
    snapshots = [e.snapshot for e in events if isinstance(e, SnapshotChanged)]
    assert [s.reason for s in snapshots] == ["one", "two"]
    assert it.snapshot is snapshots[-1]


def test_who_uses_a_network_or_a_device_survives_a_reading_of_it() -> None:
    it, _events = board()
    network = Network("srv", "uuid-net", "lan", active=True, autostart=False, persistent=True)
    device = NodeDevice("srv", "pci_0000_01_00_0", capability="pci")
    it.relist("networks", {network.uuid: network})
    it.relist("devices", {device.name: device})
    it.set_users({"lan": ("web",)}, {device.name: ("db",)})
    it.relist("networks", {network.uuid: replace(network, autostart=True)})
    it.relist("devices", {device.name: replace(device, driver="vfio-pci")})
    assert it.snapshot.networks[network.uuid].users == ("web",)
    assert it.snapshot.devices[device.name].users == ("db",)


def test_a_device_tells_which_network_hands_it_out_whichever_was_read_first() -> None:
    pool = Network(
        "srv", "u", "sriov", active=True, autostart=False, persistent=True,
        mode="hostdev", hands_out=("0000:03:10.0",),
    )  # fmt: skip
    device = NodeDevice("srv", "vf", capability="pci", address="0000:03:10.0")
    found: dict[str, Mapping[str, Any]] = {"networks": {"u": pool}, "devices": {"vf": device}}
    for sections in (("networks", "devices"), ("devices", "networks")):
        it, _events = board()
        for section in sections:
            it.relist(section, found[section])
        it.relist("devices", {"vf": replace(device, driver="vfio-pci")})
        assert it.snapshot.devices["vf"].used_by == ("network sriov",)
        it.relist("networks", {})
        assert not it.snapshot.devices["vf"].networks


def test_the_leases_of_a_network_go_with_it_when_it_stops() -> None:
    it, _events = board()
    network = Network("srv", "uuid-net", "lan", active=True, autostart=False, persistent=True)
    lease = Lease("lan", "52:54:00:00:00:01", "10.0.0.2", 24, "", 0.0)
    it.relist("networks", {network.uuid: replace(network, leases=(lease,))})
    it.relist("networks", {network.uuid: replace(network, autostart=True)})
    assert it.snapshot.networks[network.uuid].leases == (lease,)
    it.relist("networks", {network.uuid: replace(network, active=False)})
    assert it.snapshot.networks[network.uuid].leases == ()


def test_who_silences_it_waits_for_what_is_just_being_told() -> None:
    order: list[str] = []

    def slow(_event: Event) -> None:
        silencing.start()
        silenced.wait(0.05)
        order.append("told")

    def silence() -> None:
        it.silence()
        order.append("silent")
        silenced.set()

    silenced = threading.Event()
    silencing = threading.Thread(target=silence)
    it = Board("srv", "test:///", slow)
    it.update(reason="late")
    silencing.join()
    assert order == ["told", "silent"]
