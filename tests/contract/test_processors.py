"""vCPUs, memory, pins and I/O threads of a running guest change, and the guest agrees."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import Queue

import libvirt
import pytest

from tests.contract.conftest import Heard, Place, started
from tests.support import guests
from tests.support.guests import Guest
from tuivirt.backend.cpu_topology import set_topology
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.iothreads import add_iothread, remove_iothread
from tuivirt.backend.lookups import domain_detail
from tuivirt.backend.memory_size import set_max_memory, set_memory
from tuivirt.backend.model.processors import Processors, Topology
from tuivirt.backend.model.when import When
from tuivirt.backend.pinning import pin_emulator, pin_iothread, pin_vcpu
from tuivirt.backend.processors import host_topology, processing
from tuivirt.backend.settling import Outcome
from tuivirt.backend.vcpus import set_most_vcpus, set_vcpus

MIB = 1024


@pytest.fixture(scope="module")
def growing(qemu_uri: str) -> Iterator[Place]:
    """A booted QEMU guest with two vCPUs of the four that it can have."""
    with ExitStack() as stack:
        xml = guests.domain_xml(guests.unique_name("cpus"), serials=2)
        xml = xml.replace("<vcpu>1</vcpu>", "<vcpu current='2'>4</vcpu>")
        guest = stack.enter_context(Guest.define(qemu_uri, xml))
        guest.boot("serial1").close()
        heard = Heard()
        host = started(qemu_uri, heard)
        stack.callback(host.close)
        yield Place("qemu", host, guest.uuid, heard)


@pytest.fixture(params=["demo", "growing"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The demo's guest and the real one in turn, running."""
    one: Place = request.getfixturevalue(request.param)
    yield one
    one._closing.close()


@pytest.fixture(params=["test_driver", "demo", "growing"])
def every(request: pytest.FixtureRequest) -> Place:
    """The same, and libvirt's own test driver, which takes one configuration at a time."""
    one: Place = request.getfixturevalue(request.param)
    return one


def now(place: Place) -> Processors:
    config = processing(place.host, place.uuid).live
    assert config is not None
    return config


def saved(place: Place) -> Processors:
    config = processing(place.host, place.uuid).saved
    assert config is not None
    return config


def in_the_guest(place: Place, command: str) -> str:
    """What a command says on the guest's console."""
    talk = place.talk("serial1").open()
    talk.wait_for_shell()
    said = talk.run(command)
    place._closing.close()
    return said


def refused(place: Place, verb: Callable[..., object], *args: object, **options: object) -> str:
    """What a verb refuses with; nothing is changed by it."""
    before = place.xml(), place.xml(saved=True)
    with pytest.raises(BadInput) as error:
        place.run(verb, *args, **options)
    assert (place.xml(), place.xml(saved=True)) == before
    return f"{error.value} | {error.value.advice}"


def tasks_of(place: Place) -> dict[str, str]:
    """Of the hypervisor's process: by name of a thread, the host's CPUs that it may run on."""
    pid = (Path("/run/libvirt/qemu") / f"{place.name}.pid").read_text().strip()
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = (task / "status").read_text()
        match = re.search(r"Cpus_allowed_list:\s*(\S+)", status)
        assert match is not None
        found[(task / "comm").read_text().strip()] = match[1]
    return found


def test_what_is_read_is_what_the_configuration_says_and_the_host_has(every: Place) -> None:
    found = processing(every.host, every.uuid)
    host = host_topology(every.host)
    root = every.host.domain(every.uuid)
    assert found.live is not None
    assert found.saved is not None
    assert found.live.count == root.vcpusFlags(libvirt.VIR_DOMAIN_AFFECT_LIVE)
    most = libvirt.VIR_DOMAIN_AFFECT_CONFIG | libvirt.VIR_DOMAIN_VCPU_MAXIMUM
    assert found.saved.most == root.vcpusFlags(most)
    assert set(found.runs) <= {vcpu.number for vcpu in found.live.vcpus if vcpu.online}
    assert all(run.cpu is None or run.cpu in host.cpus for run in found.runs.values())
    assert sum(cell.memory_kib for cell in host.cells) > 0


def test_a_domain_that_is_off_has_a_saved_configuration_only(demo: Place) -> None:
    off = next(d for d in demo.host.conn.listAllDomains() if not d.isActive())
    found = processing(demo.host, off.UUIDString())
    assert found.live is None
    assert found.current is found.saved
    assert found.runs == {}


# vCPUs


def test_a_vcpu_is_added_now_and_saved_and_the_guest_has_it(growing: Place) -> None:
    text = growing.run(set_vcpus, 3)
    assert text.endswith("has 3 vCPUs (2 before), now and from the next boot on")
    assert (now(growing).count, saved(growing).count) == (3, 3)
    assert now(growing).vcpus[2].hotpluggable
    cpu = "/sys/devices/system/cpu/cpu2/online"
    wait = f"i=0; until [ -e {cpu} ] || [ $i = 100 ]; do i=$((i+1)); sleep 0.1; done; "
    said = in_the_guest(growing, f"{wait}echo 1 > {cpu}; grep -c ^processor /proc/cpuinfo")
    assert re.search(r"^3\r?$", said, re.MULTILINE), said


def test_those_that_it_was_started_with_are_not_taken_from_a_running_guest(growing: Place) -> None:
    growing.run(set_vcpus, 3)
    why = refused(growing, set_vcpus, 1)
    assert "of its 3 only 1 can be taken away while it runs" in why
    assert "do it for the next boot" in why
    assert "at least one" in refused(growing, set_vcpus, 0)


def test_a_vcpu_that_is_not_given_up_is_told_as_pending_with_the_half_that_is_done(
    growing: Place,
) -> None:
    growing.run(set_vcpus, 3)
    domain = growing.host.domain(growing.uuid)
    # A guest that is paused does nothing that it is asked for.
    domain.suspend()
    outcome = growing.host.actions.submit(
        lambda: set_vcpus(growing.host, growing.uuid, 2, timeout_s=0)
    ).result(30)
    assert outcome.asked
    assert "1 of its 3 vCPUs is not gone yet" in outcome.text
    assert outcome.text.endswith("its saved configuration has 2 vCPUs")
    assert "it is the guest that gives a vCPU up" in outcome.advice
    assert (now(growing).count, saved(growing).count) == (3, 2)
    domain.resume()


def test_those_that_are_added_for_the_next_boot_can_be_made_to_be_taken_away(
    growing: Place,
) -> None:
    growing.run(set_vcpus, 2, When.NEXT_BOOT)
    growing.run(set_vcpus, 3, When.NEXT_BOOT, hotpluggable=True)
    assert saved(growing).vcpus[2].online
    assert saved(growing).vcpus[2].hotpluggable


def test_vcpus_come_and_go_now_later_or_both(demo: Place) -> None:
    whole = now(demo).most
    demo.run(set_vcpus, 1)
    assert (now(demo).count, saved(demo).count) == (1, 1)
    demo.run(set_vcpus, whole, When.NOW)
    assert (now(demo).count, saved(demo).count) == (whole, 1)
    assert demo.run(set_vcpus, whole, When.NEXT_BOOT).endswith("from the next boot on")
    assert saved(demo).count == whole


def test_more_vcpus_than_it_can_have_are_refused_before_anything_is_changed(place: Place) -> None:
    why = refused(place, set_vcpus, 99)
    assert f"while it runs it can have {now(place).most}" in why
    assert "--maximum" in why
    assert "its saved configuration lets it have" in refused(place, set_vcpus, 99, When.NEXT_BOOT)
    assert "lets such a machine have up to" in refused(place, set_most_vcpus, 20000)
    why = refused(place, set_topology, sockets=200, cores=100, maximum=True)
    assert "lets such a machine have up to" in why


def test_the_most_vcpus_and_their_topology_agree_or_nothing_is_changed(place: Place) -> None:
    text = place.run(set_most_vcpus, 6)
    assert "can have up to 6 vCPUs, from the next boot on" in text
    assert saved(place).most == 6
    assert now(place).most != 6
    why = refused(place, set_topology, sockets=2, cores=2)
    assert "2 sockets × 2 cores × 1 thread makes 4 vCPUs, and it can have 6" in why
    assert "3 sockets × 2 cores × 1 thread makes 6" in why
    text = place.run(set_topology, sockets=1, cores=3, threads=2)
    assert saved(place).topology == Topology(1, 1, 1, 3, 2)
    assert "1 socket × 3 cores × 2 threads: 6 vCPUs, from the next boot on" in text
    why = refused(place, set_most_vcpus, 4)
    assert "its topology, 1 socket × 3 cores × 2 threads, makes 6" in why
    place.run(set_topology, sockets=3, maximum=True)
    assert (saved(place).most, saved(place).topology) == (3, Topology(sockets=3))
    assert "cannot be changed while it runs" in refused(place, set_most_vcpus, 4, When.NOW)


def test_the_pins_that_go_with_a_smaller_maximum_are_named(place: Place) -> None:
    place.run(set_topology, sockets=4, maximum=True)
    place.run(pin_vcpu, 3, "0", When.NEXT_BOOT)
    text = place.run(set_topology, sockets=3, maximum=True)
    assert text.endswith("; gone with them: the pins of vCPU 3 to CPU 0")


def test_one_configuration_at_a_time_is_changed_anywhere(test_driver: Place) -> None:
    whole = now(test_driver).most
    test_driver.run(set_vcpus, 1, When.NOW)
    assert (now(test_driver).count, saved(test_driver).count) == (1, whole)
    test_driver.run(set_vcpus, whole, When.NOW)
    memory = now(test_driver).memory
    test_driver.run(set_memory, str(memory.now_kib // 2), When.NEXT_BOOT)
    assert saved(test_driver).memory.now_kib == memory.now_kib // 2
    assert now(test_driver).memory == memory
    test_driver.run(pin_emulator, "0-1", When.NOW)
    assert now(test_driver).emulator == frozenset({0, 1})
    test_driver.run(add_iothread, 1, When.NOW)
    assert [thread.number for thread in now(test_driver).iothreads] == [1]


# Memory


def test_the_balloon_takes_memory_from_the_guest_and_gives_it_back(growing: Place) -> None:
    whole = now(growing).memory.max_kib
    before = _total_kib(growing)
    text = growing.run(set_memory, "128MiB", timeout_s=60)
    assert "has 128 MiB (192 MiB before), now and from the next boot on" in text
    assert (now(growing).memory.now_kib, saved(growing).memory.now_kib) == (128 * MIB, 128 * MIB)
    assert before - _total_kib(growing) == whole - 128 * MIB
    growing.run(set_memory, str(whole), timeout_s=60)
    assert _total_kib(growing) == before


def _total_kib(place: Place) -> int:
    match = re.search(r"MemTotal:\s+(\d+) kB", in_the_guest(place, "head -n 1 /proc/meminfo"))
    assert match is not None
    return int(match[1])


def test_memory_is_set_now_later_or_both(demo: Place) -> None:
    whole = now(demo).memory.max_kib
    demo.run(set_memory, f"{whole // 2}", When.NOW)
    assert (now(demo).memory.now_kib, saved(demo).memory.now_kib) == (whole // 2, whole)
    demo.run(set_memory, f"{whole // 4}", When.NEXT_BOOT)
    assert (now(demo).memory.now_kib, saved(demo).memory.now_kib) == (whole // 2, whole // 4)
    demo.run(set_memory, str(whole))


def test_more_memory_than_it_can_have_is_refused_with_what_to_do(place: Place) -> None:
    why = refused(place, set_memory, "1TiB")
    assert "while it runs it can have" in why
    assert "setmaxmem" in why


@pytest.mark.parametrize("size", ["2", "much", "2 parsecs", "-1G", ""])
def test_a_size_that_cannot_be_meant_is_refused(demo: Place, size: str) -> None:
    refused(demo, set_memory, size)
    refused(demo, set_max_memory, size)


def test_the_most_memory_is_for_the_next_boot_and_then_it_can_have_it(place: Place) -> None:
    before = saved(place).memory
    text = place.run(set_max_memory, str(before.max_kib * 2))
    assert "from the next boot on" in text
    assert saved(place).memory.max_kib == before.max_kib * 2
    assert now(place).memory.max_kib == before.max_kib
    assert "which setmem changes" in text
    why = refused(place, set_memory, str(before.max_kib * 2))
    assert "do it for the next boot" in why
    place.run(set_max_memory, str(before.max_kib))
    assert saved(place).memory == before


def test_a_guest_without_a_balloon_driver_is_told_as_pending_until_it_stops(
    idle_guest: Guest,
) -> None:
    host = started(idle_guest.uri, Heard())
    ended: Queue[str | BaseException] = Queue()
    outcome: Outcome = host.actions.submit(
        lambda: set_memory(host, idle_guest.uuid, "24MiB", timeout_s=0)
    ).result(30)
    assert outcome.asked
    assert outcome.text == (
        "the guest's balloon has not come to 24 MiB yet; its saved configuration has 24 MiB"
    )
    outcome.on_settled(ended.put)
    idle_guest.destroy()
    end = ended.get(timeout=20)
    assert isinstance(end, TuivirtError)
    assert "stopped" in str(end)
    host.close()


# Pins


def test_threads_are_pinned_now_and_saved_and_the_kernel_agrees(growing: Place) -> None:
    growing.run(add_iothread, 7)
    assert "may run on CPU 0 alone, now and from" in growing.run(pin_vcpu, 0, "0-1,^1")
    growing.run(pin_emulator, "1")
    growing.run(pin_iothread, 7, "1")
    for config in (now(growing), saved(growing)):
        assert config.vcpus[0].pinned == frozenset({0})
        assert config.emulator == frozenset({1})
        assert config.iothreads[-1].pinned == frozenset({1})
    tasks = tasks_of(growing)
    assert next(cpus for name, cpus in tasks.items() if name.startswith("CPU 0")) == "0"
    assert tasks["IO iothread7"] == "1"
    assert tasks["qemu-system-x86"] == "1"
    text = growing.run(pin_vcpu, 0, "all")
    assert "may run on any CPU of the host (0 before)" in text
    tasks = tasks_of(growing)
    assert next(cpus for name, cpus in tasks.items() if name.startswith("CPU 0")) == "0-1"
    text = growing.run(remove_iothread, 7)
    assert text.endswith("; its pin to CPU 1 went with it")
    assert "IO iothread7" not in tasks_of(growing)


def test_a_pin_is_for_now_for_the_next_boot_or_for_both(place: Place) -> None:
    place.run(pin_vcpu, 0, "0")
    assert now(place).vcpus[0].pinned == saved(place).vcpus[0].pinned == frozenset({0})
    place.run(pin_vcpu, 0, "1", When.NOW)
    assert now(place).vcpus[0].pinned == frozenset({1})
    assert saved(place).vcpus[0].pinned == frozenset({0})
    place.run(pin_vcpu, 0, "0-1", When.NEXT_BOOT)
    assert now(place).vcpus[0].pinned == frozenset({1})
    assert saved(place).vcpus[0].pinned == frozenset({0, 1})
    assert "pin of vCPU 0: 1 → 0-1" in domain_detail(place.host, place.uuid).pending


def test_a_thread_that_only_the_next_boot_has_is_pinned_there(place: Place) -> None:
    place.run(set_topology, sockets=5, maximum=True)
    assert place.run(pin_vcpu, 4, "0").endswith("from the next boot on")
    assert saved(place).vcpus[4].pinned == frozenset({0})
    assert "vCPUs, from 0 on" in refused(place, pin_vcpu, 4, "0", When.BOTH)
    place.run(set_topology, sockets=4, maximum=True)


@pytest.mark.parametrize(
    ("cpus", "why"),
    [("4096", "has no CPU 4096"), ("1-0", "ends before it begins"), ("0,^0", "names no CPU")],
)
def test_a_set_that_the_host_does_not_have_is_refused(place: Place, cpus: str, why: str) -> None:
    assert why in refused(place, pin_vcpu, 0, cpus)
    assert why in refused(place, pin_emulator, cpus)


def test_a_thread_that_is_not_there_is_not_pinned(place: Place) -> None:
    assert "vCPUs, from 0 on" in refused(place, pin_vcpu, 4000, "0")
    assert "it has no I/O thread" in refused(place, pin_iothread, 9, "0")


# I/O threads


def test_an_io_thread_comes_and_goes(place: Place) -> None:
    assert place.run(add_iothread).endswith("has I/O thread 1, now and from the next boot on")
    assert [thread.number for thread in now(place).iothreads] == [1]
    place.run(add_iothread, None, When.NEXT_BOOT)
    assert [thread.number for thread in saved(place).iothreads] == [1, 2]
    assert "it has an I/O thread 1" in refused(place, add_iothread, 1)
    assert "is no number of one" in refused(place, add_iothread, (1 << 32) + 5)
    assert place.run(remove_iothread, 2).endswith("from the next boot on")
    place.run(remove_iothread, 1)
    assert now(place).iothreads == saved(place).iothreads == ()
    assert "it has none" in refused(place, remove_iothread, 1)


def test_an_io_thread_that_serves_a_disk_stays(place: Place, images: Path) -> None:
    place.run(add_iothread, 1, When.NEXT_BOOT)
    disk = guests.Disk(guests.make_image(images / "served", "1M"), "vdy").xml()
    config = libvirt.VIR_DOMAIN_AFFECT_CONFIG
    if place.kind == "demo":
        disk = disk.replace(str(images / "served"), "/var/lib/libvirt/images/web-01.qcow2")
    served = disk.replace("type='raw'/>", "type='raw' iothread='1'/>", 1)
    domain = place.host.domain(place.uuid)
    domain.attachDeviceFlags(served, config)
    assert "disk vdy of the saved configuration uses it" in refused(place, remove_iothread, 1)
    domain.detachDeviceFlags(served, config)
    place.run(remove_iothread, 1)
