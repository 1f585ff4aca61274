"""The verbs that only read: their JSON, their exit status, their words when a host is not there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from tests.contract.cli import ROOT, TEST, tuivirt
from tests.support.guests import unique_name

EVIL = "ev\u009b31mil\u202e名前"
"""An eight-bit escape, a character that turns text around, and wide ones."""


@pytest.fixture
def evil_uri(tmp_path: Path) -> str:
    """libvirt's test driver with one domain whose name means harm."""
    path = tmp_path / "node.xml"
    path.write_text(
        f"<node><domain type='test'><name>{EVIL}</name><memory>1024</memory>"
        "<os><type>hvm</type></os></domain></node>",
        encoding="utf-8",
    )
    return f"test://{path}"


def tuivirt_into(path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it with its output going to a file."""
    with open(path, "w") as out:
        return subprocess.run(
            [sys.executable, "-m", "tuivirt", *arguments],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )


def test_list_domains_is_an_array_with_name_uuid_state_and_host() -> None:
    ran = tuivirt(*TEST, "list", "domains", "-o", "json")
    assert ran.status == 0
    assert ran.err == ""
    (domain,) = ran.json
    assert domain["name"] == "test"
    assert len(domain["uuid"]) == 36
    assert domain["state"] == "running"
    assert domain["host"] == "local"


def test_global_options_are_taken_after_the_verb_too() -> None:
    assert tuivirt("list", "domains", *TEST, "-o", "json").json[0]["name"] == "test"


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("networks", "default"),
        ("pools", "default-pool"),
        ("devices", "computer"),
        ("interfaces", "eth1"),
    ],
)
def test_every_other_kind_is_listed_with_name_and_host(what: str, name: str) -> None:
    records = tuivirt(*TEST, "list", what, "-o", "json").json
    assert name in [record["name"] for record in records]
    assert all(record["host"] == "local" for record in records)


def test_volumes_of_the_active_pools_are_listed() -> None:
    ran = tuivirt(*TEST, "list", "volumes", "-o", "json")
    assert (ran.status, ran.err) == (0, "")
    assert isinstance(ran.json, list)


@pytest.fixture
def two_pools(qemu_uri: str, images: Path) -> Iterator[tuple[str, str]]:
    """The names of two pools with a volume ``kept.img`` each; the first one's cannot be read."""
    conn = libvirt.open(qemu_uri)
    pools = []
    for word in ("broken", "whole"):
        folder = images / word
        folder.mkdir(mode=0o755)
        xml = f"<pool type='dir'><name>{unique_name(word)}</name><target><path>{folder}</path>"
        pools.append(conn.storagePoolCreateXML(f"{xml}</target></pool>", 0))
        pools[-1].createXML("<volume><name>kept.img</name><capacity>1024</capacity></volume>", 0)
    image = images / "broken/kept.img"
    image.unlink()
    image.symlink_to(image)
    yield pools[0].name(), pools[1].name()
    for pool in pools:
        pool.destroy()
    conn.close()


def test_a_pool_that_fails_costs_no_other_pool_its_volumes(
    qemu_uri: str, two_pools: tuple[str, str]
) -> None:
    broken, whole = two_pools
    ran = tuivirt("-c", qemu_uri, "list", "volumes", "-o", "json")
    assert ran.status == 1
    assert (whole, "kept.img") in [(volume["pool"], volume["name"]) for volume in ran.json]
    assert broken not in [volume["pool"] for volume in ran.json]
    assert f"cannot read volume kept.img of pool {broken}: " in ran.err


def test_the_table_has_titles_and_virshs_words() -> None:
    lines = tuivirt(*TEST, "list", "domains").out.splitlines()
    assert lines[0].split() == ["ID", "NAME", "STATE", "VCPU", "MEM", "AUTOSTART", "HOST"]
    assert "running" in lines[1]


def test_a_name_that_holds_control_characters_is_drawn_and_never_sent(evil_uri: str) -> None:
    table = tuivirt("-c", evil_uri, "list", "domains").out
    assert "名前" in table
    assert "\u009b" not in table
    assert "\u202e" not in table
    as_json = tuivirt("-c", evil_uri, "list", "domains", "-o", "json")
    assert as_json.out.isascii()
    assert as_json.json[0]["name"] == EVIL


def test_two_hosts_are_listed_together_under_names_of_their_own(evil_uri: str) -> None:
    records = tuivirt(*TEST, "-c", evil_uri, "list", "domains", "-o", "json").json
    assert {record["host"] for record in records} == {
        "local",
        f"local-{evil_uri.rpartition('/')[2]}",
    }


def test_a_host_that_is_not_there_is_said_and_the_rest_is_still_printed() -> None:
    ran = tuivirt(
        *TEST, "-c", "qemu:///system?socket=/nowhere/sock", "list", "domains", "-o", "json"
    )
    assert ran.status == 1
    assert [record["name"] for record in ran.json] == ["test"]
    assert "local-sock" in ran.err


def test_a_uri_with_a_typo_gets_libvirts_reason_and_what_to_try() -> None:
    ran = tuivirt("-c", "qmeu:///system", "list", "domains")
    assert ran.status == 1
    assert ran.out == ""
    # What libvirt says of it depends on whether a daemon runs here.
    assert "local: cannot connect to qmeu:///system: " in ran.err
    assert "qemu:///system" in ran.err.splitlines()[-1]
    assert "Traceback" not in ran.err


def test_libvirt_default_uri_is_the_host_when_none_is_given() -> None:
    ran = tuivirt("list", "domains", "-o", "json", LIBVIRT_DEFAULT_URI="test:///default")
    assert [record["name"] for record in ran.json] == ["test"]


def test_actions_are_an_array_that_a_program_can_use() -> None:
    actions = {record["name"]: record for record in tuivirt("actions", "-o", "json").json}
    attach = actions["attach-disk"]
    assert {"name", "object", "key", "virsh", "api", "parameters"} <= attach.keys()
    assert attach["object"] == "domain"
    assert attach["virsh"].startswith("virsh attach-disk NAME SOURCE TARGET")
    source = next(p for p in attach["parameters"] if p["name"] == "source")
    assert source["required"]
    assert source["positional"]


def test_stats_is_one_object_a_line_and_ends_after_its_count() -> None:
    ran = tuivirt(*TEST, "stats", "--interval", "0.5", "--count", "3", "-o", "json")
    assert ran.status == 0
    ticks = [json.loads(line) for line in ran.out.splitlines()]
    assert len(ticks) == 3
    times = [tick["time"] for tick in ticks]
    assert times == sorted(times)
    assert ticks[0]["hosts"][0]["host"] == "local"
    assert ticks[0]["domains"][0]["name"] == "test"
    assert "cpu_percent" in ticks[0]["domains"][0]


def test_dumpxml_prints_the_xml_as_it_is() -> None:
    ran = tuivirt(*TEST, "dumpxml", "test")
    assert ran.status == 0
    assert ran.out.startswith("<domain type='test'")
    assert ran.out.endswith("</domain>\n")


def test_the_version_is_printed() -> None:
    assert tuivirt("--version").out.startswith("tuivirt 0.")


def test_help_lists_the_verbs_and_a_verb_tells_its_own_options() -> None:
    assert "attach-disk" in tuivirt("--help").out
    assert "--persistent" in tuivirt("attach-disk", "--help").out


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["list"],
        ["list", "cows"],
        ["list", "domains", "-o", "yaml"],
        ["stats", "--interval", "0.1"],
        ["stats", "--interval", "often"],
        ["stats", "--count", "0"],
        ["stats", "--count", "all"],
        ["start"],
        ["start", "--mode", "x", "web"],
        ["shutdown", "web", "--mode", "kindly"],
        ["shutdown", "web", "--timeout", "soon"],
        ["detach-disk", "web"],
        ["attach-disk", "web", "/x", "--current", "--live"],
        ["--nonsense"],
        ["list", "domains", "-c"],
        ["-c", "", "destroy", "web"],  # Not the default host's web.
    ],
    ids=" ".join,
)
def test_bad_usage_is_2_with_a_reason_and_no_output(arguments: list[str]) -> None:
    ran = tuivirt(*arguments)
    assert ran.status == 2
    assert ran.out == ""
    assert "error:" in ran.err
    assert "_" not in ran.err.partition("error:")[2]  # No name of a function of ours.


def test_the_exit_status_does_not_hang_on_python_ending_well() -> None:
    """A worker that starts while Python takes its threads apart makes it crash."""
    code = (
        "import atexit, os, sys; atexit.register(lambda: os._exit(139));"
        "from tuivirt.__main__ import main; sys.argv[1:] = sys.argv[2:]; main()"
    )
    for words, status in ((["list", "pools"], 0), (["start", "nosuch"], 1), (["start"], 2)):
        ran = subprocess.run(
            [sys.executable, "-c", code, "-", *TEST, *words],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        assert ran.returncode == status


def test_without_a_terminal_there_is_no_screen() -> None:
    ran = tuivirt(*TEST)
    assert ran.status == 2
    assert "needs a terminal" in ran.err


def test_a_reader_that_leaves_early_causes_no_traceback() -> None:
    run = subprocess.Popen(
        [sys.executable, "-m", "tuivirt", *TEST, "stats", "--interval", "0.5", "-o", "json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    assert run.stderr is not None
    assert run.stdout.readline().startswith("{")
    run.stdout.close()
    assert run.wait(60) != 0
    assert run.stderr.read() == ""
    run.stderr.close()


@pytest.mark.parametrize(
    "arguments",
    [
        [*TEST, "list", "domains"],
        [*TEST, "list", "domains", "-o", "json"],
        [*TEST, "destroy", "test"],
        [*TEST, "dumpxml", "test"],
        ["actions"],
        ["--help"],
        ["list", "--help"],
        ["--version"],
    ],
    ids=lambda arguments: " ".join(word for word in arguments if word not in TEST),
)
def test_output_that_cannot_be_written_is_told_in_a_line_and_fails(arguments: list[str]) -> None:
    ran = tuivirt_into("/dev/full", *arguments)
    assert ran.returncode == 1
    assert ran.stderr == "tuivirt: cannot write to standard output: No space left on device\n"


def test_bad_usage_stays_bad_usage_where_nothing_can_be_written() -> None:
    assert tuivirt_into("/dev/full", "list", "cows").returncode == 2


def test_output_that_is_closed_is_told_in_a_line_and_fails() -> None:
    ran = subprocess.run(
        [
            "sh",
            "-c",
            'exec "$@" >&-',
            "sh",
            sys.executable,
            "-m",
            "tuivirt",
            *TEST,
            "list",
            "pools",
        ],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr == "tuivirt: cannot write to standard output: it is closed\n"


def test_textual_is_not_imported_for_a_verb() -> None:
    code = (
        "import sys; from tuivirt.cli import main;"
        "main(['-c', 'test:///default', 'list', 'domains']);"
        "main(['-c', 'test:///default', 'destroy', 'test']);"
        "sys.exit('textual' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0


def _heed_interrupts() -> None:
    """A shell that runs its tests in the background has them ignored, and children inherit it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_an_interrupt_ends_stats_quietly() -> None:
    run = subprocess.Popen(
        [sys.executable, "-m", "tuivirt", *TEST, "stats", "--interval", "0.5", "-o", "json"],
        cwd=ROOT,
        preexec_fn=_heed_interrupts,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    assert run.stdout.readline().startswith("{")
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (130, "")
