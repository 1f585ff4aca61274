"""How the target of a move is opened, and by which URI a daemon is told of it."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import libvirt
import pytest

from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.events import Publish, SnapshotChanged
from tuivirt.backend.migration.destination import destination
from tuivirt.backend.migration.migrate import _Move
from tuivirt.backend.migration.truth import Side
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.host import HostSnapshot
from tuivirt.backend.model.question import Question, QuestionKind

OURS = "command=%2Frun%2Fuser%2F0%2Ftuivirt-x_1y%2Fssh"


@pytest.mark.parametrize(
    ("opened", "told"),
    [
        (f"qemu+ssh://root@srv2/system?{OURS}", "qemu+ssh://root@srv2/system"),
        (f"qemu+ssh://srv2/system?no_tty=1&{OURS}", "qemu+ssh://srv2/system?no_tty=1"),
        ("qemu+tcp://ops:secret@srv2/system", "qemu+tcp://ops@srv2/system"),
    ],
)
def test_a_daemon_is_not_told_of_our_own_ssh_nor_of_a_password(opened: str, told: str) -> None:
    conn = SimpleNamespace(getURI=lambda: opened)
    move = SimpleNamespace(target=SimpleNamespace(conn=conn), _chose=None)
    plan = SimpleNamespace(values={"live": True, "p2p": True})
    assert _Move.settle(cast(Any, move), cast(Any, plan), ())["desturi"] == told


def test_a_uri_that_was_said_is_told_as_it_is() -> None:
    move = SimpleNamespace(target=SimpleNamespace(), _chose=None)
    plan = SimpleNamespace(values={"live": True, "desturi": "qemu+ssh://far/system?command=/x"})
    settled = _Move.settle(cast(Any, move), cast(Any, plan), ())
    assert settled["desturi"] == "qemu+ssh://far/system?command=/x"


def test_what_the_host_that_is_left_asks_itself_stays_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Opened:
        """A target that tells of itself, and asks nothing."""

        def __init__(self, name: str, uri: str, *, publish: Publish, sampling: bool) -> None:
            self.publish, self.snapshot = publish, HostSnapshot(name, uri)

        def start(self, *, aside: bool) -> None:
            assert aside
            self.publish(SnapshotChanged(host="far", snapshot=self.snapshot))

        def wait_filled(self, _seconds: float) -> None: ...

        def close(self) -> None: ...

    monkeypatch.setattr("tuivirt.backend.host.Host", Opened)
    own = Question("near", "x:", QuestionKind.SECRET, "password: ")
    updates: list[Any] = []
    source = SimpleNamespace(
        snapshot=replace(HostSnapshot("near", "x:"), question=own),
        uri="x:",
        started=tuple,
        update=lambda **changes: updates.append(changes),
    )
    with destination(cast(Any, source), "qemu+ssh://far/system"):
        pass
    assert updates == []


@pytest.mark.parametrize(
    ("here", "told"),
    [
        (Side("near", there=True, active=True, state=DomainState.RUNNING), "removed"),
        (Side("near", there=True), "removed"),
        (Side("near"), "left"),
        (Side("near", known=False, why="no answer"), "left"),
    ],
)
def test_images_are_removed_only_where_the_source_still_has_the_domain(
    here: Side, told: str
) -> None:
    prepared = SimpleNamespace(removed=(), undo=lambda: "removed", left=lambda: "left")
    running = SimpleNamespace(
        failure=libvirt.libvirtError("the line broke"), abort_asked=False, paused=False
    )
    move: Any = SimpleNamespace(name="web", target=SimpleNamespace(name="far"))
    ended = _Move.failed(move, cast(Any, running), here, Side("far"), cast(Any, prepared))
    assert ended.done == told


def test_where_the_domain_is_and_what_is_left_is_told_after_a_defect_too() -> None:
    prepared = SimpleNamespace(removed=("/a",), undo=lambda: "left", left=lambda: "in use")
    defect = OverflowError("int too big to convert")
    running = SimpleNamespace(failure=defect, abort_asked=False, paused=False)
    move: Any = SimpleNamespace(name="web", target=SimpleNamespace(name="far"))
    here = Side("near", there=True, active=True, state=DomainState.RUNNING)
    ended = _Move.failed(move, cast(Any, running), here, Side("far"), cast(Any, prepared))
    assert str(ended) == (
        "web was not moved to far (it goes on running on near, and nothing of it is on far; /a that"
        " was made there is removed again): OverflowError: int too big to convert. Done all the"
        " same: left"
    )


def test_one_that_was_off_and_runs_here_after_it_is_told_as_a_failure() -> None:
    prepared = SimpleNamespace(troubles=[], copied=(), left=lambda: "/a on far is left")
    running = SimpleNamespace(failure=None, troubles=[])
    move: Any = SimpleNamespace(
        name="web",
        what="cannot move web to far",
        source=SimpleNamespace(name="near"),
        target=SimpleNamespace(name="far"),
    )
    here = Side("near", there=True, active=True, state=DomainState.RUNNING)
    there = Side("far", there=True, persistent=True)
    with pytest.raises(TuivirtError, match="it was started on near meanwhile") as caught:
        _Move.moved(
            move, {"live": False}, cast(Any, running), here, there, 1.0, cast(Any, prepared)
        )
    assert "it runs on near, not defined there; it is off on far" in caught.value.why
    assert caught.value.done == "/a on far is left"


@pytest.mark.parametrize(
    ("aborted", "copied", "said"),
    [
        (True, ("vda",), "it was aborted once its images were copied, before it was defined there"),
        (True, (), "it was aborted before it began"),
        (False, ("vda",), "it was started meanwhile"),
    ],
)
def test_what_happened_before_the_call_is_told_as_it_was(
    aborted: bool, copied: tuple[str, ...], said: str
) -> None:
    def keep() -> None:
        raise AssertionError("it is not kept")

    asked = threading.Event()
    if aborted:
        asked.set()
    move: Any = SimpleNamespace(
        what="cannot move web to far",
        aborted=asked,
        domain=SimpleNamespace(isActive=lambda: 1, info=lambda: [0, 0], migrate3=keep),
        source=SimpleNamespace(traffic=SimpleNamespace(job=None)),
        target=SimpleNamespace(conn=SimpleNamespace(newStream=lambda _flags: None)),
        tell=None,
        waiting=None,
    )
    prepared: Any = SimpleNamespace(copied=copied, keep=keep)
    with pytest.raises(TuivirtError) as caught:
        _Move.run(move, {"live": False, "p2p": False}, prepared)
    assert caught.value.why == said
