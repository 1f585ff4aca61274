"""What speaks against a snapshot, by a domain's XML, and what its form therefore offers."""

from __future__ import annotations

from typing import Any

import pytest

from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.snapshots import judge, offered
from tuivirt.backend.xml.domain import parse_domain
from tuivirt.backend.xml.snapshot import nvram_format, why_no_agent

PFLASH = "<loader readonly='yes' type='pflash'>/code.fd</loader>"
HOSTDEV = (
    "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' "
    "bus='0x04' slot='0x00' function='0x0'/></source></hostdev>"
)
AGENT = (
    "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0' state='{}'/>"
    "</channel>"
)
OFF = "it is off"


def disk(
    target: str, form: str = "qcow2", kind: str = "file", more: str = "", device: str = "disk"
) -> str:
    source = {
        "file": f"<source file='/images/{target}.img'/>",
        "block": f"<source dev='/dev/vg/{target}'/>",
        "network": f"<source protocol='rbd' name='pool/{target}'><host name='ceph'/></source>",
        "empty": "",
    }[kind]
    return (
        f"<disk type='{'file' if kind == 'empty' else kind}' device='{device}'>"
        f"<driver name='qemu' type='{form}'/>{source}"
        f"<target dev='{target}' bus='virtio'/>{more}</disk>"
    )


def facts(*devices: str, os: str = "", active: bool = True, libvirt: str = "9.0.0") -> judge.Facts:
    """As `offered.facts_of` reads them; a running guest's, unless said."""
    xml = (
        f"<domain type='kvm'><name>web</name><uuid>{'0' * 32}</uuid><os><type>hvm</type>{os}</os>"
        f"<devices>{''.join(devices)}</devices></domain>"
    )
    return judge.Facts(parse_domain(xml), active, libvirt, why_no_agent(xml), nvram_format(xml))


def said(known: judge.Facts, weight: Weight, **values: Any) -> list[str]:
    taken = judge.settle(known, values)
    return [each.text for each in taken.findings if each.weight is weight]


@pytest.mark.parametrize(
    ("libvirt", "nvram", "why"),
    [
        ("9.0.0", "<nvram>/v.fd</nvram>", "of which libvirt 9.0.0 takes no internal snapshot"),
        ("9.0.0", "<nvram format='qcow2'>/v.fd</nvram>", "of which libvirt 9.0.0 takes no"),
        ("10.10.0", "<nvram>/v.fd</nvram>", "its UEFI variables are raw: only in qcow2"),
        ("10.10.0", "<nvram format='qcow2'>/v.fd</nvram>", ""),
    ],
)
def test_of_uefi_an_internal_one_is_taken_where_its_variables_are_too(
    libvirt: str, nvram: str, why: str
) -> None:
    known = facts(disk("vda"), os=PFLASH + nvram, libvirt=libvirt)
    refused = said(known, Weight.REFUSED, kind="internal")
    assert [why in each for each in refused] == ([True] if why else [])
    # Unless it is said, it is what can be.
    assert judge.settle(known, {}).kind == ("external" if why else "internal")
    assert offered.refused(known, {}).get(("kind", "internal"), "") == "".join(refused)
    assert said(known, Weight.REFUSED, kind="external") == []


def test_with_a_device_of_the_host_the_disks_alone_are_taken() -> None:
    known = facts(disk("vda"), HOSTDEV)
    why = "of its host, whose state cannot be taken"
    for values in ({"kind": "internal"}, {"kind": "external", "memory": True}):
        assert [why in each for each in said(known, Weight.REFUSED, **values)] == [True]
    assert said(known, Weight.REFUSED, kind="external") == []
    assert why in offered.refused(known, {})["memory", "yes"]
    off = facts(disk("vda"), HOSTDEV, active=False)
    assert said(off, Weight.REFUSED, kind="internal") == []


def test_an_internal_one_lies_in_an_image_that_holds_it() -> None:
    known = facts(disk("vda", "raw"), disk("vdb"), active=False)
    assert said(known, Weight.REFUSED, kind="internal") == [
        "vda is raw: an image of that format holds no snapshots"
    ]
    assert judge.settle(known, {}).kind == "external"
    # Left out it is not in the way, while no memory goes with all of them.
    assert ("kind", "internal") not in offered.refused(known, {"leave_out": "vda"})
    running = facts(disk("vda", "raw"), disk("vdb"))
    assert (
        "takes all of its disks"
        in offered.refused(running, {"leave_out": "vda"})["kind", "internal"]
    )


@pytest.mark.parametrize(
    ("kind", "why"),
    [("network", "vdb is on the network (network)"), ("block", "vdb is a block device")],
)
def test_where_no_file_can_lie_beside_a_disk_an_external_one_leaves_it_out(
    kind: str, why: str
) -> None:
    known = facts(disk("vda"), disk("vdb", "raw", kind))
    taken = judge.settle(known, {"kind": "external"})
    (found,) = [each for each in taken.findings if each.weight is Weight.REFUSED]
    assert found.text.startswith(why)
    assert found.advice == "leave it out: --leave-out vdb"
    assert offered.refused(known, {})["kind", "external"] == found.text
    assert said(known, Weight.REFUSED, kind="external", leave_out="vdb") == []
    assert ("kind", "external") not in offered.refused(known, {"leave_out": "vdb"})


def test_what_others_write_to_a_shared_disk_is_a_risk() -> None:
    known = facts(disk("vda", "raw", more="<shareable/>"))
    (risk,) = said(known, Weight.RISK, kind="external")
    assert risk == "vda is shared: what other guests write goes past the snapshot"
    assert said(known, Weight.REFUSED, kind="external") == []


def test_what_is_read_only_or_empty_is_left_out_and_virsh_is_told_so() -> None:
    known = facts(
        disk("vda"),
        disk("vdb", "raw", more="<readonly/>"),
        disk("sda", "raw", device="cdrom", more="<readonly/>"),
        disk("fda", "raw", "empty", device="floppy"),
    )
    taken = judge.settle(known, {"kind": "external", "name_": "a"})
    assert taken.disks == {"vda": "external", "vdb": "no", "sda": "no", "fda": "no"}
    assert judge.as_virsh(taken)["its_disks"] == tuple(
        f"{target},snapshot=no" for target in ("vdb", "sda", "fda")
    )
    assert any("fda: left out, nothing is in it" in step for step in taken.steps)
    nothing = facts(disk("vdb", "raw", more="<readonly/>"))
    assert said(nothing, Weight.REFUSED) == ["there is no disk that could be taken"]


def test_names_that_two_images_would_share_are_told_to_virsh_too() -> None:
    one, other = disk("vda"), disk("vdb").replace("/images/vdb.img", "/images/vda,x.img")
    twin = other.replace("vda,x.img", "vda.raw")
    taken = judge.settle(facts(one, twin), {"kind": "external", "name_": "a"})
    assert judge.as_virsh(taken)["its_disks"] == (
        "vda,snapshot=external,file=/images/vda.img.a",
        "vdb,snapshot=external,file=/images/vda.raw.a",
    )
    taken = judge.settle(
        facts(other), {"kind": "external", "memory": True, "memspec": "/a,b", "name_": "a"}
    )
    assert judge.as_virsh(taken)["memspec"] == "/a,,b"


@pytest.mark.parametrize(
    ("devices", "why"),
    [
        ((), "it has no channel to a guest agent"),
        ((AGENT.format("disconnected"),), "its guest agent is not connected"),
        ((AGENT.format("connected"),), ""),
    ],
)
def test_file_systems_are_held_still_by_an_agent_that_is_there(
    devices: tuple[str, ...], why: str
) -> None:
    known = facts(disk("vda"), *devices)
    refused = said(known, Weight.REFUSED, kind="external", quiesce=True)
    assert [each.startswith(why) for each in refused] == ([True] if why else [])
    assert offered.refused(known, {}).get(("quiesce", "yes"), "") == "".join(refused)


def test_of_a_domain_that_is_off_no_memory_is_offered() -> None:
    refused = offered.refused(facts(disk("vda"), active=False), {})
    assert {option for (option, _), why in refused.items() if why.startswith(OFF)} == {
        "memory",
        "quiesce",
        "live",
    }
    assert ("kind", "internal") not in refused


def test_what_is_about_one_kind_is_not_offered_beside_the_other() -> None:
    known = facts(disk("vda"), AGENT.format("connected"))
    assert offered.refused(known, {"kind": "internal"}).keys() == {
        ("memory", "yes"),
        ("quiesce", "yes"),
        ("live", "yes"),
    }
    assert offered.refused(known, {"memory": True}).keys() == {("quiesce", "yes")}
    assert offered.refused(known, {}) == {("live", "yes"): "only with its memory"}


def test_a_description_is_what_xml_can_hold() -> None:
    with pytest.raises(BadInput, match="no control character"):
        judge.check({"description": "a\x1b[2J"})
    judge.check({"description": "two\nlines, 更新"})


@pytest.mark.parametrize(
    ("devices", "advised"),
    [
        ((AGENT.format("connected"),), ["--quiesce", "--memory"]),
        ((), ["--memory"]),
        ((HOSTDEV,), []),
    ],
)
def test_what_disks_alone_lack_is_advised_only_where_it_can_be_had(
    devices: tuple[str, ...], advised: list[str]
) -> None:
    taken = judge.settle(facts(disk("vda"), *devices), {"kind": "external"})
    (note,) = [each for each in taken.findings if "as after a power failure" in each.text]
    assert [word for word in note.advice.split() if word.startswith("--")] == advised
