"""What libvirt is given for a move as it was asked for, and what it is told meanwhile."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import libvirt
import pytest

from tuivirt.actions.catalog import find_action
from tuivirt.backend.migration import run as running
from tuivirt.backend.migration.migrate import _Move
from tuivirt.backend.migration.options import settled
from tuivirt.commands.parser import action_parser
from tuivirt.commands.verbs import values_of

DEFAULT = (
    libvirt.VIR_MIGRATE_LIVE
    | libvirt.VIR_MIGRATE_PERSIST_DEST
    | libvirt.VIR_MIGRATE_UNDEFINE_SOURCE
)
SENDING = {"type": libvirt.VIR_DOMAIN_JOB_UNBOUNDED, "memory_total": 1 << 20}


class Domain:
    """One that is moved until it has been told its downtime, with what it was given for that."""

    def __init__(self, refusal: str = "") -> None:
        self.given: tuple[dict[str, Any], int] = ({}, 0)
        self.told: list[tuple[str, int]] = []
        self._refusal = refusal
        self._begun, self._over = threading.Event(), threading.Event()

    def isActive(self) -> int:
        return 1

    def info(self) -> list[int]:
        return [1, 1024, 1024, 1, 0]

    def migrate3(self, _target: object, params: dict[str, Any], flags: int) -> None:
        self.given = params, flags
        self._begun.set()
        assert self._over.wait(10)

    def jobStats(self, _flags: int) -> dict[str, int]:
        return SENDING if self._begun.is_set() else {"type": libvirt.VIR_DOMAIN_JOB_NONE}

    def migrateSetMaxDowntime(self, milliseconds: int, flags: int) -> None:
        assert self._begun.is_set(), "QEMU's own limit would be set after it"
        self.told.append(("downtime", milliseconds))
        self._over.set()
        if self._refusal:
            error = libvirt.libvirtError(self._refusal)
            error.err = (libvirt.VIR_ERR_OPERATION_INVALID, 0, self._refusal, 0, "", "", None, 0, 0)
            raise error


def moved(domain: Domain, line: str) -> running.Running:
    """The move that these words of the command line ask for, done to this domain."""
    action = find_action("migrate")
    assert action is not None
    asked = values_of(action, action_parser(action).parse_intermixed_args(line.split()))
    given = {name: asked[name] for name in asked if name not in ("dest", "dry_run", "force")}
    host = SimpleNamespace(
        traffic=SimpleNamespace(job=nullcontext, standing=nullcontext),
        conn=SimpleNamespace(newStream=lambda _flags: None),
    )
    move: Any = SimpleNamespace(
        domain=domain,
        aborted=threading.Event(),
        source=host,
        target=host,
        tell=lambda *_words: None,
        waiting=nullcontext,
        what="cannot move web to far",
    )
    prepared: Any = SimpleNamespace(copied=(), keep=lambda: None)
    return _Move.run(cast(Any, move), settled(given, active=True, persistent=True), prepared)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "ASK_EVERY_S", 0.01)
    monkeypatch.setattr(running, "WAIT_S", 0.01)


def test_what_was_asked_for_on_the_command_line_is_what_libvirt_is_given_and_told() -> None:
    domain = Domain()
    ended = moved(domain, "web far --auto-converge --max-downtime 250 --bandwidth 7 --compressed")
    params, flags = domain.given
    assert flags == DEFAULT | libvirt.VIR_MIGRATE_AUTO_CONVERGE | libvirt.VIR_MIGRATE_COMPRESSED
    assert params == {libvirt.VIR_MIGRATE_PARAM_BANDWIDTH: 7}
    assert domain.told == [("downtime", 250)], "once, and when there is a job"
    assert (ended.failure, ended.troubles) == (None, [])


def test_a_downtime_that_is_refused_is_told_and_the_move_goes_on() -> None:
    ended = moved(Domain("QEMU does not know it"), "web far --max-downtime 250")
    assert ended.failure is None
    assert ended.troubles == ["its downtime was not limited: QEMU does not know it"]
