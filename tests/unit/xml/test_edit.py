"""Edits change one device and keep every other byte, whatever else the XML holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xml.golden import golden
from tests.unit.xml.random_xml import BLANK, DEVICES, HEAD, OTHERS, TEXT
from tuivirt.backend.xml import edit
from tuivirt.backend.xml.disk import DISK, build_disk
from tuivirt.backend.xml.domain import parse_domain
from tuivirt.backend.xml.errors import AmbiguousDevice, BadValue, MalformedXml, NoSuchDevice
from tuivirt.backend.xml.interface import INTERFACE
from tuivirt.backend.xml.spans import spans
from tuivirt.backend.xml.tree import Element, parse

DISKS = st.sampled_from(
    [
        "<disk type='file'><source file='/a'/><target dev='vdq'/></disk>",
        '<disk  type = "block" ><!-- vdq -->\n<target\tdev="vdq" bus=\'virtio\' />木</disk >',
        "<disk><target dev='vdq'/><driver io='x' name='q'/><x:y xmlns:x='u'>&#65;</x:y></disk>",
    ]
)


@st.composite
def domains(draw: st.DrawFn) -> tuple[str, str, str]:
    """A domain as what stands before the disk vdq, that disk, and what stands after it."""
    before = f"{HEAD}{draw(OTHERS)}<devices>{draw(DEVICES)}{draw(BLANK)}"
    after = f"{draw(DEVICES)}{draw(BLANK)}</devices>{draw(OTHERS)}</domain>\n"
    return before, draw(DISKS), after


def devices(xml: str) -> list[Element]:
    return list(parse(xml).find("devices").iterchildren("*"))


@given(domains())
def test_the_place_of_each_element_is_found_in_any_xml(domain: tuple[str, str, str]) -> None:
    xml = "".join(domain)

    def agree(element: Element, span: object) -> None:
        text = xml[span.start : span.end]  # type: ignore[attr-defined]
        assert text.startswith(f"<{element.prefix}:" if element.prefix else "<")
        assert text.endswith(">")
        children = list(element.iterchildren("*"))
        assert len(children) == len(span.children)  # type: ignore[attr-defined]
        for child, below in zip(children, span.children, strict=True):  # type: ignore[attr-defined]
            agree(child, below)

    agree(parse(xml), spans(xml))


@given(domains())
def test_a_device_is_cut_out_and_nothing_else(domain: tuple[str, str, str]) -> None:
    before, _disk, after = domain
    without = edit.remove_device(before + "<disk><target dev='vdq'/></disk>" + after, VDQ)
    assert without.endswith(after)
    kept = without.removesuffix(after)
    assert before.startswith(kept)
    assert not before[len(kept) :].strip()


@given(domains(), DISKS)
def test_a_device_is_put_in_anothers_place_and_nothing_else(
    domain: tuple[str, str, str], other: str
) -> None:
    before, disk, after = domain
    assert edit.replace_device(before + disk + after, VDQ, other) == before + other + after


@given(domains())
def test_a_device_is_added_after_the_others_and_nothing_else(domain: tuple[str, str, str]) -> None:
    xml = "".join(domain)
    new = build_disk(target="vdr", source="/新")
    grown = edit.add_device(xml, new)
    assert [c.tag for c in devices(grown)] == [*(c.tag for c in devices(xml)), "disk"]
    at = grown.index(new)
    head, tail = grown[:at], grown[at + len(new) :]
    assert xml.endswith(tail)
    assert head.rstrip() == xml.removesuffix(tail).rstrip()
    assert edit.device_xml(grown, edit.disk("vdr")) == new


@given(domains(), st.sampled_from(["none", "unsafe"]), TEXT.filter(str.strip))
def test_a_change_of_a_device_keeps_everything_but_that_device(
    domain: tuple[str, str, str], cache: str, serial: str
) -> None:
    before, disk, after = domain
    changed = edit.change_device(
        before + disk + after, VDQ, DISK, {"cache": cache, "serial": serial}
    )
    assert changed.startswith(before)
    assert changed.endswith(after)
    old, new = parse(disk), parse(changed[len(before) : len(changed) - len(after)])
    assert DISK.parse(new) == {**DISK.parse(old), "cache": cache, "serial": serial}
    for name in ("x:y", "target", "source"):
        assert [e.attrib for e in new.findall(name, {"x": "u"})] == [
            e.attrib for e in old.findall(name, {"x": "u"})
        ]


@given(domains())
def test_a_change_that_says_what_is_there_changes_nothing(domain: tuple[str, str, str]) -> None:
    xml = "".join(domain)
    same = dict(DISK.parse(parse(domain[1])))
    del same["source_type"]
    assert edit.change_device(xml, VDQ, DISK, same) == xml


VDQ = edit.disk("vdq")

# -- examples -------------------------------------------------------------------------------------

PLAIN = """<domain type='kvm'>
  <devices>
    <disk type='file'>
      <target dev='vda'/>
    </disk>
    <interface type='network'>
      <mac address='52:54:00:AA:00:01'/>
    </interface>
  </devices>
</domain>
"""


def test_a_device_is_added_on_a_line_of_its_own() -> None:
    grown = edit.add_device(PLAIN, "<tpm/>")
    assert grown == PLAIN.replace("    </interface>\n", "    </interface>\n    <tpm/>\n")


def test_adding_and_removing_gives_back_the_same_text() -> None:
    for xml in (PLAIN, PLAIN.replace("\n", "\r\n"), golden("domain_every_device")):
        disk = build_disk(target="vdz", source="/z")
        assert edit.remove_device(edit.add_device(xml, disk), edit.disk("vdz")) == xml


@pytest.mark.parametrize(
    ("xml", "grown"),
    [
        ("<domain/>", "<domain><devices><tpm/></devices></domain>"),
        ("<domain a='1' />", "<domain a='1'><devices><tpm/></devices></domain>"),
        ("<domain><devices/></domain>", "<domain><devices><tpm/></devices></domain>"),
        ("<domain><devices></devices></domain>", "<domain><devices><tpm/></devices></domain>"),
        ("<domain><name/></domain>", "<domain><name/><devices><tpm/></devices></domain>"),
    ],
)
def test_the_first_device_finds_its_place(xml: str, grown: str) -> None:
    assert edit.add_device(xml, "<tpm/>") == grown


def test_every_single_device_of_a_real_domain_can_be_taken_out() -> None:
    xml = golden("domain_every_device")
    elements = devices(xml)
    places = [span for span in spans(xml).children if xml.startswith("<devices>", span.start)]
    for element, span in zip(elements, places[0].children, strict=True):
        text = xml[span.start : span.end]
        line = f"    {text}\n"
        assert line in xml
        assert edit.remove_device(xml, edit.like(text)) == xml.replace(line, "", 1), element.tag


def test_a_real_domains_cdrom_changes_medium_and_all_else_stays() -> None:
    xml = golden("domain_saved")
    changed = edit.change_device(xml, edit.disk("sda"), DISK, {"source": '/新 "1".iso'})
    assert parse_domain(changed).disks[2].source == '/新 "1".iso'
    before, after = xml.split("<disk type='file' device='cdrom'>", 1)
    assert changed.startswith(before)
    assert changed.endswith(after.split("</disk>", 1)[1])
    assert "startupPolicy" in changed
    assert "<qemu:arg value='a&gt;b,debug-threads=on'/>" in changed


def test_an_interface_is_found_by_its_mac_in_any_case() -> None:
    changed = edit.change_device(
        PLAIN, edit.interface("52:54:00:aa:00:01"), INTERFACE, {"link": "down"}
    )
    assert '<link state="down"/>' in changed


def test_a_device_is_found_by_its_alias() -> None:
    assert "virtio-disk1" in edit.device_xml(
        golden("domain_running"), edit.with_alias("virtio-disk1")
    )


def test_a_host_device_is_found_by_what_it_takes_however_it_is_written() -> None:
    plain = (
        "<hostdev type='pci'><source><address bus='4' slot='0' function='0'/></source></hostdev>"
    )
    found = edit.device_xml(golden("domain_every_device"), edit.like(plain))
    assert "bus='0x04'" in found


def test_any_other_device_is_found_by_what_it_says_without_what_libvirt_adds() -> None:
    saved = edit.device_xml(golden("domain_saved"), edit.like("<sound model='ich9'/>"))
    running = edit.device_xml(golden("domain_running"), edit.like(saved))
    assert "<alias name='sound0'/>" in running


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(NoSuchDevice, match="no disk vdb"):
        edit.remove_device(PLAIN, edit.disk("vdb"))
    with pytest.raises(NoSuchDevice, match="no disk vdb"):
        edit.remove_device("<domain/>", edit.disk("vdb"))


def test_two_devices_that_could_be_meant_are_left_alone() -> None:
    twice = edit.add_device(
        edit.add_device(PLAIN, "<redirdev bus='usb'/>"), "<redirdev bus='usb'/>"
    )
    with pytest.raises(AmbiguousDevice, match="2 of redirdev"):
        edit.remove_device(twice, edit.like("<redirdev bus='usb'/>"))


def test_a_disk_of_another_place_is_not_touched() -> None:
    xml = "<domain><metadata><disk><target dev='vda'/></disk></metadata><devices/></domain>"
    with pytest.raises(NoSuchDevice):
        edit.remove_device(xml, edit.disk("vda"))


def test_wrong_input_is_refused_before_anything_is_changed() -> None:
    with pytest.raises(MalformedXml):
        edit.add_device(PLAIN, "<disk>")
    with pytest.raises(MalformedXml):
        edit.add_device("<network/>", "<disk/>")
    with pytest.raises(MalformedXml):
        edit.replace_device(PLAIN, edit.disk("vda"), "<disk/><disk/>")
    with pytest.raises(BadValue):
        edit.change_device(PLAIN, edit.disk("vda"), DISK, {"serial": "\x1b[2J"})
