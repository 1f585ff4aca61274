"""``<secret>`` read and written, and who names one."""

from __future__ import annotations

import pytest

from tuivirt.backend.model.secret import KINDS, Secret
from tuivirt.backend.xml.secret import names_secret, new_secret, parse_secret
from tuivirt.backend.xml.tree import parse

UUID = "7c2a4a60-6f0f-4f0c-9b57-0d6c0a2f1c11"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read_again(kind: str) -> None:
    one = Secret(UUID, kind, "a <name> & more", "of a test", ephemeral=True, private=True)
    assert parse_secret(new_secret(one)) == one
    other = Secret("", kind, "x")
    assert parse_secret(new_secret(other)) == other


def test_one_without_a_usage_is_read() -> None:
    found = parse_secret(f"<secret><uuid>{UUID}</uuid></secret>")
    assert found == Secret(UUID)
    assert found.called == UUID


@pytest.mark.parametrize(
    ("xml", "named"),
    [
        (f"<encryption format='luks'><secret uuid='{UUID}'/></encryption>", True),
        ("<encryption><secret type='passphrase' usage='/a'/></encryption>", True),
        ("<auth username='x'><secret type='ceph' usage='/a'/></auth>", False),
        ("<auth username='x'><secret type='volume' uuid='other' usage='/b'/></auth>", False),
        (f"<encryption secret='{UUID}'/>", True),
        ("<encryption secret='other'/>", False),
    ],
)
def test_it_is_named_by_its_uuid_or_by_its_usage(xml: str, named: bool) -> None:
    assert names_secret(parse(f"<x>{xml}</x>"), Secret(UUID, "volume", "/a")) is named
