"""Every field that is declared is written, read back, changed, and understood by libvirt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import libvirt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.xml.pairs import Pair, pairs
from tests.unit.xml.random_xml import BLANK, DEVICES, HEAD, OTHERS
from tuivirt.backend.xml import edit
from tuivirt.backend.xml.catalog import Kind, kinds
from tuivirt.backend.xml.declare import Declaration, Field, FieldType, Value
from tuivirt.backend.xml.errors import BadValue
from tuivirt.backend.xml.tree import parse, to_text

KINDS = list(kinds().values())
EVERY_DEVICE = (
    *("disk", "interface", "hostdev", "serial", "parallel", "console", "channel", "controller"),
    *("filesystem", "graphics", "video", "sound", "audio", "input", "tpm", "rng", "watchdog"),
    *("memballoon", "memory", "vsock", "redirdev", "smartcard", "shmem", "panic", "iommu"),
)
DOMAIN = """<domain type='test'><name>declared</name><maxMemory slots='4' unit='GiB'>8</maxMemory>
<memory unit='GiB'>2</memory><os><type>hvm</type></os><features><ioapic driver='qemu'/></features>
<cpu><numa><cell id='0' memory='2' unit='GiB'/></numa></cpu>
<devices><controller type='usb' index='0'/></devices></domain>"""


def of_kind(kind: Kind) -> list[Pair]:
    return [pair for pair in pairs() if pair.kind is kind]


def needed(declaration: Declaration, name: str) -> bool:
    """Whether the device, or another of its fields, cannot be without this one."""
    return declaration[name].required or any(
        name in (other.by, *(on[0] for on in (other.only, other.unless) if on))
        for other in declaration.fields
    )


def silence(declaration: Declaration) -> dict[str, Value]:
    return {field.name: field.nothing for field in declaration.fields}


def test_every_kind_of_device_is_in_the_catalogue() -> None:
    assert sorted(kinds()) == sorted(EVERY_DEVICE)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_declared_field_is_said_in_a_golden_pair(kind: Kind) -> None:
    said = {name for pair in of_kind(kind) for name in pair.values}
    assert {field.name for field in kind.declaration.fields} == said


def test_a_controllers_number_is_small_as_libvirt_makes_all_that_are_missing_below_it() -> None:
    index = kinds()["controller"].declaration["index"]
    assert index.check(255) == 255
    with pytest.raises(BadValue, match="above 255"):
        index.check(256)


def test_a_field_that_hangs_on_one_that_is_not_given_says_so() -> None:
    with pytest.raises(BadValue, match="path: makes no sense while source is not given"):
        kinds()["rng"].declaration.build({"path": "/dev/hwrng"})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_field_tells_a_form_what_it_is(kind: Kind) -> None:
    for field in kind.declaration.fields:
        assert field.label, field.name
        assert field.help.endswith("."), field.name
        assert "\n" not in field.help, field.name
        assert len(field.help) <= 90, field.name
        if field.choices:
            assert field.type is FieldType.TEXT, field.name
        for value in (field.default, field.initial):
            assert value is None or field.check(value) == value, field.name


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_catalogue_names_fields_that_there_are(kind: Kind) -> None:
    for name in (*kind.identity, *kind.update, *(kind.plug_only or ((),))[:1]):
        if name:
            assert kind.declaration[str(name)]
    if kind.plug_only is not None:
        name, values = kind.plug_only
        assert set(values) <= set(kind.declaration[name].choices)


def test_what_cannot_be_changed_while_a_guest_runs_is_named_as_a_form_has_it() -> None:
    interface = kinds()["interface"]
    assert interface.update_refusal({"link": "down"}) == ""
    assert interface.update_refusal({"mtu": 9000, "mac": ""}) == (
        "MAC address, MTU of a network interface cannot be changed while the guest runs"
    )
    assert kinds()["tpm"].update_refusal({"version": "1.2"}) == (
        "a TPM cannot be changed while the guest runs"
    )


@pytest.mark.parametrize("pair", pairs(), ids=str)
def test_values_are_written_as_the_golden_xml(pair: Pair) -> None:
    assert pair.kind.declaration.build(pair.values) == pair.xml


@pytest.mark.parametrize("pair", pairs(), ids=str)
def test_the_golden_xml_is_read_as_the_values(pair: Pair) -> None:
    declaration = pair.kind.declaration
    assert declaration.parse(parse(pair.xml)) == {**silence(declaration), **pair.values}


@pytest.mark.parametrize("pair", pairs(), ids=str)
def test_taking_a_field_out_and_setting_it_again_changes_only_that(pair: Pair) -> None:
    declaration = pair.kind.declaration
    before = {**silence(declaration), **pair.values}
    for name, value in pair.values.items():
        if needed(declaration, name):
            continue
        element = parse(pair.xml)
        declaration.apply(element, {name: None})
        assert declaration.parse(element) == {**before, name: declaration[name].nothing}
        bare = to_text(element)
        declaration.apply(element, {name: value})
        assert declaration.parse(element) == before
        declaration.apply(element, {name: None})
        assert to_text(element) == bare, name


@pytest.mark.parametrize("pair", pairs(), ids=str)
def test_saying_what_a_device_says_already_changes_nothing(pair: Pair) -> None:
    element = parse(pair.xml)
    pair.kind.declaration.apply(element, {**silence(pair.kind.declaration), **pair.values})
    assert to_text(element) == pair.xml


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_a_new_device_gets_by_itself_can_be_written(kind: Kind) -> None:
    declaration = kind.declaration
    for pair in of_kind(kind):
        chosen = {name: value for name, value in pair.values.items() if declaration[name].required}
        assert declaration.build({**declaration.proposal(chosen), **chosen})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def conn() -> Iterator[Any]:
    conn = libvirt.open("test:///default")
    yield conn
    conn.close()


KNOWN = [pair for pair in pairs() if "does not know" not in pair.not_qemu]


@pytest.mark.parametrize("pair", KNOWN, ids=str)
def test_libvirt_understands_what_is_built(conn: Any, pair: Pair) -> None:
    xml = DOMAIN
    for device in (*pair.beside, pair.xml):
        xml = edit.add_device(xml, device)
    domain = conn.defineXML(xml)
    try:
        flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
        found = parse(domain.XMLDesc(flags)).findall(f"devices/{pair.kind.name}")
        said = [pair.kind.declaration.parse(element) for element in found]
    finally:
        domain.undefine()
    assert [each for each in said if pair.values.items() <= each.items()], said


# -- any change of any field of any device of any domain -----------------------------------------

WORD = st.from_regex(r"[a-z/木'\"<&][a-z0-9 /木'\"<&.:-]{0,12}[a-z]", fullmatch=True)


def value_of(field: Field) -> st.SearchStrategy[object]:
    """What can be said of a field."""
    if field.choices:
        return st.sampled_from(field.choices)
    if field.type in (FieldType.INT, FieldType.SIZE):
        return st.integers(field.least, 2**40 if field.most is None else field.most)
    if field.type in (FieldType.FLAG, FieldType.YES_NO, FieldType.ON_OFF):
        return st.booleans()
    if field.type is FieldType.HEX:
        return st.integers(0, 0xFFFF).map(lambda number: f"{number:x}")
    if field.type is FieldType.PCI:
        return st.builds(
            "{:x}:{:x}:{:02x}.{}".format,
            *(st.integers(0, most) for most in (0xFFFF, 0xFF, 0x1F, 7)),
        )
    if field.type is FieldType.LIST:
        return st.lists(WORD, min_size=1, max_size=4).map(", ".join)
    return WORD


@st.composite
def changes(draw: st.DrawFn) -> tuple[Pair, str, object]:
    """A device, one of its fields that makes sense there, and what it is changed to."""
    pair = draw(st.sampled_from(pairs()))
    declaration = pair.kind.declaration
    values = {**silence(declaration), **pair.values}
    can = [
        field
        for field in declaration.fields
        if field.applies(values)  # type: ignore[arg-type]
        and (isinstance(field.path, str) or str(values[field.by]) in field.path)
    ]
    field = draw(st.sampled_from(can))
    nothing = st.nothing() if needed(declaration, field.name) else st.none()
    return pair, field.name, draw(st.one_of(value_of(field), nothing))


def hangs_on(declaration: Declaration, name: str) -> set[str]:
    """The fields whose sense depends on that field, however far."""
    found = {name}
    for field in declaration.fields:
        if field.by in found or any(on[0] in found for on in (field.only, field.unless) if on):
            found.add(field.name)
    return found


UNKNOWN = "<alias name='ua-mine'/><x:y xmlns:x='u'  k = \"v\">木 &lt;</x:y><!-- kept -->"


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(changes(), DEVICES, BLANK, DEVICES, OTHERS, OTHERS, st.booleans())
def test_any_change_of_any_field_keeps_all_else(
    change: tuple[Pair, str, object],
    above: str,
    blank: str,
    below: str,
    first: str,
    last: str,
    indented: bool,
) -> None:
    pair, name, value = change
    declaration = pair.kind.declaration
    device = with_unknown(pair.xml)
    if indented:
        device = device.replace("><", ">\n      <")
    before = f"{HEAD}{first}<devices>{above}{blank}"
    after = f"{blank}{below}</devices>{last}</domain>\n"
    changed = edit.change_device(
        before + device + after, edit.with_alias("ua-mine"), declaration, {name: value}
    )
    assert changed.startswith(before)
    assert changed.endswith(after)
    new = parse(changed[len(before) : len(changed) - len(after)])
    said, old = declaration.parse(new), declaration.parse(parse(device))
    checked = declaration[name].check(value)
    assert said[name] == (declaration[name].nothing if checked is None else checked)
    others = declaration.parse(new).keys() - hangs_on(declaration, name)
    assert {other: said[other] for other in others} == {other: old[other] for other in others}
    assert "木 &lt;</x:y>" in to_text(new)
    assert "<!-- kept -->" in to_text(new)
    assert [e.attrib for e in new.findall("{u}y")] == [{"k": "v"}]


def with_unknown(xml: str) -> str:
    """A device's XML with what no declaration knows."""
    if xml.endswith("/>") and xml.count("<") == 1:
        return f"{xml[:-2]}>{UNKNOWN}</{re.match('<([a-z]+)', xml)[1]}>"  # type: ignore[index]
    return re.sub(r"(</[a-z]+>)$", lambda end: UNKNOWN + end[1], xml)
