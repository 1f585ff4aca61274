"""What a host offers of a device's fields, why not the rest, and what suits a machine best."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tuivirt.backend.model.machine import Capabilities, Machine
from tuivirt.backend.xml.catalog import Kind, kinds
from tuivirt.backend.xml.declare import Declaration, Field, Value
from tuivirt.backend.xml.domain import parse_domain
from tuivirt.backend.xml.offered import (
    Offer,
    choices,
    lacking,
    machine_of,
    parse_capabilities,
    refusal,
)

KINDS = list(kinds().values())

CAPABILITIES = """<domainCapabilities><path>/usr/bin/qemu-system-x86_64</path><devices>
<graphics supported='yes'><enum name='type'><value>vnc</value><value>dbus</value></enum></graphics>
<video supported='yes'><enum name='modelType'><value>vga</value><value>bochs</value></enum></video>
<tpm supported='yes'><enum name='model'><value>tpm-tis</value><value>tpm-crb</value></enum>
<enum name='backendModel'><value>passthrough</value></enum><enum name='backendVersion'/></tpm>
<rng supported='no'/><channel supported='yes'><enum name='type'><value>pty</value>
<value>unix</value></enum></channel></devices>
<memoryBacking supported='yes'><enum name='sourceType'><value>memfd</value></enum></memoryBacking>
</domainCapabilities>"""

Q35 = """<domain type='kvm'><name>d</name><os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
</os>{}<devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices></domain>"""


def machine(xml: str = Q35.format(""), capabilities: str = "") -> Machine:
    told = parse_capabilities(capabilities) if capabilities else None
    return machine_of(parse_domain(xml), told, libvirt="9.0.0", hypervisor="QEMU 7.2.22")


def of_type(arch: str, machine_type: str) -> Machine:
    return machine(
        Q35.format("").replace("x86_64'", f"{arch}'").replace("pc-q35-7.2", machine_type)
    )


def field(kind: str, name: str) -> Field:
    return kinds()[kind].declaration[name]


def test_the_lists_of_a_host_are_read_by_element_and_name() -> None:
    told = parse_capabilities(CAPABILITIES).offered
    assert told["video"] == {"modelType": ("vga", "bochs")}
    assert told["tpm"] == {
        "model": ("tpm-tis", "tpm-crb"),
        "backendModel": ("passthrough",),
        "backendVersion": (),
    }
    assert told["rng"] is None
    assert told["memoryBacking"] == {"sourceType": ("memfd",)}


def test_the_most_vcpus_are_a_number_or_are_not_told() -> None:
    def told(vcpu: str) -> int | None:
        return parse_capabilities(CAPABILITIES.replace("<devices>", f"{vcpu}<devices>")).vcpus

    assert told("<vcpu max='288'/>") == 288
    assert told("") is told("<vcpu/>") is told("<vcpu max='many'/>") is None
    assert told("<vcpu max='99999999999'/>") is None


def test_only_what_the_host_lists_may_be_chosen_in_the_order_of_preference() -> None:
    here = machine(capabilities=CAPABILITIES)
    assert choices(field("video", "type"), here, {}) == ("vga", "bochs")
    assert choices(field("graphics", "type"), here, {}) == ("vnc", "dbus")


def test_what_is_not_offered_names_what_the_host_lacks_for_it() -> None:
    here = machine(capabilities=CAPABILITIES)
    assert refusal(field("tpm", "backend"), "emulator", here) == (
        "needs swtpm on the host (packages swtpm and swtpm-tools)"
    )
    assert refusal(field("video", "type"), "cirrus", here) == "is not in QEMU 7.2.22"
    assert refusal(field("tpm", "backend"), "external", here) == (
        "is something that QEMU 7.2.22 was built without"
    )
    old = replace(here, hypervisor="QEMU 2.11.1")
    assert refusal(field("tpm", "backend"), "external", old) == "needs QEMU 2.12"
    assert refusal(field("watchdog", "model"), "itco", here) == (
        "needs libvirt 9.1 (the host has 9.0.0)"
    )


def test_a_kind_of_which_nothing_is_offered_says_why() -> None:
    here = machine(capabilities=CAPABILITIES)
    assert lacking(kinds()["rng"].declaration.fields, here) == "is not in QEMU 7.2.22"
    assert lacking(kinds()["tpm"].declaration.fields, here) == ""
    assert lacking(kinds()["iommu"].declaration.fields, of_type("x86_64", "pc-i440fx-7.2")) == (
        "needs a q35 machine"
    )


def test_what_such_a_list_never_tells_is_taken_for_granted() -> None:
    here = machine(capabilities=CAPABILITIES)
    assert refusal(field("channel", "type"), "tcp", here) == ""
    assert refusal(field("channel", "type"), "spicevmc", here) == "needs a QEMU with SPICE"
    assert refusal(field("disk", "bus"), "ide", here) == "", "nothing is told of disks"


def test_a_host_that_tells_nothing_refuses_nothing() -> None:
    for kind in KINDS:
        for each in kind.declaration.fields:
            assert choices(each, Machine(), {}) == each.choices


def test_what_hangs_on_another_field_is_narrowed_to_what_suits_it() -> None:
    model = field("controller", "model")
    assert choices(model, machine(), {"type": "virtio-serial"})[0] == "virtio"
    assert "virtio-scsi" not in choices(model, machine(), {"type": "usb"})
    assert choices(field("interface", "mode"), machine(), {"type": "vhostuser"}) == (
        "server",
        "client",
    )


@pytest.mark.parametrize(
    ("arch", "machine_type", "kind", "name", "best"),
    [
        ("x86_64", "pc-q35-7.2", "interface", "model", "virtio"),
        ("x86_64", "pc-q35-7.2", "rng", "model", "virtio"),
        ("x86_64", "pc-q35-7.2", "rng", "device", "/dev/urandom"),
        ("x86_64", "pc-q35-7.2", "tpm", "model", "tpm-crb"),
        ("x86_64", "pc-q35-7.2", "tpm", "backend", "emulator"),
        ("x86_64", "pc-q35-7.2", "tpm", "version", "2.0"),
        ("x86_64", "pc-q35-7.2", "video", "type", "virtio"),
        ("x86_64", "pc-q35-7.2", "sound", "model", "ich9"),
        ("x86_64", "pc-i440fx-7.2", "sound", "model", "ich6"),
        ("x86_64", "pc-q35-7.2", "watchdog", "model", "i6300esb"),
        ("x86_64", "pc-q35-7.2", "panic", "model", "isa"),
        ("x86_64", "pc-q35-7.2", "iommu", "model", "intel"),
        ("aarch64", "virt-7.2", "iommu", "model", "smmuv3"),
        ("aarch64", "virt-7.2", "tpm", "model", "tpm-tis"),
        ("ppc64le", "pseries-7.2", "panic", "model", "pseries"),
        ("ppc64le", "pseries-7.2", "tpm", "model", "tpm-spapr"),
        ("s390x", "s390-ccw-virtio-7.2", "watchdog", "model", "diag288"),
        ("s390x", "s390-ccw-virtio-7.2", "input", "bus", "virtio"),
        ("x86_64", "pc-q35-7.2", "channel", "target_name", "org.qemu.guest_agent.0"),
        ("x86_64", "pc-q35-7.2", "filesystem", "driver", "path"),
    ],
)
def test_a_new_device_is_what_suits_the_machine_best(
    arch: str, machine_type: str, kind: str, name: str, best: str
) -> None:
    assert kinds()[kind].declaration.proposal({}, of_type(arch, machine_type))[name] == best


def test_what_the_host_lacks_gives_way_to_the_next_best() -> None:
    here = machine(capabilities=CAPABILITIES)
    assert kinds()["video"].declaration.proposal({}, here)["type"] == "vga"


def test_files_are_shared_by_virtiofs_where_memory_is_shared() -> None:
    shares = "<memoryBacking><access mode='shared'/></memoryBacking>"
    cells = "<cpu><numa><cell id='0' memory='1'{}/></numa></cpu>"
    best = {
        more: kinds()["filesystem"].declaration.proposal({}, machine(Q35.format(more)))["driver"]
        for more in (
            shares,
            cells.format(" memAccess='shared'"),
            shares + cells.format(""),
            shares + cells.format(" memAccess='private'"),
            "",
        )
    }
    assert list(best.values()) == ["virtiofs", "virtiofs", "virtiofs", "path", "path"]


def test_without_a_usb_bus_a_pointer_is_of_virtio_and_a_card_reader_impossible() -> None:
    none = "<controller type='usb' model='none'/>"
    here = machine(Q35.format("").replace("</emulator>", f"</emulator>{none}"))
    assert kinds()["input"].declaration.proposal({}, here)["bus"] == "virtio"
    assert lacking(kinds()["smartcard"].declaration.fields, here) == (
        "needs a USB controller in the domain"
    )
    assert lacking(kinds()["smartcard"].declaration.fields, machine()) == ""


@pytest.mark.parametrize(
    ("machine_type", "kind", "model"),
    [
        ("pc-q35-7.2", "scsi", "virtio-scsi"),
        ("pc-q35-7.2", "usb", "qemu-xhci"),
        ("pc-q35-7.2", "pci", "pcie-root-port"),
        ("pc-i440fx-7.2", "pci", "pci-bridge"),
    ],
)
def test_a_controller_is_todays_for_its_bus(machine_type: str, kind: str, model: str) -> None:
    here = of_type("x86_64", machine_type)
    assert kinds()["controller"].declaration.proposal({"type": kind}, here)["model"] == model


def test_a_file_that_a_new_port_writes_to_keeps_what_it_holds_unless_said_otherwise() -> None:
    serial = kinds()["serial"].declaration
    given: dict[str, Value] = {"type": "file", "path": "/var/log/one"}
    xml = serial.build(given | serial.proposal(given, machine()))
    assert 'append="on"' in xml
    assert "append" not in serial.proposal({"type": "unix", "path": "/run/one"}, machine())
    assert "append" not in serial.proposal({**given, "append": False}, machine())


def test_a_channels_name_follows_what_stands_behind_it() -> None:
    channel = kinds()["channel"].declaration
    assert channel.proposal({"type": "spicevmc"})["target_name"] == "com.redhat.spice.0"
    assert "target_name" not in channel.proposal({"type": "tcp"})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_said_of_choices_is_said_of_choices_that_there_are(kind: Kind) -> None:
    for each in kind.declaration.fields:
        offer = each.offer
        named = [*offer.needs, *offer.since, *offer.lacks, *offer.best.values(), *offer.untold]
        assert set(named) <= set(each.choices), each.name
        for by, values in filter(None, (offer.beside, offer.starts)):
            assert set(values) <= set(kind.declaration[by].choices), each.name
        if offer.beside is not None:
            for suiting in offer.beside[1].values():
                assert set(suiting) <= set(each.choices), each.name


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_form_begins_with_few_fields(kind: Kind) -> None:
    declaration = kind.declaration
    begun = {**{f.name: f.default for f in declaration.fields}, **declaration.proposal({})}
    shown = [f for f in declaration.applying(begun) if declaration.is_common(f)]
    assert 1 <= len(shown) <= 9, [f.name for f in shown]


def test_a_field_that_is_to_be_common_must_be_declared() -> None:
    with pytest.raises(TypeError, match="has no colour to be common"):
        Declaration("lamp", (Field("on", "@on", "On", "On."),), common=("colour",))


def test_fields_apply_by_those_that_apply_themselves() -> None:
    tpm = kinds()["tpm"].declaration
    assert [f.name for f in tpm.applying({"backend": "passthrough"})] == [
        "model",
        "backend",
        "path",
    ]
    names = [
        f.name for f in kinds()["input"].declaration.applying({"type": "evdev", "bus": "virtio"})
    ]
    assert "model" not in names, "an event device has no bus, whatever is said of one"


def test_a_field_of_containers_is_none_of_a_virtual_machine() -> None:
    from tuivirt.backend.xml.offered import makes_sense

    limit = field("filesystem", "space_hard_limit")
    assert not makes_sense(limit, machine())
    assert makes_sense(limit, machine(Q35.format("").replace("'kvm'", "'lxc'")))


def test_no_offer_stands_for_everything() -> None:
    here = machine(capabilities=CAPABILITIES)
    plain = Field("x", "@x", "X", "X.", choices=("a", "b"), offer=Offer())
    assert choices(plain, here, {}) == ("a", "b")
    assert Capabilities().offered == {}
