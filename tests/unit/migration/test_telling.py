"""How far a move is, and where a domain is after it, in words."""

from __future__ import annotations

import libvirt
import pytest

from tuivirt.backend.migration.job import figures_of
from tuivirt.backend.migration.times import stamp_of
from tuivirt.backend.migration.truth import POSTCOPY_FAILED, Side, advice, both
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.migration import Stamp

MIB = 1 << 20


def test_memory_is_told_with_rate_round_downtime_and_what_slows_the_guest() -> None:
    figures = figures_of(
        {
            "type": libvirt.VIR_DOMAIN_JOB_UNBOUNDED,
            "memory_total": 200 * MIB,
            "memory_remaining": 50 * MIB,
            "memory_bps": 10 * MIB,
            "memory_iteration": 3,
            "downtime": 300,
            "auto_converge_throttle": 20,
        }
    )
    assert figures.words == (
        "memory: 50 MiB left at 10 MiB/s, round 3, downtime 300 ms, guest slowed by 20 %"
    )
    assert figures.fraction() == 0.75


def test_images_come_first_and_are_not_all_of_it() -> None:
    figures = figures_of({"type": 2, "disk_total": 100 * MIB, "disk_processed": 50 * MIB})
    assert figures.words == "images: 50 MiB left"
    assert figures.fraction(memory_bytes=100 * MIB) == 0.25
    copied = figures_of({"type": 2, "disk_total": 100 * MIB, "disk_processed": 100 * MIB})
    assert copied.words == "images: nearly all copied"
    assert figures_of({"type": 2}).fraction() is None
    assert figures_of({"type": 2}).words == "beginning"


RUNS = {"there": True, "active": True, "state": DomainState.RUNNING, "persistent": True}
PAUSED = RUNS | {"state": DomainState.PAUSED}
GONE: dict[str, object] = {}
SILENT = {"known": False, "why": "it is stuck"}


@pytest.mark.parametrize(
    ("here", "there", "said", "todo"),
    [
        (RUNS, GONE, "it goes on running on srv1, and nothing of it is on srv2", ""),
        (PAUSED, GONE, "it is paused on srv1, and nothing of it is on srv2", "resume it on srv1"),
        (RUNS, PAUSED, "it runs on srv1; it is paused on srv2", "run on one of them only"),
        (GONE, PAUSED, "it is not on srv1; it is paused on srv2", "if its memory came over whole"),
        (RUNS, SILENT, "it runs on srv1; srv2 cannot be asked (it is stuck)", "look again"),
        (
            PAUSED | {"reason": POSTCOPY_FAILED},
            PAUSED,
            "it is stopped on srv1 in the middle of post-copy; it is paused on srv2",
            "its memory lies on both hosts",
        ),
        (
            GONE,
            RUNS | {"persistent": False},
            "it is not on srv1; it runs on srv2, not defined there",
            "",
        ),
    ],
)
def test_both_hosts_are_told_of_and_what_to_do(
    here: dict[str, object], there: dict[str, object], said: str, todo: str
) -> None:
    sides = Side("srv1", **here), Side("srv2", **there)  # type: ignore[arg-type]
    assert both(*sides) == said
    assert todo in advice("web-01", *sides)
    assert bool(todo) == bool(advice("web-01", *sides))


def test_a_files_times_keep_their_nanoseconds() -> None:
    xml = (
        "<volume><capacity unit='bytes'>7</capacity><target><timestamps>"
        "<mtime>1700000000.123456789</mtime><ctime>1700000001</ctime></timestamps></target></volume>"
    )
    assert stamp_of(xml) == Stamp(1_700_000_000_123_456_789, 1_700_000_001_000_000_000, 7)
    assert stamp_of("<volume/>") == Stamp(0, 0, None)
    below = "<volume><backingStore><path>/base</path></backingStore></volume>"
    assert stamp_of(below).backing == "/base"
    longer = "<volume><capacity>7</capacity><physical unit='bytes'>9</physical></volume>"
    assert stamp_of(longer) == Stamp(0, 0, 7, "", 9)
