"""A device type is declared once, and everything else follows from it."""

from __future__ import annotations

import pytest
from lxml import etree

from tuivirt.backend.xml.declare import Declaration, Field, FieldType
from tuivirt.backend.xml.errors import BadValue, MalformedXml
from tuivirt.backend.xml.tree import Element, parse, to_text

THING = Declaration(
    "thing",
    (
        Field("kind", "@type", "Kind", "…", choices=("a", "b", "c"), default="a", required=True),
        Field("where", {"a": "source/@file", "b": "source/@dev"}, "Where", "…", by="kind"),
        Field("size", "size", "Size", "…", FieldType.SIZE),
        Field("count", "deep/er/@count", "Count", "…", FieldType.INT),
        Field("on", "driver/@on", "On", "…", FieldType.ON_OFF),
        Field("yes", "driver/@yes", "Yes", "…", FieldType.YES_NO),
        Field("flag", "flag", "Flag", "…", FieldType.FLAG),
        Field("only_b", "extra", "Extra", "…", only=("kind", ("b",))),
        Field("opt", "option[@name='x']/@value", "Option", "…"),
    ),
)


def apply(xml: str, **changes: object) -> str:
    element = parse(xml)
    THING.apply(element, changes)
    return to_text(element)


def values(xml: str) -> dict[str, object]:
    return dict(THING.parse(parse(xml)))


def test_where_the_xml_is_silent_each_field_says_what_that_means() -> None:
    assert values("<thing/>") == {
        "kind": "a",
        "where": "",
        "size": None,
        "count": None,
        "on": None,
        "yes": None,
        "flag": False,
        "only_b": "",
        "opt": "",
    }


def test_every_type_is_read() -> None:
    xml = (
        "<thing type='b'><source dev='/d'/><size unit='MiB'>2</size><deep><er count='0x10'/></deep>"
        "<driver on='off' yes='yes'/><flag/><extra>e</extra>"
        "<option name='w' value='1'/><option name='x' value='2'/></thing>"
    )
    assert values(xml) == {
        "kind": "b",
        "where": "/d",
        "size": 2 * 1024**2,
        "count": 16,
        "on": False,
        "yes": True,
        "flag": True,
        "only_b": "e",
        "opt": "2",
    }


def test_the_first_of_several_elements_counts_and_they_are_not_mixed() -> None:
    xml = "<thing><driver on='on'/><driver on='off' yes='yes'/></thing>"
    assert (values(xml)["on"], values(xml)["yes"]) == (True, None)


def test_what_a_newer_libvirt_may_say_is_read_and_only_writing_is_limited() -> None:
    assert values("<thing type='z'/>")["kind"] == "z"
    with pytest.raises(BadValue, match="kind: 'z' is not one of a, b, c"):
        THING.build({"kind": "z"})


def test_a_number_that_is_none_counts_as_silence() -> None:
    assert values("<thing><deep><er count='many'/></deep></thing>")["count"] is None


def test_a_new_device_says_what_is_given_and_what_it_needs() -> None:
    assert THING.build({}) == '<thing type="a"/>'
    assert (
        THING.build({"where": "/f", "flag": True, "on": "no", "size": 4096, "opt": "1"})
        == '<thing type="a"><source file="/f"/><size unit="KiB">4</size><driver on="off"/><flag/>'
        '<option name="x" value="1"/></thing>'
    )


def test_a_size_that_its_unit_cannot_hold_is_written_in_bytes() -> None:
    xml = THING.build({"size": 4097})
    assert '<size unit="bytes">4097</size>' in xml
    assert values(xml)["size"] == 4097


def test_a_change_that_says_what_is_there_writes_nothing() -> None:
    xml = '<thing><source file="/f"/><!-- k --></thing>'
    assert apply(xml, kind="a", where="/f", flag=False, count=None) == xml


def test_a_change_makes_the_elements_on_the_way() -> None:
    assert apply("<thing/>", count=3) == '<thing><deep><er count="3"/></deep></thing>'


def test_taking_a_field_out_takes_out_what_it_empties_and_no_more() -> None:
    xml = '<thing><deep><er count="3"/></deep><driver on="on" io="x"/></thing>'
    assert apply(xml, count=None, on=None) == '<thing><driver io="x"/></thing>'


def test_an_element_that_was_empty_before_stays() -> None:
    xml = '<thing><deep><er/></deep><source file="/f"/></thing>'
    assert apply(xml, count=None, where="/g") == xml.replace("/f", "/g")


def test_new_children_are_indented_like_the_others() -> None:
    xml = "<thing>\n  <flag/>\n</thing>"
    assert apply(xml, count=1) == ('<thing>\n  <flag/>\n  <deep><er count="1"/></deep>\n</thing>')


def test_adding_and_taking_out_gives_back_the_same_text() -> None:
    xml = "<thing>\n  <flag/>\n  <other/>\n</thing>"
    assert apply(apply(xml, count=1, on=True), count=None, on=None) == xml
    assert apply(apply(xml, flag=False), flag=True).count("<flag/>") == 1


def test_text_around_an_element_that_goes_stays() -> None:
    assert apply("<thing>one<flag/>two<!--c-->three</thing>", flag=False) == (
        "<thing>onetwo<!--c-->three</thing>"
    )
    assert apply("<thing><x/>one<flag/>two</thing>", flag=False) == "<thing><x/>onetwo</thing>"


def test_a_place_that_depends_on_another_field_moves_with_it() -> None:
    xml = '<thing type="a"><source file="/f" keep="1"/></thing>'
    assert apply(xml, kind="b", where="/d") == (
        '<thing type="b"><source keep="1" dev="/d"/></thing>'
    )


def test_changing_the_kind_drops_what_the_old_kind_had() -> None:
    assert apply('<thing type="b"><source dev="/d"/><extra>e</extra></thing>', kind="a") == (
        '<thing type="a"/>'
    )


def test_a_field_that_makes_no_sense_beside_another_is_refused() -> None:
    with pytest.raises(BadValue, match="only_b: makes no sense while kind is a"):
        THING.build({"only_b": "e"})
    with pytest.raises(BadValue, match="where: makes no sense while kind is c"):
        THING.build({"kind": "c", "where": "/f"})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"count": "many"}, "not a whole number"),
        ({"count": -1}, "below zero"),
        ({"count": True}, "not a whole number"),
        ({"on": "maybe"}, "neither yes nor no"),
        ({"opt": "bell\x07"}, r"U\+0007, which XML cannot hold"),
        ({"opt": "half \ud800"}, r"U\+D800"),
        ({"opt": "\uffff"}, r"U\+FFFF"),
        ({"nonsense": 1}, "no such field"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_nothing_is_changed(
    changes: dict[str, object], why: str
) -> None:
    element: Element = etree.fromstring("<thing type='a'/>")
    before = to_text(element)
    with pytest.raises(BadValue, match=why):
        THING.apply(element, {"kind": "b", "flag": True, **changes})
    assert to_text(element) == before


def test_another_element_is_refused() -> None:
    with pytest.raises(MalformedXml, match="<thing> was expected"):
        THING.parse(parse("<other/>"))


def test_a_wrong_declaration_is_found_when_it_is_made() -> None:
    with pytest.raises(TypeError, match="twice"):
        Declaration("x", (Field("a", "@a", "A", "…"), Field("a", "@b", "A", "…")))
    with pytest.raises(TypeError, match="not yet known"):
        Declaration("x", (Field("a", {"v": "@a"}, "A", "…", by="b"),))
    with pytest.raises(TypeError, match="cannot read the step"):
        Declaration("x", (Field("a", "b[1]/@c", "A", "…"),))


def test_a_newer_libvirts_word_may_be_said_again_by_a_form_that_returns_all() -> None:
    xml = '<thing type="z" n="1"/>'
    assert apply(xml, **values(xml)) == xml
    assert apply(xml, **{**values(xml), "on": True}) == (
        '<thing type="z" n="1"><driver on="on"/></thing>'
    )


def test_a_size_is_said_with_a_unit_or_in_bytes() -> None:
    said = [THING["size"].check(word) for word in ("512 MiB", "1G", "10KB", "4096", 7)]
    assert said == [512 * 1024**2, 1024**3, 10_000, 4096, 7]
    for wrong in ("many", "1 furlong", "-1"):
        with pytest.raises(BadValue):
            THING["size"].check(wrong)


MORE = Declaration(
    "more",
    (
        Field("names", "name", "Names", "…", FieldType.LIST),
        Field("ids", "group/tag[@k='x']/@id", "Ids", "…", FieldType.LIST),
        Field("pci", "source/address[@type='pci']", "Address", "…", FieldType.PCI),
        Field("vendor", "vendor/@id", "Vendor", "…", FieldType.HEX),
        Field("where", "listen/@address", "Where", "…", also="@listen"),
        Field("port", "@port", "Port", "…", FieldType.INT, least=1, most=65535, initial=80),
    ),
)


def change(xml: str, **changes: object) -> str:
    element = parse(xml)
    MORE.apply(element, changes)
    return to_text(element)


def test_a_list_is_one_element_for_each_value_and_keeps_what_else_they_say() -> None:
    xml = "<more><name>a</name><other/><name k='1'>b</name></more>"
    assert MORE.parse(parse(xml))["names"] == "a, b"
    assert change(xml, names="c, d, e") == (
        '<more><name>c</name><other/><name k="1">d</name><name>e</name></more>'
    )
    assert change(xml, names="c") == "<more><name>c</name><other/></more>"
    assert (
        change("<more><name>a</name><name>b</name><x/></more>", names=None) == "<more><x/></more>"
    )


def test_a_list_in_attributes_makes_its_elements_as_they_are_found() -> None:
    xml = change("<more/>", ids="1, 2")
    assert xml == '<more><group><tag k="x" id="1"/><tag k="x" id="2"/></group></more>'
    assert change(xml, ids=None) == "<more/>"


def test_a_pci_address_is_one_value_and_goes_as_a_whole() -> None:
    xml = change("<more/>", pci="3:10.1")
    assert xml == (
        '<more><source><address type="pci" domain="0x0000" bus="0x03" slot="0x10"'
        ' function="0x1"/></source></more>'
    )
    assert MORE.parse(parse(xml))["pci"] == "0000:03:10.1"
    assert change(xml, pci=None) == "<more/>"
    for wrong in ("3", "0000:03:20.0", "0000:03:00.8", "x:y:z.0"):
        with pytest.raises(BadValue, match="no PCI address"):
            change("<more/>", pci=wrong)


def test_a_number_of_four_hexadecimal_digits_is_written_as_libvirt_does() -> None:
    assert change("<more/>", vendor="1D6B") == '<more><vendor id="0x1d6b"/></more>'
    assert MORE.parse(parse("<more><vendor id='0x3'/></more>"))["vendor"] == "0x0003"
    with pytest.raises(BadValue, match="four hexadecimal digits"):
        change("<more/>", vendor="0x12345")


def test_a_value_that_stands_twice_is_read_from_either_and_kept_equal() -> None:
    both = '<more listen="a"><listen address="a"/></more>'
    assert MORE.parse(parse("<more listen='a'/>"))["where"] == "a"
    assert MORE.parse(parse(both))["where"] == "a"
    assert change(both, where="b") == both.replace('"a"', '"b"')
    assert change(both, where=None) == "<more/>"


def test_a_number_out_of_its_range_is_refused() -> None:
    for wrong, why in ((0, "below 1"), (65536, "above 65535")):
        with pytest.raises(BadValue, match=why):
            change("<more/>", port=wrong)


def test_a_new_device_is_proposed_what_is_not_said() -> None:
    assert MORE.proposal({}) == {"port": 80}
    assert MORE.proposal({"port": 81}) == {}
