"""What waits for the next boot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.xml.golden import golden
from tuivirt.backend.model.device import Device, Disk, DomainConfig, Interface
from tuivirt.backend.model.twins import paired
from tuivirt.backend.xml.domain import parse_domain, skim_domain
from tuivirt.backend.xml.pending import pending

VDA = Disk("vda", "virtio", source="/a", format="qcow2")
CD = Disk("sda", "sata", device="cdrom", source="/old.iso")
NIC = Interface("52:54:00:00:00:01", source="default", model="virtio")
BASE = DomainConfig(
    "n",
    "u",
    vcpus=2,
    vcpus_max=4,
    memory_kib=4 * 1024**2,
    memory_max_kib=4 * 1024**2,
    disks=(VDA, CD),
    interfaces=(NIC,),
    devices=(Device("serial"), Device("hostdev", node_device="0000:04:00.0")),
)


def test_a_domain_just_started_waits_for_nothing() -> None:
    live = parse_domain(golden("domain_running"))
    saved = parse_domain(golden("domain_saved"))
    assert live != saved
    assert pending(live, saved) == ()


@pytest.mark.parametrize(
    ("changes", "phrases"),
    [
        ({}, ()),
        ({"title": "t"}, ("title 't'",)),
        ({"description": "d"}, ("description",)),
        ({"vcpus_max": 8}, ("vCPUs 4 → 8",)),
        ({"vcpus": 3}, ("vCPUs in use 2 → 3",)),
        (
            {"memory_max_kib": 8 * 1024**2, "memory_kib": 8 * 1024**2},
            ("memory 4 → 8 GiB",),
        ),
        ({"disks": (VDA, CD, Disk("vdb"))}, ("new disk vdb",)),
        ({"disks": (CD,)}, ("disk vda goes",)),
        ({"disks": (VDA,)}, ("CD-ROM sda goes",)),
        ({"disks": (VDA, replace(CD, source=""))}, ("CD-ROM sda: /old.iso → empty",)),
        ({"disks": (replace(VDA, cache="none"), CD)}, ("disk vda: cache default → none",)),
        ({"disks": (replace(VDA, readonly=True), CD)}, ("disk vda: read-only",)),
        ({"disks": (replace(VDA, shareable=True), CD)}, ("disk vda: shareable",)),
        ({"disks": (replace(VDA, boot_order=1), CD)}, ("disk vda: boot order none → 1",)),
        ({"disks": (replace(VDA, alias="a", address="b", xml="c"), CD)}, ()),
        ({"interfaces": ()}, ("interface 52:54:00:00:00:01 goes",)),
        (
            {"interfaces": (NIC, Interface("52:54:00:00:00:02"))},
            ("new interface 52:54:00:00:00:02",),
        ),
        (
            {"interfaces": (replace(NIC, source="lab"),)},
            ("interface 52:54:00:00:00:01: network default → network lab",),
        ),
        (
            {"interfaces": (replace(NIC, model="e1000e"),)},
            ("interface 52:54:00:00:00:01: model virtio → e1000e",),
        ),
        ({"interfaces": (replace(NIC, link="down"),)}, ("interface 52:54:00:00:00:01: link down",)),
        ({"interfaces": (replace(NIC, target="vnet3", alias="net0"),)}, ()),
        (
            {"devices": (*BASE.devices, Device("tpm"), Device("rng"), Device("rng"))},
            ("new tpm", "new 2 rng"),
        ),
        ({"devices": BASE.devices[1:]}, ("serial goes",)),
        (
            {"devices": (Device("serial"), Device("hostdev", node_device="0000:05:00.0"))},
            ("new host device 0000:05:00.0", "host device 0000:04:00.0 goes"),
        ),
        ({"devices": (*BASE.devices, Device("controller"))}, ()),
    ],
)
def test_what_the_saved_configuration_changes_is_told_in_a_phrase(
    changes: dict[str, object], phrases: tuple[str, ...]
) -> None:
    assert pending(BASE, replace(BASE, **changes)) == phrases  # type: ignore[arg-type]


def test_a_guest_whose_balloon_was_blown_up_gets_its_memory_back() -> None:
    live = replace(BASE, memory_kib=2 * 1024**2)
    assert pending(live, BASE) == ("memory in use 2 → 4 GiB",)


def test_a_guest_without_a_balloon_driver_waits_for_nothing() -> None:
    assert pending(BASE, replace(BASE, memory_kib=2 * 1024**2)) == ()


def test_small_memory_is_told_in_its_unit_and_rounding_not_at_all() -> None:
    live = replace(BASE, memory_max_kib=512 * 1024, memory_kib=512 * 1024)
    saved = replace(live, memory_max_kib=1024**2, memory_kib=1024**2)
    assert pending(live, saved) == ("memory 512 → 1024 MiB",)
    assert pending(live, replace(live, memory_max_kib=512 * 1024 + 4)) == ()


def test_a_usb_device_given_by_identity_is_the_same_when_it_runs() -> None:
    saved = replace(BASE, devices=(Device("hostdev", vendor_product="0403:6001"),))
    live = replace(
        BASE, devices=(Device("hostdev", vendor_product="0403:6001", node_device="002:009"),)
    )
    assert pending(live, saved) == ()


def test_a_network_that_lends_pci_functions_is_no_difference() -> None:
    lent = Interface("52:54:00:00:00:01", "hostdev", "0000:03:10.1")
    assert pending(replace(BASE, interfaces=(lent,)), BASE) == ()


SERIAL = (
    "<serial type='{type}'><source path='{path}'/><target type='isa-serial' port='0'/></serial>"
)
HOLDING = "<domain><devices>{}</devices></domain>"


@pytest.mark.parametrize(
    ("live", "saved", "phrases"),
    [
        (
            "<rng model='virtio'><rate bytes='10'/><backend model='builtin'/></rng>",
            "<rng model='virtio'><backend model='builtin'/></rng>",
            ("random number generator: at most 10 → default",),
        ),
        (
            "<video><model type='vga' vram='16384'/></video>",
            "<video><model type='bochs' vram='16384'/></video>",
            ("video card: model vga → bochs",),
        ),
        (
            "<shmem name='s'><size unit='M'>1</size></shmem>",
            "<shmem name='s'><size unit='M'>2</size></shmem>",
            ("shared memory: size 1 M → 2 M",),
        ),
        (
            SERIAL.format(type="file", path="/a"),
            SERIAL.format(type="file", path="/b"),
            ("serial port: path /a → /b",),
        ),
        (
            "<filesystem type='mount'><source dir='/a'/><target dir='t'/><readonly/></filesystem>",
            "<filesystem type='mount'><source dir='/a'/><target dir='t'/></filesystem>",
            ("shared file system: read-only yes → no",),
        ),
        (
            "<panic model='isa'/><new kind='1'/>",
            "<panic model='isa'><unheard of='2'/></panic><new kind='3'/>",
            ("panic notifier is changed", "new is changed"),
        ),
        (
            (
                "<disk type='file'><target dev='vda'/>"
                "<iotune><read_iops_sec>5</read_iops_sec></iotune></disk>"
            ),
            "<disk type='file'><target dev='vda'/></disk>",
            ("disk vda: requests read 5 → default",),
        ),
        (
            "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>",
            "<interface type='user'><mac address='52:54:00:00:00:01'/><mtu size='9'/></interface>",
            ("interface 52:54:00:00:00:01: MTU default → 9",),
        ),
    ],
)
def test_any_field_that_differs_is_told_by_its_label(
    live: str, saved: str, phrases: tuple[str, ...]
) -> None:
    for read in (parse_domain, lambda xml: skim_domain(xml, compared=True)):
        now, later = read(HOLDING.format(live)), read(HOLDING.format(saved))
        assert pending(now, later) == phrases
        assert pending(later, later) == ()


@pytest.mark.parametrize(
    ("live", "saved"),
    [
        (
            (
                "<serial type='pty'><source path='/dev/pts/3'/><target type='isa-serial' port='0'/>"
                "<alias name='serial0'/></serial>"
            ),
            "<serial type='pty'><target type='isa-serial' port='0'/></serial>",
        ),
        (
            (
                "<channel type='unix'><source mode='bind' path='/var/lib/x/domain-3-n/a'/>"
                "<target type='virtio' name='a' state='disconnected'/></channel>"
            ),
            "<channel type='unix'><target type='virtio' name='a'/></channel>",
        ),
        (
            (
                "<graphics type='vnc' port='5900' autoport='yes' websocket='5700'>"
                "<listen type='address' address='127.0.0.1'/></graphics>"
            ),
            (
                "<graphics type='vnc' port='-1' autoport='yes' websocket='-1'>"
                "<listen type='address'/></graphics>"
            ),
        ),
        (
            "<vsock model='virtio'><cid auto='yes' address='3'/></vsock>",
            "<vsock model='virtio'><cid auto='yes'/></vsock>",
        ),
        (
            "<memballoon model='virtio'><stats period='5'/></memballoon>",
            "<memballoon model='virtio'/>",
        ),
        (
            (
                "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source network='n'"
                " portid='p' bridge='b'/><vlan><tag id='5'/></vlan><target dev='v1'/></interface>"
            ),
            (
                "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='n'/>"
                "</interface>"
            ),
        ),
        (
            "<rng model='virtio'><address type='pci' bus='0x05' slot='0x00'/></rng>",
            "<rng model='virtio'><address type='pci' bus='0x06' slot='0x00'/></rng>",
        ),
    ],
)
def test_what_libvirt_fills_in_while_it_runs_waits_for_nothing(live: str, saved: str) -> None:
    now, later = parse_domain(HOLDING.format(live)), parse_domain(HOLDING.format(saved))
    assert pending(now, later) == ()


def test_of_two_alike_the_one_that_stays_is_told_from_the_one_that_goes() -> None:
    ports = [
        f"<serial type='file'><source path='/{n}'/><target type='pci-serial' port='{n}'/></serial>"
        for n in range(3)
    ]
    live, saved = (parse_domain(HOLDING.format("".join(some))) for some in (ports, ports[1:]))
    twins, left = paired(live.devices, saved.devices)
    assert twins == [None, *saved.devices]
    assert left == []
    assert pending(live, saved) == ("serial goes",)


def test_devices_that_only_their_facts_tell_apart_each_have_their_own_twin() -> None:
    def channels(*names: str) -> list[Device]:
        return [Device("channel", facts=frozenset({("target/@name", name)})) for name in names]

    live, saved = channels("agent", "spice", "agent"), channels("spice", "agent", "other")
    twins, left = paired(live, saved)
    assert [id(twin) for twin in twins] == [id(saved[number]) for number in (1, 0, 2)]
    assert left == [], "the third is of the same kind and the only one left: its words differ"


def test_pins_topology_and_io_threads_that_differ_are_told_and_no_others() -> None:
    def config(inside: str) -> DomainConfig:
        return parse_domain(f"<domain><vcpu>4</vcpu>{inside}</domain>")

    same = "<cputune><vcpupin vcpu='1' cpuset='1'/></cputune>"
    assert pending(config(same), config(same)) == ()
    now = config(
        "<iothreadids><iothread id='1'/><iothread id='2'/></iothreadids><cputune>"
        "<vcpupin vcpu='0' cpuset='0-1'/><vcpupin vcpu='1' cpuset='1'/>"
        "<emulatorpin cpuset='0'/></cputune>"
    )
    later = config(
        "<iothreadids><iothread id='1'/><iothread id='3'/></iothreadids><cputune>"
        "<vcpupin vcpu='0' cpuset='2'/><vcpupin vcpu='1' cpuset='1'/>"
        "<iothreadpin iothread='1' cpuset='3'/></cputune>"
        "<cpu><topology sockets='1' dies='1' cores='2' threads='2'/></cpu>"
    )
    assert set(pending(now, later)) == {
        "topology: default → 1 × 2 × 2",
        "pin of vCPU 0: 0-1 → 2",
        "pin of the emulator: 0 → any",
        "pin of I/O thread 1: any → 3",
        "I/O thread 2 goes",
        "new I/O thread 3",
    }
