"""Hosts that come, change and go while the program runs; nothing of them stays behind."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import libvirt
import pytest

from tuivirt import settings, wiring
from tuivirt.actions.runner import Tasks
from tuivirt.backend import keeper, roster
from tuivirt.backend.connection import register_scheme
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.events import Event, EventHub, HostsChanged, SnapshotChanged
from tuivirt.backend.model.entry import HostEntry
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.task import TaskState
from tuivirt.backend.roster import Roster

from .test_keeper import Connection

NEVER = HostEntry("never", "qemu+unix:///system?socket=/nowhere/sock")
TEST = HostEntry("test", "test:///default", group="lab")
PATIENCE_S = 20.0


def until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.005)


class Run:
    """A run of the program without its screen."""

    def __init__(self, *entries: HostEntry) -> None:
        self.hub = EventHub()
        self.told: list[Event] = []
        self.hub.subscribe(self.told.append)
        self.wired = wiring.connect(self.hub, ["demo:///?life=0"], entries=entries, interval=0.5)
        self.roster: Roster = self.wired.roster

    @property
    def names(self) -> list[str]:
        """As they were told last."""
        told = [event for event in self.told if isinstance(event, HostsChanged)]
        return list(told[-1].hosts)

    def connect(self, name: str) -> str:
        return self.roster.connect(name, threading.Event())

    def link(self, name: str) -> Link:
        return self.roster.host(name).snapshot.link


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return settings.default_path()


@pytest.fixture
def run(file: Path) -> Iterator[Run]:
    run = Run()
    yield run
    run.wired.close()


def test_a_host_that_is_added_is_kept_told_and_connected(run: Run) -> None:
    said = run.roster.add(TEST)
    assert said.startswith("test was added; at its next start tuivirt connects to the hosts that")
    assert settings.load().hosts == (TEST,)
    assert run.names == ["demo", "test"]
    run.roster.host("test").wait_filled(PATIENCE_S)
    assert run.roster.host("test").snapshot.entry == TEST
    assert run.wired.hosts[-1].name == "test", "it ends with the run"


def test_one_that_is_not_to_be_connected_is_only_known(run: Run) -> None:
    assert run.roster.add(replace(NEVER, connect=False)) == "never was added"
    assert run.link("never") is Link.CLOSED
    assert run.names == ["demo", "never"]


def test_a_second_host_of_one_uri_is_told(run: Run) -> None:
    run.roster.add(NEVER)
    again = run.roster.add(replace(NEVER, name="again", connect=False))
    same = "; never has the same URI: while both are connected, what is there is listed twice"
    assert again == f"again was added{same}"
    run.roster.add(replace(TEST, connect=False))
    said = run.roster.change("test", replace(TEST, uri=NEVER.uri, connect=False))
    assert said.endswith(same)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (replace(TEST, name="demo"), "there is a host demo already"),
        (replace(TEST, uri="qemu+ssh://u:secret@h/system"), "a password in a URI is not kept"),
        (replace(TEST, uri="qemu+ssh://u:se/cret@h/system"), "the URI cannot be"),
        (replace(TEST, uri="qemu+ssh://u:12#secret@h/system"), "the URI cannot be"),
        (replace(TEST, uri="qemu+ssh://u:secret@[::1/system"), "host or port cannot be read"),
        (replace(TEST, uri="qemu+tls://h:1650a/system"), "its port is no number"),
        (replace(TEST, uri="qemu+tls://h:99999/system"), "its port is no number"),
        (replace(TEST, name="a b"), "the name cannot be 'a b'"),
        (replace(TEST, colour="pink"), "the colour cannot be 'pink'"),
        (replace(TEST, tags=("a b",)), "the tag cannot be 'a b'"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_changes(
    run: Run, file: Path, entry: HostEntry, why: str
) -> None:
    with pytest.raises(BadInput, match=why) as refused:
        run.roster.add(entry)
    assert "secret" not in str(refused.value)
    assert not file.exists()
    assert list(run.roster.hosts) == ["demo"]


def test_a_file_that_cannot_be_written_keeps_the_host_from_being_added(
    run: Run, file: Path
) -> None:
    file.parent.mkdir()
    file.write_text("= nonsense")
    with pytest.raises(TuivirtError, match=r"the settings were not changed: .*is not right"):
        run.roster.add(TEST)
    assert list(run.roster.hosts) == ["demo"]
    assert file.read_text() == "= nonsense"


def test_what_only_describes_a_host_changes_without_another_connection(run: Run) -> None:
    run.roster.add(TEST)
    host = run.roster.host("test")
    host.wait_filled(PATIENCE_S)
    changed = replace(TEST, group="prod", tags=("a",), colour="red", connect=False)
    assert run.roster.change("test", changed) == "test was changed"
    assert run.roster.host("test") is host
    assert host.snapshot.link is Link.CONNECTED
    assert host.snapshot.entry == changed
    assert settings.load().hosts == (changed,)


def test_another_name_or_access_is_another_connection_in_the_same_place(run: Run) -> None:
    run.roster.add(TEST)
    run.roster.add(replace(NEVER, connect=False))
    old = run.roster.host("test")
    old.wait_filled(PATIENCE_S)
    said = run.roster.change("test", replace(TEST, name="other", readonly=True))
    assert said == "other was changed; it is connected anew"
    assert run.names == ["demo", "other", "never"]
    assert old.snapshot.link is Link.CLOSED
    host = run.roster.host("other")
    host.wait_filled(PATIENCE_S)
    assert host.snapshot.info is not None
    assert host.snapshot.info.readonly


def test_one_that_was_given_with_c_is_kept_when_it_is_edited(run: Run) -> None:
    kept = HostEntry("mine", "demo:///?life=0", group="lab")
    run.roster.change("demo", kept)
    assert settings.load().hosts == (kept,)
    assert run.names == ["mine"]


def test_a_password_of_the_file_stays_there_when_the_host_is_edited(
    file: Path,
) -> None:
    file.parent.mkdir()
    file.write_text('[[hosts]]\nname = "a"\nuri = "qemu+ssh://u:secret@h/system"\nconnect=false\n')
    run = Run(*settings.load().hosts)
    try:
        entry = run.roster.host("a").snapshot.entry
        assert entry is not None
        assert entry.uri == "qemu+ssh://u@h/system"
        run.roster.change("a", replace(entry, name="b"))
        assert "u:secret@h" in file.read_text()
        assert run.wired.uris["b"] == "qemu+ssh://u:secret@h/system"
        assert not any("secret" in repr(event) for event in run.told)
    finally:
        run.wired.close()


def test_a_host_that_is_disconnected_has_no_domains_and_can_be_connected_again(run: Run) -> None:
    run.roster.add(TEST)
    run.roster.host("test").wait_filled(PATIENCE_S)
    assert run.roster.disconnect("test") == "test is not connected any more"
    assert run.link("test") is Link.CLOSED
    assert run.roster.host("test").snapshot.domains == {}
    assert run.connect("test") == "test is connected: 1 domain"
    assert run.connect("test") == "test is connected: 1 domain", "again does nothing"


def test_a_host_that_cannot_be_reached_is_tried_once_more_when_it_is_asked_for(run: Run) -> None:
    run.roster.add(NEVER)
    host = run.roster.host("never")
    until(lambda: host.snapshot.link is Link.FAILED, "it failed")
    with pytest.raises(TuivirtError, match="Failed to connect socket to '/nowhere/sock'"):
        run.connect("never")
    assert run.roster.disconnect("never") == "never is not connected any more"


def test_a_host_that_was_lost_is_connected_only_once_it_answers(run: Run) -> None:
    opened: list[Connection] = []
    answers = True

    def open_it(_uri: str, _readonly: bool) -> Connection:
        if not answers:
            raise libvirt.libvirtError("nobody is there")
        opened.append(Connection())
        return opened[-1]

    register_scheme("lost", open_it)
    run.roster.add(HostEntry("test", "lost:///"))
    host = run.roster.host("test")
    host.wait_filled(PATIENCE_S)
    answers = False
    closed = opened[0].closed
    assert closed is not None
    closed(opened[0], 0, None)
    until(lambda: host.snapshot.link is Link.LOST, "it is lost")
    with pytest.raises(TuivirtError, match="nobody is there"):
        run.connect("test")
    answers = True
    assert run.connect("test").startswith("test is connected: ")
    assert run.link("test") is Link.CONNECTED


def test_a_host_that_is_removed_leaves_its_file_the_list_and_no_thread(
    run: Run, file: Path
) -> None:
    def own() -> list[str]:
        return [t.name for t in threading.enumerate() if t.name.startswith("test-")]

    for _turn in range(2):
        run.roster.add(TEST)
        run.roster.host("test").wait_filled(PATIENCE_S)
        run.roster.disconnect("test")
        run.connect("test")
        run.roster.remove("test")
        assert run.names == ["demo"]
        assert settings.load().hosts == ()
        until(lambda: not own(), f"{own()} have ended")
    assert [host.name for host in run.wired.hosts] == ["demo"]


def test_coming_and_going_costs_no_file_descriptor(run: Run) -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    run.roster.add(replace(NEVER, connect=False))
    before = count()
    for _turn in range(5):
        with pytest.raises(TuivirtError):
            run.connect("never")
        run.roster.disconnect("never")
    until(lambda: count() <= before, "all are closed again")


def test_what_is_removed_tells_nothing_any_more(run: Run) -> None:
    run.roster.add(TEST)
    host = run.roster.host("test")
    host.wait_filled(PATIENCE_S)
    run.roster.remove("test")
    run.told.clear()
    host.update(reason="late news")
    assert not any(
        isinstance(event, SnapshotChanged) and event.host == "test" for event in run.told
    )


def test_a_test_tells_what_answers_and_touches_no_connection(run: Run) -> None:
    run.roster.add(replace(TEST, connect=False))
    said = run.roster.test("test", lambda _text: None, threading.Event())
    assert said.startswith("test answers: TEST ")
    assert "1 domain; a round trip takes " in said
    assert run.link("test") is Link.CLOSED


def test_a_test_of_what_cannot_be_reached_gives_libvirts_reason_and_what_to_try(run: Run) -> None:
    run.roster.add(replace(NEVER, connect=False))
    with pytest.raises(TuivirtError, match="Failed to connect socket") as failed:
        run.roster.test("never", lambda _text: None, threading.Event())
    assert failed.value.advice


def test_a_test_that_is_given_up_ends(run: Run) -> None:
    aborted = threading.Event()
    aborted.set()
    with pytest.raises(TuivirtError, match="is not waited for any more"):
        run.roster.test("demo", lambda _text: None, aborted)


def test_an_action_reaches_the_roster_as_a_task(run: Run) -> None:
    tasks = Tasks(run.hub.publish, lambda: run.roster)
    ref = Ref("", Kind.HOST, "")
    values = {"name": "t", "uri": "test:///default", "tags": "a, b", "colour": "none"}
    from tuivirt.actions.catalog import find_action

    add = find_action("host-add")
    assert add is not None
    task = tasks.run_sync(add, tasks.desk, ref, "t", values)
    assert task.state is TaskState.DONE, task.text
    assert settings.load().hosts == (HostEntry("t", "test:///default", tags=("a", "b")),)
    disconnect = find_action("host-disconnect")
    assert disconnect is not None
    host = run.roster.host("t")
    task = tasks.run_sync(disconnect, host, Ref("t", Kind.HOST, "t"), "t")
    assert (task.state, task.text) == (TaskState.DONE, "t is not connected any more")


@pytest.mark.parametrize("verb", ["host-add", "host-edit"])
def test_a_password_is_refused_while_the_form_is_open(verb: str) -> None:
    from tuivirt.actions.catalog import find_action

    found = find_action(verb)
    assert found is not None
    values = {"name": "t"} if verb == "host-add" else {}
    with pytest.raises(BadInput, match="a password in a URI is not kept"):
        found.convert({**values, "uri": "qemu+ssh://u:secret@h/system"})


def test_one_that_does_not_answer_is_waited_for_as_long_as_promised(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = threading.Event()

    def hang(*_args: object) -> None:
        held.wait(PATIENCE_S)
        raise libvirt.libvirtError("it hung")

    monkeypatch.setattr(roster, "ANSWER_S", 0.1)
    monkeypatch.setattr(keeper, "open_connection", hang)
    run.roster.add(replace(TEST, connect=False))
    try:
        with pytest.raises(TuivirtError, match="test did not answer within 0 s"):
            run.connect("test")
        assert run.link("test") is Link.CONNECTING, "it is still tried"
        run.roster.remove("test")
    finally:
        held.set()
