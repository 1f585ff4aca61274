"""What cannot be done is said where it was asked for, and nothing is changed; names do no harm."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest

from tests.contract.cli import tuivirt
from tests.e2e.operator import Operator
from tests.support.guests import Disk, Guest, domain_xml, make_image, unique_name
from tests.support.libvirtd import PrivateLibvirtd

Sit = Callable[..., Operator]
Xml = Callable[[], tuple[str, str]]

HOSTILE = {
    "quotes": """it's "quoted" & <b>; $(reboot) `id`""",
    "wide": "日本語サーバー磁盘",
    # The eight-bit form of ESC [: XML 1.0 lets it through, a terminal may obey it.
    "escape": "red\x9b31mname\x9b2J\x84\x85",
    "bidi": "safe\u202eexe.nimda\u2066",
    "markup": "[bold red]loud[link=http:x]",
}


@pytest.fixture
def crowded(define: Callable[..., Guest], images: Path) -> Guest:
    """A running guest with a disk and not one free port."""
    disk = Disk(make_image(images / "first.img"))
    guest = define(disks=[disk], kernel=False, memory_mib=32, ports=0)
    guest.start()
    return guest


@pytest.fixture
def unchanged(crowded: Guest) -> Iterator[None]:
    """Both configurations are the same afterwards."""

    def both() -> tuple[str, str]:
        flags = (0, libvirt.VIR_DOMAIN_XML_INACTIVE)
        live, saved = (crowded.domain.XMLDesc(flag) for flag in flags)
        # Watching alone asks the balloon for its figures.
        return re.sub(r" *<stats period='\d+'/>\n", "", live), saved

    before = both()
    yield
    assert both() == before


def told_in_full(at: Operator, pattern: str) -> None:
    """The tasks' screen has the whole of what went wrong."""
    at.go_to("tasks")
    at.sees(pattern)


@pytest.mark.usefixtures("unchanged")
def test_a_missing_file_is_said_on_the_screen(operator: Sit, crowded: Guest) -> None:
    at = operator("-c", crowded.uri)
    at.pick(crowded.name)
    at.attach_disk("/nowhere/missing.img")
    at.sees("✗ .*missing.img")
    told_in_full(at, "(?i)no such file|does not exist|there is no file")


@pytest.mark.usefixtures("unchanged")
def test_a_disk_that_is_attached_already_is_said_on_the_screen(
    operator: Sit, crowded: Guest, images: Path
) -> None:
    at = operator("-c", crowded.uri)
    at.pick(crowded.name)
    at.attach_disk(str(images / "first.img"))
    at.sees("✗ ")
    told_in_full(at, "already attached")


@pytest.mark.usefixtures("unchanged")
def test_a_full_bus_is_said_on_the_screen(operator: Sit, crowded: Guest, images: Path) -> None:
    second = make_image(images / "second.img")
    at = operator("-c", crowded.uri)
    at.pick(crowded.name)
    at.attach_disk(str(second), "vdb")
    at.sees("✗ ")
    told_in_full(at, "no free PCI slot")


@pytest.mark.usefixtures("unchanged")
def test_a_form_that_is_not_complete_says_so_and_stays(operator: Sit, crowded: Guest) -> None:
    at = operator("-c", crowded.uri)
    at.pick(crowded.name)
    at.press("+")
    at.sees("Attach a disk: ")
    at.press("C-s")
    at.sees("(?i)source.*(needed|missing|required|given)")
    at.press("Escape")
    at.sees_no("Attach a disk: ")


def test_an_unknown_domain_is_said_on_the_command_line(qemu_uri: str) -> None:
    for verb in ("start", "console", "dumpxml"):
        ran = tuivirt("-c", qemu_uri, verb, "no-such-guest")
        assert ran.status == 1
        assert "no-such-guest" in ran.err
        assert "Traceback" not in ran.err


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_name_is_drawn_and_never_obeyed(
    operator: Sit, daemon: PrivateLibvirtd, kind: str
) -> None:
    name = HOSTILE[kind]
    with Guest.define(daemon.uri, domain_xml(name, kernel=False, memory_mib=32)) as guest:
        assert guest.name == name, "libvirt took the name as it is"
        at = operator("-c", daemon.uri, size=(160, 50), first="Domains 1 of 1")
        at.sees("^▌ +off ")
        at.press("C-d")
        at.sees("Undefine: ")
        at.press("Escape")
        at.sees_no("Undefine: ")
        at.press("Enter")
        at.sees("Overview")
        at.press("6")
        at.sees("<name>")
        at.press("s")
        at.sees(" is running")
        at.go_to("events")
        at.sees(r"lifecycle +started")
        at.go_to("tasks")
        at.sees(r"done .* Start ")
        drawn = at.terminal.raw
        text = drawn.decode("utf-8")
        # C1 controls and what turns the writing round never reach the terminal…
        assert not re.search("[\x80-\x9f\u202a-\u202e\u2066-\u2069]", text)
        # …and no sequence of the terminal holds a part of the name.
        assert b"\x1b[31mname" not in drawn
        assert b"link=" not in b"".join(re.findall(rb"\x1b\][^\x07\x1b]*", drawn))
        if kind in ("quotes", "wide", "markup"):
            assert HOSTILE[kind][:6] in text


def test_a_hostile_name_is_plain_in_tables_and_whole_in_json(qemu_uri: str) -> None:
    name = unique_name(HOSTILE["escape"])
    with Guest.define(qemu_uri, domain_xml(name, kernel=False)):
        table = tuivirt("-c", qemu_uri, "list", "domains")
        assert "\x9b" not in table.out
        records = tuivirt("-c", qemu_uri, "list", "domains", "-o", "json").json
        assert name in [record["name"] for record in records]
        ran = tuivirt("-c", qemu_uri, "start", name + "\x9b31m")
        assert ran.status == 1
        assert "\x9b" not in ran.err
