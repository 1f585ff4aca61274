"""The screen is given what is known soon, and once for all that arrives together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tuivirt.backend.events import Event, Noticed
from tuivirt.screens import painting as module
from tuivirt.screens.painting import EVENT_PAINT_S, PAINT_EVERY_S, Painting

from .things import driven, settle


class Planned:
    """Time that is made to pass, and what was planned in it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.painted: list[float] = []
        self._timers: list[tuple[float, Callable[[], None], dict[str, bool]]] = []
        self.painting = Painting(cast(Any, self._set_timer), self._paint)

    def monotonic(self) -> float:
        return self.now

    def _paint(self) -> None:
        self.painted.append(round(self.now - 1000.0, 3))

    def _set_timer(self, after_s: float, call: Callable[[], None]) -> SimpleNamespace:
        state = {"stopped": False}
        self._timers.append((self.now + after_s, call, state))
        return SimpleNamespace(stop=lambda: state.update(stopped=True))

    def pass_by(self, seconds: float) -> None:
        until = self.now + seconds
        while due := [each for each in self._timers if each[0] <= until]:
            first = min(due, key=lambda each: each[0])
            self._timers.remove(first)
            self.now = max(self.now, first[0])
            if not first[2]["stopped"]:
                first[1]()
        self.now = until


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Planned:
    made = Planned()
    monkeypatch.setattr(module, "time", made)
    return made


def test_the_first_is_painted_at_once_and_the_next_when_they_are_due(planned: Planned) -> None:
    for _ in range(50):
        planned.painting.plan(0.1)
        planned.pass_by(0.01)
    planned.pass_by(1.0)
    assert planned.painted == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_a_storm_of_what_is_urgent_is_painted_no_more_often_than_it_may(planned: Planned) -> None:
    for _ in range(100):
        planned.painting.plan(0.025)
        planned.pass_by(0.001)
    planned.pass_by(1.0)
    assert planned.painted == [0.0, 0.025, 0.05, 0.075, 0.1]


def test_what_is_urgent_comes_before_what_was_planned_and_that_comes_with_it(
    planned: Planned,
) -> None:
    planned.painting.plan(0.025)
    planned.painting.plan(0.1)
    planned.painting.plan(0.025)
    planned.pass_by(1.0)
    assert planned.painted == [0.0, 0.025]


def test_what_is_urgent_does_not_wait_because_figures_were_painted_just_before(
    planned: Planned,
) -> None:
    planned.painting.plan(0.1)
    planned.pass_by(0.001)
    planned.painting.plan(0.025)
    assert planned.painted == [0.0, 0.001]
    planned.painting.plan(0.1)
    planned.pass_by(1.0)
    assert planned.painted == [0.0, 0.001, 0.101]


def test_a_changed_domain_is_more_urgent_than_figures() -> None:
    assert EVENT_PAINT_S < PAINT_EVERY_S


class Busy(deque[Event]):
    """Another thread adds to it whenever somebody goes through it."""

    def __iter__(self) -> Iterator[Event]:
        raise RuntimeError("deque mutated during iteration")


async def test_what_arrives_while_the_screen_takes_in_what_there_is_does_no_harm() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        app._inbox._events = Busy(
            [Noticed(host="lab", text="one"), Noticed(host="lab", text="two")]
        )
        app.on_arrived()
        assert not app._inbox._events
        assert app.notice[0] == "two"
