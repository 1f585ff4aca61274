"""Two libvirt daemons at once: the settings' hosts on the command line, and while it runs."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import libvirt
import pytest

from tests.contract.cli import Ran, tuivirt
from tests.support.guests import Guest, domain_xml, idle_guest, image_folder, unique_name
from tests.support.libvirtd import PrivateLibvirtd, until
from tuivirt import settings, wiring
from tuivirt.actions.consoles import open_console
from tuivirt.backend.events import EventHub
from tuivirt.backend.model.console import ConsoleState
from tuivirt.backend.model.host import Link

NOWHERE = "qemu+unix:///system?socket=/nowhere/sock"


@dataclass
class Two:
    """Hosts ``here`` and ``there`` in a settings file, a guest of the same name on both."""

    folder: Path
    name: str
    there: PrivateLibvirtd

    @property
    def file(self) -> Path:
        return self.folder / "tuivirt/config.toml"

    def run(self, *arguments: str) -> Ran:
        return tuivirt(*arguments, XDG_CONFIG_HOME=str(self.folder))

    def autostarts(self, uri: str) -> bool:
        conn = libvirt.open(uri)
        try:
            return bool(conn.lookupByName(self.name).autostart())
        finally:
            conn.close()


@pytest.fixture(scope="module")
def both(qemu_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    name = unique_name("hosts")
    folder = tmp_path_factory.mktemp("settings")
    with ExitStack() as stack:
        there = stack.enter_context(PrivateLibvirtd("there"))
        stack.enter_context(Guest.define(qemu_uri, domain_xml(name)))
        libvirt.open(there.uri).defineXML(domain_xml(name))  # It goes with its daemon.
        two = Two(folder, name, there)
        two.file.parent.mkdir()
        two.file.write_text(
            f'[[hosts]]\nname = "here"\nuri = "{qemu_uri}"\n\n'
            f'[[hosts]]\nname = "there"\nuri = "{there.uri}"\ngroup = "far"\ntags = ["slow"]\n\n'
            f'[[hosts]]\nname = "gone"\nuri = "{NOWHERE}"\nconnect = false\n'
        )
        yield two


def test_the_domains_of_all_hosts_are_listed_with_their_host(both: Two) -> None:
    ran = both.run("list", "domains", "-o", "json")
    assert (ran.status, ran.err) == (0, "")
    assert [d["host"] for d in ran.json if d["name"] == both.name] == ["here", "there"]


def test_a_name_on_two_hosts_is_refused_with_both_and_nothing_is_changed(
    both: Two, qemu_uri: str
) -> None:
    ran = both.run("autostart", both.name)
    assert ran.status == 1
    assert f"{both.name}@here, {both.name}@there" in ran.err
    assert not both.autostarts(qemu_uri)
    assert not both.autostarts(both.there.uri)


@pytest.mark.parametrize("named", ["at", "-c"])
def test_a_host_that_is_named_is_the_one_that_is_meant(
    both: Two, qemu_uri: str, named: str
) -> None:
    words = [f"{both.name}@there"] if named == "at" else ["-c", "there", both.name]
    try:
        assert both.run("autostart", *words).status == 0
        assert both.autostarts(both.there.uri)
        assert not both.autostarts(qemu_uri)
    finally:
        assert both.run("autostart", *words, "--disable").status == 0


def test_one_that_is_not_connected_at_the_start_is_asked_when_it_is_named(both: Two) -> None:
    ran = both.run("start", "web@gone")
    assert ran.status == 1
    assert "gone: cannot connect to" in ran.err
    assert "here:" not in ran.err


def test_c_is_in_place_of_what_the_settings_connect(both: Two) -> None:
    ran = both.run("-c", "there", "list", "domains", "-o", "json")
    assert {domain["host"] for domain in ran.json} == {"there"}


def test_hosts_are_listed_with_all_that_is_known_of_them(both: Two) -> None:
    ran = both.run("list", "hosts", "-o", "json")
    assert (ran.status, ran.err) == (0, "")
    by_name = {record["name"]: record for record in ran.json}
    assert list(by_name) == ["gone", "here", "there"]
    there = by_name["there"]
    assert (there["state"], there["group"], there["tags"]) == ("connected", "far", ["slow"])
    assert there["domains"] == {"shut off": 1}
    assert there["hypervisor"] == "QEMU"
    assert by_name["gone"]["state"] == "closed"
    assert [r["name"] for r in both.run("list", "hosts", "--tag", "slow", "-o", "json").json] == [
        "there"
    ]


def test_a_host_is_tried_by_its_name_or_its_uri(both: Two) -> None:
    ran = both.run("host-test", "there", both.there.uri, NOWHERE)
    assert ran.status == 1
    tried = ran.out.splitlines()
    assert len(tried) == 2
    assert all("answers: QEMU" in line and "1 domain; a round trip takes" in line for line in tried)
    assert "Failed to connect socket to '/nowhere/sock'" in ran.err


def test_hosts_are_added_changed_and_removed_by_verbs(tmp_path: Path) -> None:
    def run(*words: str) -> Ran:
        return tuivirt(*words, XDG_CONFIG_HOME=str(tmp_path))

    assert run("host-add", "a", "test:///default", "--tags", "x,y", "--group", "g").status == 0
    assert run("host-edit", "a", "--rename", "b", "--access", "read-only").status == 0
    (record,) = run("list", "hosts", "-o", "json").json
    assert (record["name"], record["readonly"], record["tags"]) == ("b", True, ["x", "y"])
    refused = run("suspend", "test")
    assert refused.status == 1
    assert "read-only" in refused.err
    assert run("host-connect", "b").status == 1
    assert run("host-remove", "b").status == 0
    assert (tmp_path / "tuivirt/config.toml").read_text().strip() == ""


def test_a_uri_with_a_password_is_not_kept(tmp_path: Path) -> None:
    uri = "qemu+ssh://u:secret@h/system"
    ran = tuivirt("host-add", "a", uri, XDG_CONFIG_HOME=str(tmp_path))
    assert ran.status == 2
    assert "a password in a URI is not kept" in ran.err
    assert "secret" not in ran.out + ran.err
    assert not (tmp_path / "tuivirt").exists()


def test_what_is_wrong_in_the_settings_is_said_and_the_rest_is_done(tmp_path: Path) -> None:
    (tmp_path / "tuivirt").mkdir()
    (tmp_path / "tuivirt/config.toml").write_text(
        '[[hosts]]\nname = "a b"\nuri = "x"\n[[hosts]]\nname = "t"\nuri = "test:///default"\n'
    )
    ran = tuivirt("list", "domains", "-o", "json", XDG_CONFIG_HOME=str(tmp_path))
    assert ran.status == 0
    assert [domain["host"] for domain in ran.json] == ["t"]
    assert "host 1: the name is 'a b'" in ran.err


def test_a_host_that_goes_away_leaves_the_other_listed_and_is_told(both: Two) -> None:
    both.there.kill()
    try:
        ran = both.run("list", "domains", "-o", "json")
        assert ran.status == 1
        assert "there: cannot connect" in ran.err
        assert {domain["host"] for domain in ran.json} == {"here"}
    finally:
        both.there.start()


@pytest.fixture
def wired(both: Two, monkeypatch: pytest.MonkeyPatch) -> Iterator[wiring.Wiring]:
    """The two hosts, connected as the screen has them."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(both.folder))
    found = wiring.connect(EventHub(), entries=settings.load().hosts, interval=0.5)
    try:
        ready, failed = wiring.fill(found.begun, 30)
        assert (sorted(host.name for host in ready), failed) == (["here", "there"], [])
        yield found
    finally:
        found.close()


def sockets() -> int:
    """How many connections this process has."""
    count = 0
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
    return count


def test_a_host_that_is_disconnected_or_removed_has_no_connection_left(
    wired: wiring.Wiring,
) -> None:
    # What only the garbage collector finds is a connection that stands for minutes.
    gc.disable()
    try:
        with_both = sockets()
        for _turn in range(2):
            wired.roster.disconnect("there")
            until(lambda: sockets() == with_both - 1, "its connection is closed")
            wired.roster.connect("there", threading.Event())
            until(lambda: sockets() == with_both, "it has one again")
    finally:
        gc.enable()


def test_a_console_waits_for_a_host_that_is_disconnected_and_comes_back_with_it(
    both: Two, wired: wiring.Wiring
) -> None:
    with image_folder() as folder, idle_guest(both.there.uri, folder) as guest:
        host = wired.roster.host("there")
        until(lambda: guest.uuid in host.snapshot.domains, "the guest is listed")
        session = open_console(host, guest.uuid, None, False, False)
        with contextlib.closing(session):
            until(lambda: session.status.state is ConsoleState.OPEN, "it is open")
            wired.roster.disconnect("there")
            session.follow(wired.roster.host("there"), session.ref)
            until(lambda: session.status.state is ConsoleState.HOST_AWAY, "it waits")
            wired.roster.connect("there", threading.Event())
            until(lambda: session.status.state is ConsoleState.OPEN, "it is open again")


def test_while_it_runs_a_host_is_disconnected_and_connected_and_follows_its_guests(
    both: Two, wired: wiring.Wiring
) -> None:
    roster = wired.roster
    roster.disconnect("there")
    host = roster.host("there")
    assert (host.snapshot.link, len(host.snapshot.domains)) == (Link.CLOSED, 0)
    assert roster.connect("there", threading.Event()) == "there is connected: 1 domain"
    conn = libvirt.open(both.there.uri)
    try:
        made = conn.defineXML(domain_xml(unique_name("hosts")))
        until(lambda: len(host.snapshot.domains) == 2, "its events are told again")
        made.undefine()
        until(lambda: len(host.snapshot.domains) == 1, "and again")
    finally:
        conn.close()


def test_a_host_that_does_not_answer_is_disconnected_all_the_same(
    both: Two, wired: wiring.Wiring
) -> None:
    both.there.sigstop()
    try:
        wired.roster.disconnect("there")
        assert wired.roster.host("there").snapshot.link is Link.CLOSED
    finally:
        both.there.sigcont()
    assert wired.roster.connect("there", threading.Event()).startswith("there is connected")
    kept = both.file.read_text()
    try:
        assert wired.roster.remove("there") == "there was removed from the hosts"
        assert [host.name for host in settings.load().hosts] == ["here", "gone"]
    finally:
        both.file.write_text(kept)
