"""What comes from a host is untrusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuivirt.backend.xml.domain import parse_domain
from tuivirt.backend.xml.errors import MalformedXml
from tuivirt.backend.xml.tree import parse


def test_an_external_entity_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    doctype = f"<!DOCTYPE domain [<!ENTITY e SYSTEM '{secret.as_uri()}'>]>"
    xml = f"{doctype}<domain><name>&e;</name></domain>"
    with pytest.raises(MalformedXml, match="DOCTYPE"):
        parse_domain(xml)


def test_entities_that_multiply_are_refused() -> None:
    entities = "".join(
        f"<!ENTITY e{n} '{f'&e{n - 1};' * 20}'>" if n else "<!ENTITY e0 'ha'>" for n in range(12)
    )
    with pytest.raises(MalformedXml):
        parse_domain(f"<!DOCTYPE d [{entities}]><domain name='&e11;'/>")


@pytest.mark.parametrize(
    "xml", ["", "   ", "<domain>", "no xml", "<domain/><domain/>", "<a>\x07</a>"]
)
def test_what_is_not_xml_is_refused_with_a_sentence(xml: str) -> None:
    with pytest.raises(MalformedXml, match="not well-formed"):
        parse_domain(xml)


def test_another_element_than_expected_is_refused_by_name() -> None:
    with pytest.raises(MalformedXml, match="<network> found where <domain> was expected"):
        parse_domain("<network/>")


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(MalformedXml, match="surrogate"):
        parse_domain("<domain><name>\ud800</name></domain>")


def test_a_declared_encoding_does_not_garble_the_text() -> None:
    xml = "<?xml version='1.0' encoding='ISO-8859-1'?><domain><name>机 é</name></domain>"
    assert parse_domain(xml).name == "机 é"


def test_very_deep_xml_is_refused_rather_than_followed() -> None:
    with pytest.raises(MalformedXml):
        parse("<a>" * 5000 + "</a>" * 5000)


def test_names_are_read_as_they_are_for_the_screen_to_make_harmless() -> None:
    config = parse_domain(
        "<domain><name>a&#9;&quot;'虚&#x9b;2J</name><title>&#x85;</title></domain>"
    )
    assert (config.name, config.title) == ("a\t\"'虚\x9b2J", "\x85")
