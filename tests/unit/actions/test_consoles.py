"""Which ports of a guest can be opened, and what is said where there are none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tuivirt.actions import consoles
from tuivirt.actions.errors import TuivirtError
from tuivirt.backend import console_ports
from tuivirt.backend.xml.belongings import ConsolePort

PTY = ConsolePort("serial0", "serial", "pty")
TCP = ConsolePort("serial1", "serial", "tcp")
HOST: Any = SimpleNamespace(domain=lambda _uuid: SimpleNamespace(name=lambda: "web-01"))


def ports(
    monkeypatch: pytest.MonkeyPatch, live: tuple[ConsolePort, ...], saved: tuple[ConsolePort, ...]
) -> tuple[ConsolePort, ...]:
    """Those of a guest that runs with ``live`` and is configured with ``saved``."""

    def known(_host: object, _uuid: str, **which: bool) -> tuple[ConsolePort, ...]:
        return saved if which.get("saved") else live

    monkeypatch.setattr(console_ports, "consoles", known)
    return consoles.ports(HOST, "uuid")


def test_only_those_with_a_pty_can_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ports(monkeypatch, (TCP, PTY), ()) == (PTY,)


def test_a_guest_that_has_none_can_be_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(consoles.NoConsole, match="no serial port and no console device"):
        ports(monkeypatch, (), ())


def test_one_that_has_none_until_it_starts_anew_is_not_offered_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(TuivirtError, match="has serial0 from its next start on") as told:
        ports(monkeypatch, (), (PTY,))
    assert not isinstance(told.value, consoles.NoConsole)
    assert told.value.advice == "shut it down and start it"


def test_one_that_libvirt_does_not_open_is_told_by_its_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(consoles.NoConsole, match=r"it has serial1 \(tcp\)"):
        ports(monkeypatch, (TCP,), (PTY,))


def test_the_one_that_is_opened_unasked_is_the_first_with_a_pty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(console_ports, "consoles", lambda *_, **_which: (TCP, PTY))
    assert console_ports.chosen(HOST, "uuid", None) == PTY
    assert console_ports.chosen(HOST, "uuid", "serial0") == PTY
    with pytest.raises(TuivirtError, match="it ends in tcp") as told:
        console_ports.chosen(HOST, "uuid", "serial1")
    assert told.value.advice == "it has serial0"
    with pytest.raises(TuivirtError, match="has no console 'serial9': it has serial0"):
        console_ports.chosen(HOST, "uuid", "serial9")
