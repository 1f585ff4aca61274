"""A change of a running device is of the device that was meant, whoever else changes the domain."""

from __future__ import annotations

import pytest

from tuivirt.backend import devices
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.xml.catalog import kinds
from tuivirt.backend.xml.domain import parse_domain
from tuivirt.backend.xml.found import found


def xml(*cards: str) -> str:
    interfaces = "".join(
        f"<interface type='network'><mac address='52:54:00:00:00:0{card}'/>"
        f"<source network='lan'/><alias name='net{card}'/></interface>"
        for card in cards
    )
    return f"<domain type='qemu'><name>web</name><devices>{interfaces}</devices></domain>"


class Guest:
    """A domain whose configuration somebody else changes."""

    def __init__(self, text: str) -> None:
        self._text = text

    def name(self) -> str:
        return "web"

    def XMLDesc(self, _flags: int) -> str:
        return self._text


def test_the_device_is_changed_that_was_read() -> None:
    kind = kinds()["interface"]
    second = found(parse_domain(xml("0", "1")), kind)[1]
    text = devices._changed(Guest(xml("0", "1")), second, {"link": "down"})
    assert "52:54:00:00:00:01" in text
    assert "state='down'" in text.replace('"', "'")


def test_a_neighbour_that_has_moved_into_its_place_is_not_changed() -> None:
    kind = kinds()["interface"]
    first = found(parse_domain(xml("0", "1")), kind)[0]
    with pytest.raises(TuivirtError, match="have changed since they were read"):
        devices._changed(Guest(xml("1")), first, {"link": "down"})
