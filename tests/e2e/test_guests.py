"""A guest is started, watched, plugged and ended by keys, and the figures are libvirt's own."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.cli import tuivirt
from tests.e2e.operator import Operator
from tests.support.guests import Disk, Guest, make_image
from tests.support.libvirtd import until

Size = tuple[int, int]
Sit = Callable[..., Operator]

LOOP = "{ while :; do dd if=/dev/vda of=/dev/null bs=64k iflag=direct 2>/dev/null; done & }"
"""Keeps a guest's processor and its disk busy."""


@pytest.fixture
def busy(define: Callable[..., Guest], images: Path) -> Guest:
    """A guest that reads its disk for ever."""
    guest = define(serials=2, disks=[Disk(make_image(images / "read.img"))])
    guest.boot("serial1").run(LOOP)
    return guest


def domstats(guest: Guest) -> dict[str, str]:
    argv = ["virsh", "-c", guest.uri, "domstats", guest.uuid]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return dict(line.strip().split("=", 1) for line in said.splitlines() if "=" in line)


def test_a_guest_is_started_watched_shut_down_and_forced_off_by_keys(
    operator: Sit, define: Callable[..., Guest], size: Size
) -> None:
    guest = define(serials=2)
    at = operator("-c", guest.uri, size=size)
    at.pick(guest.name)
    at.sees_row(guest.name, "off +{name}")

    at.press("s")
    at.sees_row(guest.name, "run +{name}")
    at.sees(f"{guest.name} is running")
    assert guest.active
    # It boots: its processor is busy.
    at.sees_row(guest.name, r"run +{name} +[1-9]\d* ")

    guest.serial("serial1").send("\n")
    guest.serials[-1].wait_for_shell()
    at.press("x")
    at.answer(f"Ask {guest.name} to shut down", "y")
    at.sees_row(guest.name, "off +{name}")
    assert not guest.active

    at.press("s")
    at.sees_row(guest.name, "run +{name}")
    at.press("C-k")
    at.answer(f"Force off {guest.name} as if its power were cut", "n")
    assert guest.active
    at.press("C-k")
    at.answer("as if its power were cut", "Enter")  # Enter alone harms nothing.
    assert guest.active
    at.press("C-k")
    at.answer("as if its power were cut", "y")
    at.sees_row(guest.name, "off +{name}")
    assert not guest.active


def test_what_happened_to_a_guest_is_told_by_its_events_and_tasks(
    operator: Sit, define: Callable[..., Guest]
) -> None:
    guest = define(kernel=False, memory_mib=32)
    at = operator("-c", guest.uri, size=(160, 50))
    at.pick(guest.name)
    at.press("s")
    at.sees_row(guest.name, "run +{name}")
    at.go_to("events")
    at.sees(rf"{guest.name} +lifecycle +started")
    at.go_to("tasks")
    at.sees(rf"done +{guest.name} +Start")


def test_a_change_made_by_somebody_else_is_seen_too(
    operator: Sit, define: Callable[..., Guest]
) -> None:
    guest = define(kernel=False, memory_mib=32)
    at = operator("-c", guest.uri)
    at.pick(guest.name)
    guest.start()
    at.sees_row(guest.name, "run +{name}")
    guest.domain.suspend()
    at.sees_row(guest.name, "paused +{name}")
    guest.destroy()
    at.sees_row(guest.name, "off +{name}")
    guest.domain.undefine()
    at.sees(r"Domains 0 of \d+")


def test_the_figures_are_above_zero_and_in_line_with_virsh_domstats(
    operator: Sit, busy: Guest
) -> None:
    at = operator("-c", busy.uri)
    at.pick(busy.name)
    rate = r"[\d.]+ +[kMG]?B?/s"
    at.sees_row(busy.name, r"run +{name} +[1-9]\d* .*/192 M .*" + rate)

    before = domstats(busy)
    ran = tuivirt("-c", busy.uri, "stats", "--interval", "1", "--count", "4", "-o", "json")
    after = domstats(busy)
    assert ran.status == 0, ran.err
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert len(lines) == 4
    ours = [d for line in lines for d in line["domains"] if d["uuid"] == busy.uuid]
    newest = ours[-1]

    # What does not move is the same to the last bit.
    assert newest["memory_available_kib"] == int(after["balloon.available"])
    assert newest["disks"][0]["name"] == after["block.0.name"]
    assert newest["disks"][0]["capacity_bytes"] == int(after["block.0.capacity"])
    assert 0.5 < newest["memory_rss_kib"] / int(after["balloon.rss"]) < 2

    # Rates: virsh's counters over the whole run, ours over parts of it. The load is even, so
    # they differ only by what else this machine had to do.
    seconds = lines[-1]["time"] - lines[0]["time"] + 1
    for key, counter, unit in (
        ("cpu_percent", "cpu.time", 1e9 / 100),
        ("read_bytes_per_s", "block.0.rd.bytes", 1.0),
    ):
        told = [record[key] for record in ours if record[key] is not None]
        assert told, f"{key} was never told"
        ours_per_s = sum(told) / len(told)
        theirs_per_s = (int(after[counter]) - int(before[counter])) / unit / seconds
        assert ours_per_s > 0
        assert 1 / 4 < ours_per_s / theirs_per_s < 4, (key, ours_per_s, theirs_per_s)
    assert newest["write_bytes_per_s"] == 0


def test_a_disk_attached_by_the_form_is_in_the_guest_and_a_detached_one_is_not(
    operator: Sit, guest: Guest, images: Path, size: Size
) -> None:
    image = make_image(images / "data.img")
    at = operator("-c", guest.uri, size=size)
    at.pick(guest.name)
    at.attach_disk(str(image), "vdb")
    # The first disk that the guest sees is its vda, whatever libvirt calls it.
    at.sees(r"data\.img is v")

    at.open_console()
    at.type("until grep vd /proc/partitions; do sleep 0.1; done")
    at.press("Enter")
    at.sees(r"^ +\d+ +\d+ +65536 vd[ab]$")
    at.leave_console()

    at.press("Enter")
    at.sees("Overview")
    at.press("2")
    at.sees(r"vdb +virtio +raw +64 M data\.img")
    at.detach_disk("vdb")
    at.sees("vdb is detached")
    at.sees_no(r"vdb +virtio")
    at.open_console()
    at.type("clear; cat /proc/partitions; echo none of vd$((1))")
    at.press("Enter")
    at.sees("^none of vd1")
    assert not at.now(r"\d vd[ab]$")
    at.leave_console()
    assert "vdb" not in guest.domain.XMLDesc()


def test_a_detach_that_the_guest_does_not_answer_is_shown_until_force_off_settles_it(
    operator: Sit, idle_guest: Guest
) -> None:
    at = operator("-c", idle_guest.uri, size=(160, 50))
    at.pick(idle_guest.name)
    at.detach_disk("vda", wait_s=1)
    at.sees("the guest has not let go of vda yet")
    at.sees_row(idle_guest.name, "run +↯ +{name} +detaching v")
    assert "vda" in idle_guest.domain.XMLDesc()
    at.go_to("tasks")
    at.sees(rf"pending +{idle_guest.name} +Detach a disk")
    at.go_to("domains")
    at.sees(r"Domains 1 of")
    at.press("C-k")
    at.answer("as if its power were cut", "y")
    at.sees_row(idle_guest.name, "off +{name}")
    at.sees_no("detaching")
    at.go_to("tasks")
    at.sees(rf"done +{idle_guest.name} +Detach a disk")
    assert "vda" not in idle_guest.domain.XMLDesc()


def test_an_install_script_attaches_a_disk_and_can_trust_the_exit_status(
    shared_guest: Guest, images: Path
) -> None:
    image = make_image(images / "script.img")
    words = ("-c", shared_guest.uri, "attach-disk", shared_guest.name, str(image))
    ran = tuivirt(*words, "--target", "vdc", "--live")
    assert (ran.status, ran.err) == (0, "")
    eye = shared_guest.serials[0]
    until(lambda: bool(re.search(r" vd[a-z]$", eye.run("cat /proc/partitions"), re.M)), "a disk")
    again = tuivirt(*words, "--target", "vdd", "--live")
    assert again.status == 1
    assert "already attached" in again.err
    gone = tuivirt("-c", shared_guest.uri, "detach-disk", shared_guest.name, "vdc", "--live")
    assert (gone.status, gone.err) == (0, "")
    assert not re.search(r" vd[a-z]$", eye.run("cat /proc/partitions"), re.M)
