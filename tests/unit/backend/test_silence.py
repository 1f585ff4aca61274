"""A guest that is busy once is busy; one that stays silent does not answer."""

from __future__ import annotations

import libvirt

from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.silence import Silence

ALL = libvirt.VIR_DOMAIN_STATS_BALLOON | libvirt.VIR_DOMAIN_STATS_BLOCK
BLOCK = libvirt.VIR_DOMAIN_STATS_BLOCK
HEARD = {"balloon.current": 1, "balloon.rss": 1, "block.count": 1, "block.0.rd.bytes": 0}
BUSY = {"balloon.current": 1, "block.count": 1}


def test_a_guest_that_is_silent_for_longer_than_the_limit_is_told_once_and_again_when_heard() -> (
    None
):
    silence = Silence(4.0, expected=False, domains={})
    silence.note("a", 1, HEARD, ALL, 0.0)
    silence.note("a", 1, BUSY, ALL, 2.0)
    assert silence.changes(3.0, {"a": 1}) == {}
    silence.note("a", 1, BUSY, BLOCK, 6.0)
    assert silence.changes(6.0, {"a": 1}) == {"a": 2.0}
    assert silence.changes(8.0, {"a": 1}) == {}
    silence.note("a", 1, HEARD, ALL, 9.0)
    assert silence.changes(9.0, {"a": 1}) == {"a": None}


def test_a_driver_whose_guests_never_tell_so_much_is_not_taken_for_silent() -> None:
    silence = Silence(4.0, expected=False, domains={})
    silence.note("a", 1, BUSY, ALL, 0.0)
    assert silence.changes(60.0, {"a": 1}) == {}


def test_where_every_guest_must_answer_one_that_never_did_is_silent() -> None:
    silence = Silence(4.0, expected=True, domains={})
    silence.note("a", 1, BUSY, ALL, 0.0)
    assert silence.changes(60.0, {"a": 1}) == {"a": 0.0}


def test_one_that_was_silent_on_the_connection_before_is_told_when_heard_on_this_one() -> None:
    before = Domain("h", "a", "a", 1, DomainState.RUNNING, stalled_since=1.0)
    silence = Silence(4.0, expected=True, domains={"a": before})
    assert silence.silent == {"a"}
    assert silence.changes(2.0, {"a": 1}) == {}
    silence.note("a", 1, HEARD, ALL, 3.0)
    assert silence.changes(3.0, {"a": 1}) == {"a": None}


def test_a_guest_that_ended_is_silent_no_more() -> None:
    silence = Silence(4.0, expected=True, domains={})
    silence.note("a", 1, BUSY, ALL, 0.0)
    assert silence.changes(60.0, {"a": 1}) == {"a": 0.0}
    assert silence.changes(61.0, {}) == {"a": None}
    assert silence.silent == frozenset()


def test_a_record_of_a_guest_without_disks_tells_only_when_its_memory_was_asked() -> None:
    silence = Silence(4.0, expected=True, domains={})
    silence.note("a", 1, {"block.count": 0}, BLOCK, 0.0)
    assert silence.silent == frozenset()
