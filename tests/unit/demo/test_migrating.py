"""A demo guest moved to another demo host, as libvirt would move it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import libvirt
import pytest

from tuivirt.demo.connection import DemoConnection, open_demo

LIVE = (
    libvirt.VIR_MIGRATE_LIVE
    | libvirt.VIR_MIGRATE_PERSIST_DEST
    | libvirt.VIR_MIGRATE_UNDEFINE_SOURCE
)
SMALL, LASTING = "scratch-7f", "vpn-gw"
"""A guest with 256 MiB."""
GONE = libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED


@pytest.fixture
def other() -> Iterator[DemoConnection]:
    connection = open_demo("demo:///other?life=0&domains=0", False)
    yield connection
    connection.close()


def test_a_running_guest_is_there_and_not_here_and_says_for_how_long_it_stood_still(
    demo: DemoConnection, other: DemoConnection
) -> None:
    domain = demo.lookupByName(SMALL)
    told: list[tuple[int, int]] = []
    gone = threading.Event()

    def heard(_conn: object, _domain: object, event: int, detail: int, _opaque: object) -> None:
        told.append((event, detail))
        if event == libvirt.VIR_DOMAIN_EVENT_STOPPED:
            gone.set()

    demo.domainEventRegisterAny(domain, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, heard, None)
    moved = domain.migrate3(other, {}, LIVE)
    assert gone.wait(10)
    assert (libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_MIGRATED) in told
    assert moved.isActive()
    assert moved.isPersistent()
    assert moved.jobStats(GONE)["downtime"] == 42
    assert other.lookupByName(SMALL).UUIDString() == moved.UUIDString()
    with pytest.raises(libvirt.libvirtError, match="not found"):
        demo.lookupByName(SMALL)


def test_one_that_is_off_is_defined_there(demo: DemoConnection, other: DemoConnection) -> None:
    domain = demo.lookupByName("template-deb12")
    flags = libvirt.VIR_MIGRATE_OFFLINE | libvirt.VIR_MIGRATE_PERSIST_DEST
    moved = domain.migrate3(other, {libvirt.VIR_MIGRATE_PARAM_DEST_NAME: "copy"}, flags)
    assert moved.name() == "copy"
    assert not moved.isActive()
    assert demo.lookupByName("template-deb12")


def test_a_move_under_way_is_told_of_and_aborted(
    demo: DemoConnection, other: DemoConnection
) -> None:
    domain = demo.lookupByName(SMALL)
    failures: list[libvirt.libvirtError] = []

    def move() -> None:
        try:
            domain.migrate3(other, {libvirt.VIR_MIGRATE_PARAM_BANDWIDTH: 1}, LIVE)
        except libvirt.libvirtError as error:
            failures.append(error)

    with pytest.raises(libvirt.libvirtError, match="no job is active"):
        domain.abortJob()
    thread = threading.Thread(target=move)
    thread.start()
    while not domain.jobStats()["type"]:  # It has no event of its own that it has begun.
        assert thread.is_alive()
    assert domain.jobStats()["memory_bps"] == 1 << 20
    domain.migrateSetMaxSpeed(2)
    assert domain.jobStats()["memory_bps"] == 2 << 20
    domain.abortJob()
    thread.join(10)
    assert failures[0].get_error_code() == libvirt.VIR_ERR_OPERATION_ABORTED
    assert domain.isActive()
    assert not domain.jobStats()["type"]
    assert other.listAllDomains() == []


def test_one_that_is_forced_off_meanwhile_arrives_nowhere_and_its_next_end_is_no_move(
    demo: DemoConnection, other: DemoConnection
) -> None:
    domain = demo.lookupByName(LASTING)
    failures: list[libvirt.libvirtError] = []
    told: list[tuple[int, int]] = []
    ended = threading.Semaphore(0)

    def heard(_conn: object, _domain: object, event: int, detail: int, _opaque: object) -> None:
        told.append((event, detail))
        if event == libvirt.VIR_DOMAIN_EVENT_STOPPED:
            ended.release()

    def move() -> None:
        try:
            domain.migrate3(other, {libvirt.VIR_MIGRATE_PARAM_BANDWIDTH: 200}, LIVE)
        except libvirt.libvirtError as error:
            failures.append(error)

    demo.domainEventRegisterAny(domain, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, heard, None)
    thread = threading.Thread(target=move)
    thread.start()
    while not domain.jobStats()["type"]:  # It has no event of its own that it has begun.
        assert thread.is_alive()
    domain.destroy()
    thread.join(30)
    assert "not running" in str(failures[0])
    assert other.listAllDomains() == []
    domain.create()
    domain.destroy()
    assert ended.acquire(timeout=10)
    assert ended.acquire(timeout=10)
    assert libvirt.VIR_DOMAIN_EVENT_STOPPED_MIGRATED not in [
        detail for event, detail in told if event == libvirt.VIR_DOMAIN_EVENT_STOPPED
    ]


def test_a_name_that_is_taken_there_is_refused(demo: DemoConnection, other: DemoConnection) -> None:
    other.defineXML("<domain type='test'><name>scratch-7f</name><memory>1</memory>"
                    "<os><type>hvm</type></os></domain>")  # fmt: skip
    with pytest.raises(libvirt.libvirtError, match="already exists with uuid"):
        demo.lookupByName(SMALL).migrate3(other, {}, LIVE)
    assert demo.lookupByName(SMALL).isActive()
