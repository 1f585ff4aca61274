"""What a domain's XML says of processors and memory, and edits of it that keep the rest."""

from __future__ import annotations

import libvirt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuivirt.backend.model.processors import IoThread, Topology
from tuivirt.backend.xml.errors import MalformedXml
from tuivirt.backend.xml.host_topology import HOST_CPU, read_host_topology
from tuivirt.backend.xml.processors import (
    EMULATOR_PIN,
    IOTHREAD,
    IOTHREAD_PIN,
    ONE_VCPU,
    TOPOLOGY,
    VCPU_PIN,
    VCPUS,
    read_processors,
)
from tuivirt.backend.xml.sections import change_section, keep_vcpus
from tuivirt.backend.xml.tree import parse

WHOLE = """<domain type='kvm' xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>all</name>
  <uuid>11111111-2222-3333-4444-555555555555</uuid>
  <maxMemory slots='16' unit='GiB'>32</maxMemory>
  <memory unit='MiB'>4096</memory>
  <currentMemory unit='MiB'>3072</currentMemory>
  <vcpu placement='auto' cpuset='0-7,^3' current='2'>4</vcpu>
  <vcpus>
    <vcpu id='0' enabled='yes' hotpluggable='no' order='1'/>
    <vcpu id='1' enabled='yes' hotpluggable='yes' order='2'/>
    <vcpu id='2' enabled='no' hotpluggable='yes'/>
    <vcpu id='3' enabled='no' hotpluggable='yes'/>
  </vcpus>
  <iothreads>3</iothreads>
  <iothreadids>
    <iothread id='2'/>
    <iothread id='5'/>
  </iothreadids>
  <cputune>
    <shares>2048</shares>
    <vcpupin vcpu='1' cpuset='4-7'/>
    <emulatorpin cpuset='0,1'/>
    <iothreadpin iothread='5' cpuset='2'/>
  </cputune>
  <!-- kept -->
  <cpu mode='host-model'>
    <topology sockets='1' dies='2' cores='1' threads='2'/>
    <numa>
      <cell id='0' cpus='0-3' memory='4' unit='GiB'/>
    </numa>
  </cpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' iothread='2'/>
      <source file='/a'/><target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'><iothreads><iothread id='2'/><iothread id='5'/></iothreads>
      </driver>
      <source file='/b'/><target dev='vdb' bus='virtio'/>
    </disk>
    <controller type='scsi' index='0' model='virtio-scsi'><driver iothread='5'/></controller>
    <memory model='dimm'><target><size unit='MiB'>512</size><node>0</node></target></memory>
    <memballoon model='virtio'/>
  </devices>
</domain>
"""


def test_everything_that_is_said_is_read() -> None:
    found = read_processors(WHOLE)
    assert (found.count, found.most) == (2, 4)
    assert found.placement == "auto"
    assert found.cpuset == frozenset({0, 1, 2, 4, 5, 6, 7})
    assert [vcpu.online for vcpu in found.vcpus] == [True, True, False, False]
    assert [vcpu.hotpluggable for vcpu in found.vcpus] == [False, True, True, True]
    assert [vcpu.pinned for vcpu in found.vcpus] == [
        None,
        frozenset({4, 5, 6, 7}),
        None,
        None,
    ]
    assert found.emulator == frozenset({0, 1})
    assert found.topology == Topology(1, 2, 1, 1, 2)
    assert found.topology.vcpus == 4
    # Three are counted and two named: the third has the first free number.
    assert found.iothreads == (
        IoThread(1),
        IoThread(2, None, ("disk vda", "disk vdb")),
        IoThread(5, frozenset({2}), ("disk vdb", "scsi controller 0")),
    )
    memory = found.memory
    assert (memory.now_kib, memory.max_kib) == (3 << 20, 4 << 20)
    assert (memory.slots, memory.limit_kib, memory.devices) == (16, 32 << 20, 1)
    assert (memory.balloon, memory.cells) == ("virtio", 1)


def test_what_is_not_said_is_what_libvirt_takes_for_it() -> None:
    found = read_processors("<domain><memory>1048576</memory></domain>")
    assert (found.count, found.most, found.placement) == (1, 1, "static")
    assert (found.cpuset, found.emulator, found.topology) == (None, None, None)
    assert found.vcpus[0].hotpluggable is None
    assert found.iothreads == ()
    assert (found.memory.now_kib, found.memory.max_kib) == (1 << 20, 1 << 20)


def test_a_set_of_cpus_that_cannot_be_read_counts_as_silence() -> None:
    found = read_processors(WHOLE.replace("cpuset='0,1'", "cpuset='every other'"))
    assert found.emulator is None
    assert found.vcpus[1].pinned == frozenset({4, 5, 6, 7})


def test_what_is_no_domain_is_refused() -> None:
    with pytest.raises(MalformedXml):
        read_processors("<network/>")


@pytest.mark.parametrize(
    ("declaration", "path"),
    [
        (VCPUS, "vcpu"),
        (ONE_VCPU, "vcpus/vcpu"),
        (TOPOLOGY, "cpu"),
        (VCPU_PIN, "cputune/vcpupin"),
        (IOTHREAD_PIN, "cputune/iothreadpin"),
        (EMULATOR_PIN, "cputune/emulatorpin"),
        (IOTHREAD, "iothreadids/iothread"),
    ],
)
def test_each_declared_field_says_something_in_the_example(declaration: object, path: str) -> None:
    values = declaration.parse(parse(WHOLE).find(path))  # type: ignore[attr-defined]
    silent = {name for name, value in values.items() if value in (None, "")}
    assert silent == set()


# Edits


@given(
    st.fixed_dictionaries(
        {name: st.integers(1, 64) for name in ("sockets", "dies", "cores", "threads")}
    )
)
def test_another_topology_changes_nothing_else(parts: dict[str, int]) -> None:
    changed = change_section(WHOLE, TOPOLOGY, parts)
    after = read_processors(changed)
    assert after.topology == Topology(**parts)
    back = {"sockets": 1, "dies": 2, "cores": 1, "threads": 2}
    again = change_section(changed, TOPOLOGY, back)
    assert parse(again).find("cpu/topology").attrib == parse(WHOLE).find("cpu/topology").attrib
    start, end = WHOLE.index("  <cpu "), WHOLE.index("  <os>")
    assert changed[:start] == WHOLE[:start]
    assert changed.endswith(WHOLE[end:])
    assert "<cell id='0'" in changed or '<cell id="0"' in changed


@given(st.integers(1, 512))
def test_another_maximum_changes_nothing_but_its_own_element(most: int) -> None:
    changed = change_section(WHOLE, VCPUS, {"most": most, "current": None})
    start, end = WHOLE.index("  <vcpu "), WHOLE.index("  <vcpus>")
    assert changed[:start] == WHOLE[:start]
    assert changed.endswith(WHOLE[end:])
    assert VCPUS.parse(parse(changed).find("vcpu"))["most"] == most


def test_a_change_that_says_what_is_there_is_the_very_same_text() -> None:
    said = {"sockets": 1, "dies": 2, "cores": 1, "threads": 2}
    assert change_section(WHOLE, TOPOLOGY, said) == WHOLE


def test_an_element_is_made_where_there_is_none_and_goes_with_its_line_when_it_is_empty() -> None:
    bare = "<domain>\n  <name>x</name>\n  <vcpu>4</vcpu>\n</domain>\n"
    said = {"sockets": 2, "cores": 2, "threads": 1}
    made = change_section(bare, TOPOLOGY, said)
    assert parse(made).find("cpu/topology").attrib == {"sockets": "2", "cores": "2", "threads": "1"}
    assert change_section(made, TOPOLOGY, dict.fromkeys(said)) == bare


def test_what_libvirt_must_be_told_of_a_topology_is_written_even_where_it_is_one() -> None:
    made = change_section(
        "<domain><vcpu>1</vcpu></domain>",
        TOPOLOGY,
        {
            "sockets": 1,
            "dies": 1,
            "clusters": 1,
            "cores": 1,
            "threads": 1,
        },
    )
    assert set(parse(made).find("cpu/topology").attrib) == {"sockets", "cores", "threads"}


def test_vcpus_beyond_the_maximum_are_no_longer_told() -> None:
    kept = read_processors(keep_vcpus(change_section(WHOLE, VCPUS, {"most": 2}), 2))
    assert [vcpu.hotpluggable for vcpu in kept.vcpus] == [False, True]
    bare = "<domain><vcpu>4</vcpu></domain>"
    assert keep_vcpus(bare, 2) == bare


# The host


def test_a_host_is_read_by_node_socket_and_core() -> None:
    conn = libvirt.open("test:///default")
    found = read_host_topology(conn.getCapabilities())
    conn.close()
    assert [cell.number for cell in found.cells] == [0, 1]
    assert found.cells[0].memory_kib == 2 << 20
    assert found.cpus == frozenset(range(16))
    assert [socket for socket, _ in found.cells[1].cores()] == [1] * 8
    assert found.cells[1].cpus[0].siblings == {8}


def test_threads_of_a_core_stand_together() -> None:
    xml = (
        "<capabilities><host><topology><cells><cell id='0'><memory>1</memory><cpus>"
        "<cpu id='0' socket_id='0' die_id='0' core_id='0' siblings='0,2'/>"
        "<cpu id='1' socket_id='0' die_id='0' core_id='1' siblings='1,3'/>"
        "<cpu id='2' socket_id='0' die_id='0' core_id='0' siblings='0,2'/>"
        "<cpu id='3' socket_id='0' die_id='0' core_id='1' siblings='1,3'/>"
        "</cpus></cell></cells></topology></host></capabilities>"
    )
    (cell,) = read_host_topology(xml).cells
    cores = [[cpu.number for cpu in threads] for _, threads in cell.cores()]
    assert cores == [[0, 2], [1, 3]]
    values = HOST_CPU.parse(parse(xml).find(".//cpu"))
    assert None not in values.values()


def test_a_host_that_tells_of_no_topology_has_none() -> None:
    assert read_host_topology("<capabilities><host/></capabilities>").cpus == frozenset()
