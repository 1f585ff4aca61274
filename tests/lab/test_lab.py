"""The lab itself: what it says of a case that goes wrong, and what is left of it at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.lab import host, machine
from tests.support.lab.host import Lab

pytestmark = pytest.mark.lab


def test_a_case_that_is_wrong_says_where_with_what_it_saw_and_printed(lab: Lab) -> None:
    report = lab.run("broken.is_wrong", 10)
    assert report.outcome == "failed"
    for told in ("AssertionError: not 11", "seen = 'what it saw'", "what it printed"):
        assert told in report.detail
    assert "case broken.is_wrong failed" in lab.kept.read_text()


def test_a_case_that_hangs_costs_its_limit_and_not_the_host(lab: Lab) -> None:
    report = lab.run("broken.hangs", 1)
    assert report.outcome == "failed"
    assert report.detail == "not done within 1 s\n--- printed ---\nwaiting\n"
    assert lab.run("devices.everything_to_give_away_has_a_group_of_its_own", 60).outcome == "passed"


def test_a_case_whose_process_dies_has_failed(lab: Lab) -> None:
    report = lab.run("broken.dies", 10)
    assert (report.outcome, report.detail) == ("failed", "its process died (status 11)")


def test_a_case_that_lacks_something_is_no_failure_there(lab: Lab) -> None:
    report = lab.run("broken.lacks_something", 10)
    assert (report.outcome, report.detail) == ("skipped", "no such hardware")


def test_a_long_report_arrives_whole(lab: Lab) -> None:
    assert "x" * 200_000 in lab.run("broken.talks_too_much", 10).detail


def test_a_case_that_leaves_the_hardware_changed_has_failed(lab: Lab) -> None:
    try:
        report = lab.run("broken.leaves_a_card_without_a_driver", 10)
        assert report.outcome == "failed"
        assert "was on e1000e and is on nothing" in report.detail
    finally:
        lab.run("broken.puts_the_card_back", 10)


def test_a_case_in_which_libvirtd_crashes_costs_itself_and_the_next_finds_it(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(host, "crashes", told)
    assert lab.run("broken.kills_libvirtd", 10).revived
    assert len(told) == 1
    assert "in the lab, broken.kills_libvirtd" in told[0]
    report = lab.run("devices.everything_to_give_away_has_a_group_of_its_own", 60)
    assert (report.outcome, report.revived) == ("passed", False)


def test_a_case_that_is_not_there_is_told_and_the_host_goes_on(lab: Lab) -> None:
    report = lab.run("nobody.knows", 10)
    assert (report.outcome, report.detail) == ("failed", "the lab host has no such case")


def test_a_host_that_cannot_be_made_is_told_by_what_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_HOST", ("no_such_module",))
    monkeypatch.delenv("TUIVIRT_NO_SKIP", raising=False)
    with pytest.raises(pytest.skip.Exception, match="package linux-image-amd64"):
        Lab()


def test_a_host_that_does_not_start_shows_what_it_said_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "_INIT", "#!/bin/busybox sh\n/bin/busybox poweroff -f\n")
    before = set(Path("/var/tmp").glob("tuivirt-tests-*/lab-*/"))
    with pytest.raises(AssertionError, match=r"(?s)it ended before its start.*reboot: Power down"):
        Lab()
    assert set(Path("/var/tmp").glob("tuivirt-tests-*/lab-*/")) == before
