"""Which device is meant, and which it is in the other configuration."""

from __future__ import annotations

import pytest

from tests.unit.xml.golden import golden
from tuivirt.backend.xml import edit
from tuivirt.backend.xml.catalog import kinds
from tuivirt.backend.xml.domain import parse_domain, skim_domain
from tuivirt.backend.xml.errors import AmbiguousDevice
from tuivirt.backend.xml.found import Found, found, pairs, pick, twin

LIVE = golden("domain_running")
SAVED = golden("domain_saved")


def devices(kind: str, xml: str = SAVED) -> tuple[Found, ...]:
    return found(parse_domain(xml), kinds()[kind])


def domain(*inside: str) -> str:
    return f"<domain><devices>{''.join(inside)}</devices></domain>"


def test_every_device_of_a_domain_is_found_under_its_kind() -> None:
    config = parse_domain(golden("domain_every_device"))
    count = sum(len(found(config, kind)) for kind in kinds().values())
    hubs = sum(device.kind == "hub" for device in config.devices)
    assert count == len(config.disks) + len(config.interfaces) + len(config.devices) - hubs


def test_labels_tell_devices_of_a_kind_apart() -> None:
    for kind in kinds():
        labels = [each.label for each in devices(kind, golden("domain_every_device"))]
        assert len(set(labels)) == len(labels), kind


def test_a_device_is_called_by_identity_alias_address_or_number() -> None:
    one = devices("interface", LIVE)[0]
    for word in (one.identity, one.identity.upper(), one.alias, one.address, "#1"):
        assert pick(devices("interface", LIVE), word) == one, word
    assert pick(devices("interface", LIVE), "nosuch") is None


def test_without_a_word_the_only_one_is_meant() -> None:
    two = devices("rng", domain("<rng model='virtio'/>", "<rng model='virtio'/>"))
    assert [each.label for each in two] == ["#1", "#2"]
    assert pick(two[:1], "") == two[0]
    with pytest.raises(AmbiguousDevice, match="more than one: #1, #2"):
        pick(two, "")


@pytest.mark.parametrize("kind", kinds())
def test_each_running_device_is_known_again_in_the_saved_configuration(kind: str) -> None:
    nows, thens = devices(kind, LIVE), devices(kind, SAVED)
    known = [twin(each, thens) for each in nows]
    # libvirt adds controllers and what belongs to them while a domain runs.
    assert sorted(one.number for one in known if one is not None) == [*range(len(thens))]


def test_of_two_that_are_equal_one_is_taken_out_by_its_number() -> None:
    xml = domain("<rng model='virtio'/>", "<!-- between -->", "<rng model='virtio'/>")
    second = devices("rng", xml)[1]
    assert edit.remove_device(xml, second.selector) == domain(
        "<rng model='virtio'/>", "<!-- between -->"
    )


def test_of_what_was_only_skimmed_nothing_is_found() -> None:
    assert found(skim_domain(LIVE), kinds()["rng"]) == ()
    assert found(None, kinds()["rng"]) == ()


def test_one_that_was_changed_and_has_no_address_is_known_again_by_its_number() -> None:
    live = devices("tpm", domain("<tpm model='tpm-crb'><backend type='emulator'/></tpm>"))
    saved = devices("tpm", domain("<tpm model='tpm-tis'><backend type='emulator'/></tpm>"))
    assert twin(live[0], saved) == saved[0]
    placed = "<rng model='virtio'{}><address type='pci' bus='0x0{}' slot='0'/></rng>"
    here = devices("rng", domain(placed.format("", 5)))
    there = devices("rng", domain(placed.format(" other='1'", 6)))
    assert twin(here[0], there) is None


def test_of_equal_devices_each_has_a_twin_of_its_own() -> None:
    placed = "<rng model='virtio'{}><address type='pci' bus='0x0{}' slot='0'/></rng>"
    nows = devices("rng", domain(*(placed.format("", bus) for bus in (5, 6))))
    thens = devices("rng", domain(*(placed.format("", bus) for bus in (7, 5))))
    assert pairs(nows, thens) == [thens[1], thens[0]]
    changed = devices("rng", domain(placed.format("", 5), placed.format(" other='1'", 7)))
    assert pairs(nows, changed) == [changed[0], None]
    assert pairs(nows, changed, loosely=True) == [changed[0], changed[1]]
