"""A device's form: which fields it has beside what is filled in, and what is asked for then."""

from __future__ import annotations

from typing import Any

import pytest

from tuivirt.actions.catalog import everything
from tuivirt.actions.device_forms import (
    Shown,
    asked_for,
    attaching,
    changing,
    lacking_of,
    live_refusal,
)
from tuivirt.backend.model.forms import FormFacts, KnownDevice
from tuivirt.backend.model.machine import Capabilities, Machine
from tuivirt.backend.xml.catalog import kinds

Q35 = frozenset(("qemu", "x86_64", "x86", "q35", "usb"))
OFFERED = Capabilities(
    {
        "graphics": {"type": ("vnc",)},
        "disk": {"bus": ("virtio", "sata"), "diskDevice": ("disk", "cdrom")},
        "video": {"modelType": ("vga", "virtio")},
    }
)
HERE = Machine(Q35, "9.0.0", "QEMU 7.2.22", OFFERED)
VERBS = {
    name: action
    for name, action in everything().items()
    if name.partition("-")[0] in ("attach", "update")
    and name.partition("-")[2] in kinds()
    and name not in ("attach-disk", "attach-hostdev")
}
FACTS = FormFacts(HERE, active=True, networks=("default", "lab"))


def by_name(fields: tuple[Shown, ...]) -> dict[str, Shown]:
    return {field.name: field for field in fields}


def known(kind: str, label: str, **values: Any) -> KnownDevice:
    declared = kinds()[kind].declaration
    return KnownDevice(label, "", {f.name: f.nothing for f in declared.fields} | values, True)


def test_a_form_shows_what_applies_and_keeps_the_rest_back() -> None:
    fields = by_name(attaching("rng", FACTS, {}))
    assert [name for name, each in fields.items() if not each.rare] == [
        "model",
        "backend",
        "device",
    ]
    assert [name for name, each in fields.items() if each.rare] == ["bytes", "period"]


def test_what_decides_brings_other_fields_at_once() -> None:
    fields = by_name(attaching("rng", FACTS, {"backend": "egd"}))
    assert "device" not in fields
    assert fields["source"].start == "tcp"
    assert {"host", "service"} <= fields.keys()
    assert "host" not in by_name(attaching("rng", FACTS, {"backend": "egd", "source": "unix"}))


def test_a_field_that_has_a_best_value_begins_with_it_and_offers_no_nothing() -> None:
    fields = by_name(attaching("watchdog", FACTS, {}))
    assert (fields["model"].start, fields["action"].start) == ("i6300esb", "reset")
    assert "" not in fields["model"].choices + fields["action"].choices
    assert "" in by_name(attaching("video", FACTS, {}))["accel3d"].choices


def test_what_the_host_lacks_is_told_with_its_reason_and_not_offered() -> None:
    graphics = by_name(attaching("graphics", FACTS, {}))["type"]
    assert graphics.choices == ("vnc",)
    assert "spice needs a QEMU with SPICE" in graphics.missing
    watchdog = by_name(attaching("watchdog", FACTS, {}))["model"]
    assert watchdog.missing == "Not here: itco needs libvirt 9.1 (the host has 9.0.0)."


def test_what_is_lacking_for_the_same_reason_is_told_together() -> None:
    missing = by_name(attaching("video", FACTS, {}))["type"].missing
    assert "bochs, cirrus, ramfb, none, vmvga are not in QEMU 7.2.22" in missing


def test_what_no_such_machine_ever_has_is_not_worth_a_word() -> None:
    assert by_name(attaching("input", FACTS, {"type": "mouse"}))["bus"].missing == ""


def test_an_interface_begins_in_the_first_network_and_other_sources_are_listed() -> None:
    source = by_name(attaching("interface", FACTS, {}))["source"]
    assert (source.start, source.choices) == ("default", ("default", "lab"))
    assert by_name(attaching("interface", FACTS, {"type": "bridge"}))["source"].choices == ()
    listed = {
        kind: next(f.listed for f in attaching("interface", FACTS, {"type": kind}) if f.listed)
        for kind in ("bridge", "direct", "hostdev")
    }
    assert listed == {
        "bridge": "bridges",
        "direct": "network interfaces",
        "hostdev": "virtual functions",
    }


def test_a_virtual_function_is_given_with_its_address_and_vlan() -> None:
    fields = by_name(attaching("interface", FACTS, {"type": "hostdev"}))
    assert [n for n, f in fields.items() if not f.rare] == ["type", "pci", "mac", "vlan", "link"]
    given = {"type": "hostdev", "pci": "0000:03:10.1", "mac": "", "vlan": "42", "link": "up"}
    asked = asked_for("interface", FACTS, given, new=True)
    assert asked == {"type": "hostdev", "pci": "0000:03:10.1", "vlan": "42"}


def test_of_a_block_device_the_hosts_are_listed() -> None:
    facts = FormFacts(HERE, devices=(known("disk", "vda", target="vda", source_type="file"),))
    assert by_name(changing("disk", facts, {}))["source"].listed == ""
    fields = by_name(changing("disk", facts, {"source_type": "block"}))
    assert fields["source"].listed == "block devices"


def test_what_silence_means_is_not_written() -> None:
    given = {"model": "i6300esb", "action": "reset", "when": "auto"}
    assert asked_for("watchdog", FACTS, given, new=True) == {"model": "i6300esb", "when": "auto"}
    assert asked_for("watchdog", FACTS, {**given, "action": "pause"}, new=True)["action"] == "pause"


def test_a_change_begins_with_what_the_device_is_and_asks_for_what_differs() -> None:
    one = known("memory", "#1", model="dimm", size=512 * 1024**2, node=0)
    facts = FormFacts(HERE, devices=(one,))
    fields = by_name(changing("memory", facts, {"which": "#1"}))
    assert (fields["model"].start, fields["size"].start) == ("dimm", "512 MiB")
    filled = {name: field.start for name, field in fields.items()} | {"which": "#1"}
    assert asked_for("memory", facts, filled, new=False) == {"which": "#1"}
    filled |= {"size": "1 GiB", "node": ""}
    assert asked_for("memory", facts, filled, new=False) == {
        "which": "#1",
        "size": "1 GiB",
        "clear": "node",
    }


def test_what_the_device_says_stands_in_front_and_stays_to_be_chosen() -> None:
    one = known("video", "#1", type="cirrus", heads=2, width=800)
    fields = by_name(changing("video", FormFacts(HERE, devices=(one,)), {}))
    assert "cirrus" in fields["type"].choices, "though the host does not offer it any more"
    assert not fields["width"].rare
    assert fields["height"].rare


def test_of_what_is_there_or_not_a_change_offers_no_third() -> None:
    one = known("disk", "vda", target="vda", readonly=True)
    fields = by_name(changing("disk", FormFacts(HERE, devices=(one,)), {}))
    assert (fields["read_only"].choices, fields["read_only"].start) == (("yes", "no"), "yes")
    assert fields["transient"].rare, "that it is not there is worth no row"


def test_each_of_several_devices_has_values_of_its_own() -> None:
    devices = (known("input", "a", type="mouse"), known("input", "b", type="tablet"))
    facts = FormFacts(HERE, devices=devices)
    assert changing("input", facts, {"which": ""}) == ()
    first, second = (
        by_name(changing("input", facts, {"which": label}))["type"] for label in ("a", "b")
    )
    assert (first.start, second.start) == ("mouse", "tablet")
    assert first.of != second.of


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        ("tpm", {}, "cannot be plugged into a running guest"),
        ("serial", {}, "only a serial port whose connected as is usb-serial or pci-serial"),
        ("serial", {"target_type": "pci-serial"}, ""),
        ("rng", {}, ""),
    ],
)
def test_what_a_running_guest_cannot_be_given_is_known_before(
    kind: str, given: dict[str, str], words: str
) -> None:
    assert words in live_refusal(kind, FACTS, given, new=True)
    assert bool(words) == bool(live_refusal(kind, FACTS, given, new=True))
    assert live_refusal(kind, FormFacts(HERE, active=False), given, new=True) == ""


def test_what_of_a_running_device_cannot_be_changed_is_known_before() -> None:
    one = known("interface", "52:54:00:00:00:01", type="network", source="lab", link="up")
    facts = FormFacts(HERE, active=True, devices=(one,))
    filled = {f.name: f.start for f in changing("interface", facts, {})}
    assert live_refusal("interface", facts, {**filled, "link": "down"}, new=False) == ""
    assert "MTU of a network interface cannot be changed" in live_refusal(
        "interface", facts, {**filled, "mtu": "9000"}, new=False
    )


def test_of_a_disk_the_buses_that_the_host_lacks_are_told() -> None:
    can, missing = lacking_of("bus", ("virtio", "ide"), FACTS)
    assert can == ("virtio",)
    assert missing == "Not here: ide needs an i440fx machine."


@pytest.mark.parametrize("name", sorted(VERBS))
def test_every_field_of_a_form_is_an_option_of_its_verb(name: str) -> None:
    verb, _, kind = name.partition("-")
    options = {parameter.name for parameter in VERBS[name].parameters}
    one = known(kind, "#1")
    facts = FormFacts(HERE, devices=(one,))
    fields = attaching(kind, facts, {}) if verb == "attach" else changing(kind, facts, {})
    assert {field.name for field in fields} <= options
    given = {field.name: field.start for field in fields}
    if verb == "attach":
        wanted = asked_for(kind, facts, given, new=True)
        needed = {p.name for p in VERBS[name].parameters if p.required}
        VERBS[name].convert(wanted | {n: "1" for n in needed if not wanted.get(n)})
