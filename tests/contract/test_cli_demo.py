"""The demo from the command line: asked for, or where no libvirt answers and nothing is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.cli import tuivirt


@pytest.fixture
def nowhere(tmp_path: Path) -> dict[str, str]:
    """An environment whose default is a daemon that is not there."""
    (tmp_path / "libvirt").mkdir()
    (tmp_path / "libvirt/libvirt.conf").write_text(
        'uri_default = "qemu:///system?socket=/nowhere/sock"\n'
    )
    return {"XDG_CONFIG_HOME": str(tmp_path)}


def test_the_demo_has_a_lively_host_with_domains_in_several_states() -> None:
    ran = tuivirt("--demo", "list", "domains", "-o", "json")
    assert (ran.status, ran.err) == (0, "")
    assert len(ran.json) >= 12
    assert {"running", "shut off", "paused"} <= {record["state"] for record in ran.json}
    assert {record["host"] for record in ran.json} == {"demo"}


@pytest.mark.parametrize("what", ["networks", "pools", "volumes", "devices"])
def test_the_demo_has_some_of_every_kind(what: str) -> None:
    ran = tuivirt("--demo", "list", what, "-o", "json")
    assert (ran.status, ran.err) == (0, "")
    assert len(ran.json) >= 2


def test_the_demos_figures_move() -> None:
    ran = tuivirt("--demo", "stats", "--interval", "0.5", "--count", "1", "-o", "json")
    assert ran.status == 0
    running = [d for d in ran.json["domains"] if d["state"] == "running"]
    assert all(domain["cpu_percent"] is not None for domain in running)
    assert any(domain["cpu_percent"] > 0 for domain in running)


def test_reading_falls_back_to_the_demo_and_says_so(nowhere: dict[str, str]) -> None:
    ran = tuivirt("list", "domains", "-o", "json", **nowhere)
    assert ran.status == 0
    assert "this is the demo" in ran.err
    assert {record["host"] for record in ran.json} == {"demo"}


def test_changing_never_falls_back_to_the_demo(nowhere: dict[str, str]) -> None:
    ran = tuivirt("start", "web-01", **nowhere)
    assert ran.status == 1
    assert "no libvirt answered" in ran.err
    assert "use --demo for the demo" in ran.err


def test_a_uri_that_was_given_is_never_replaced_by_the_demo() -> None:
    ran = tuivirt("-c", "qemu:///system?socket=/nowhere/sock", "list", "domains", "-o", "json")
    assert ran.status == 1
    assert ran.json == []


def test_the_demo_carries_actions_out() -> None:
    name = next(
        d["name"]
        for d in tuivirt("--demo", "list", "domains", "-o", "json").json
        if d["state"] == "shut off"
    )
    ran = tuivirt("--demo", "start", name)
    assert (ran.status, ran.out) == (0, f"{name} is running\n")


def test_a_name_that_the_terminals_encoding_lacks_is_told_by_its_codes() -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ran = tuivirt("--demo", "list", "domains", **plain)
    assert ran.status == 0, ran.err
    assert r"\u65e5\u672c" in ran.out


@pytest.mark.parametrize("name", ["pci_0000_65_00_0", "0000:65:00.0", "65:00.0"])
def test_a_host_device_is_known_by_its_name_and_by_its_address(name: str) -> None:
    ran = tuivirt("--demo", "create-mdev", name, "nvidia-11")
    assert ran.status == 1
    assert "0000:65:00.0 makes no mediated devices" in ran.err
