"""Records of snapshots defined anew, and given back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.backend.snapshot_fakes import Guest, place, record
from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.snapshots import records
from tuivirt.backend.snapshots.read import snapshots_of

A, B = record("a", "/p/base", "/p/base.a"), record("b", "/p/base.a", "/p/base.b", "a")
A_BACK = record("a", "/p/base", "/p/base.a", reverted="/p/base.back")


@pytest.fixture
def went_back() -> Any:
    """A host whose domain went back to a, out of which b grew: b keeps what a has in its disks."""
    host = place(Guest("/p/base.back", "a", A_BACK, B))
    yield host
    host.answers.close()


def asked(host: Any, path: Path, text: str, **values: Any) -> list[tuple[Weight, str]]:
    path.write_text(text)
    plan = records.plan_redefine(host, "u", {"file": str(path), **values})
    return [(each.weight, each.text) for each in plan.findings]


def test_what_libvirt_notes_of_going_back_outlives_a_description_and_a_name(went_back: Any) -> None:
    guest = went_back.guest
    records.edit(went_back, "u", "a", {"description": "first"})
    assert guest.current == "a"
    assert "/p/base.back" in guest.records["a"], "else the next going back deletes what b keeps"
    assert "<description>first</description>" in guest.records["a"]
    records.edit(went_back, "u", "a", {"rename": "aa"})
    assert (guest.current, sorted(guest.records)) == ("aa", ["aa", "b"])
    assert "/p/base.back" in guest.records["aa"]


def test_so_it_does_where_what_the_current_one_grew_out_of_is_renamed() -> None:
    c = record("c", "/p/base.b", "/p/base.c", "b", reverted="/p/base.back")
    guest = Guest("/p/base.back", "c", A, B, c)
    records.edit(place(guest), "u", "b", {"rename": "bb"})
    assert guest.current == "c"
    assert "<name>bb</name>" in guest.records["c"]
    assert "/p/base.back" in guest.records["c"]


def test_a_file_that_does_not_tell_where_the_domain_went_is_refused(
    went_back: Any, tmp_path: Path
) -> None:
    file = tmp_path / "a.xml"
    for current in (False, True):
        said = asked(went_back, file, A, current=current)
        assert any(
            weight is Weight.REFUSED and "is on /p/base.back (<revertDisks>)" in text
            for weight, text in said
        )
    with pytest.raises(BadInput, match="with the next going back"):
        records.redefine(went_back, "u", str(file), current=True, force=True)
    assert "/p/base.back" in went_back.guest.records["a"]
    # The whole record is taken, and does not lose it on the way.
    file.write_text(went_back.guest.records["a"])
    records.redefine(went_back, "u", str(file), current=True, force=True)
    assert "/p/base.back" in went_back.guest.records["a"]


def test_none_becomes_the_current_one_whose_images_another_keeps(tmp_path: Path) -> None:
    file, kept = tmp_path / "x.xml", "delete /p/base.a with the next going back, and b keeps it"
    on_b = place(Guest("/p/base.b", "b", A, B))
    assert any(kept in text for _weight, text in asked(on_b, file, A, current=True))
    assert not any(kept in text for _weight, text in asked(on_b, file, A))
    # Nor is one given back that keeps what the current one would have deleted.
    on_a = place(Guest("/p/base.b", "a", A))
    assert any(kept in text for _weight, text in asked(on_a, file, B))
    assert not any(kept in text for _weight, text in asked(on_a, file, B, current=True))
    # libvirt before 9.9 does not go back natively, and deletes nothing.
    old = place(Guest("/p/base.b", "b", A, B), version="9.0.0")
    assert not any(kept in text for _weight, text in asked(old, file, A, current=True))


def test_that_libvirt_would_know_of_no_current_one_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.xml"
    host = place(Guest("/p/base.b", "", A))
    risk = (
        "vda is on /p/base.b, what was written since b: the domain grew out of it, and libvirt "
        "would know of no current snapshot"
    )
    assert asked(host, file, B) == [(Weight.RISK, risk)]
    assert asked(host, file, B, current=True) == []
    (note,) = asked(place(Guest("/p/base.b", "")), file, A)
    assert note == (Weight.NOTE, "libvirt knows of no current snapshot of it after this")
    file.write_text(B)
    with pytest.raises(BadInput, match="no current snapshot"):
        records.redefine(host, "u", str(file))
    records.redefine(host, "u", str(file), current=True)
    assert [(each.name, each.current) for each in snapshots_of(host, "u")] == [
        ("a", False),
        ("b", True),
    ]


SECRET = " passwd='geheim'"


def test_a_record_given_back_keeps_the_passwords_that_the_file_lacks(tmp_path: Path) -> None:
    screens = f"<graphics type='vnc' port='-1'/><graphics type='vnc' port='-1'{SECRET}/>"
    text = record("a", "/p/base", "/p/base.a", more=screens)
    host, file = place(Guest("/p/base.a", "a", text)), tmp_path / "a.xml"
    plain = records.xml_of(host, "u", "a")
    assert "geheim" not in plain
    for given in (plain, text.replace("geheim", "*****")):
        file.write_text(given)
        records.redefine(host, "u", str(file), force=True)
        (first, second) = host.guest.records["a"].split("<graphics ")[1:]
        assert "passwd" not in first
        assert 'passwd="geheim"' in second.replace("'", '"')
    # One that the file has is the one that it gets.
    file.write_text(text.replace("geheim", "neu"))
    records.redefine(host, "u", str(file), force=True)
    assert "geheim" not in host.guest.records["a"]


def test_that_a_file_may_lack_passwords_is_asked_where_libvirt_knows_none(tmp_path: Path) -> None:
    screen = f"<graphics type='spice'{SECRET}/>"
    text = record("a", "/p/base", "/p/base.a", more=screen)
    file, host = tmp_path / "a.xml", place(Guest("/p/base.a", ""))
    risk = "it has a screen without a password: after going back whoever reaches it gets in"
    assert asked(host, file, text.replace(SECRET, ""), current=True) == [(Weight.RISK, risk)]
    assert asked(host, file, text, current=True) == []
    file.write_text(text)
    records.redefine(host, "u", str(file), current=True)
    assert records.xml_of(host, "u", "a", secrets=True) == text
