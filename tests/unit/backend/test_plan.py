"""What the sampler asks: all of what is in view, the rest within the budget, everyone in turn."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tuivirt.backend.plan import BALLOON, VCPU, Ask, Planner

NOBODY: frozenset[str] = frozenset()


def names(count: int) -> list[str]:
    return [f"u{n:05}" for n in range(count)]


def plan(planner: Planner, active: list[str], view: set[str] | None = None) -> list[Ask]:
    return planner.plan(active, frozenset(view or ()), None, NOBODY)


@given(st.integers(0, 400), st.integers(0, 60))
def test_a_tick_is_at_most_two_bulk_calls_and_asks_nobody_twice(count: int, shown: int) -> None:
    planner = Planner()
    everyone = names(count)
    for _ in range(5):
        asks = plan(planner, everyone, set(everyone[:shown]))
        assert len(asks) <= 2
        asked = [uuid for ask in asks for uuid in ask.uuids]
        assert len(asked) == len(set(asked))


def test_everything_in_view_gets_all_figures_each_tick() -> None:
    planner = Planner()
    view = set(names(20))
    dear = next(ask for ask in plan(planner, names(100), view) if ask.dear)
    assert view <= set(dear.uuids)


def test_out_of_view_everyone_gets_a_turn() -> None:
    planner = Planner()
    everyone = names(1000)
    cheap: set[str] = set()
    dear: set[str] = set()
    for _ in range(300):
        for ask in plan(planner, everyone, set(everyone[:10])):
            (dear if ask.dear else cheap).update(ask.uuids)
    assert cheap | dear == set(everyone)
    assert dear == set(everyone)


def test_a_dearer_daemon_is_asked_for_less_out_of_view_but_never_for_nothing() -> None:
    light, heavy = Planner(), Planner()
    heavy.dear.per_domain *= 20
    heavy.cheap.per_domain *= 20
    everyone, view = names(500), set(names(5))
    asked_light = sum(len(a.uuids) for a in plan(light, everyone, view))
    asked_heavy = sum(len(a.uuids) for a in plan(heavy, everyone, view))
    assert len(view) < asked_heavy < asked_light


def test_the_expected_work_stays_within_the_budget() -> None:
    planner = Planner(interval=2.0)
    everyone = names(2000)
    for _ in range(10):
        asks = plan(planner, everyone, set(everyone[:45]))
        # One domain of each kind is always asked, so that nobody is forgotten.
        floor = planner.dear.per_domain + planner.cheap.per_domain
        assert sum(map(planner.expected, asks)) <= planner.budget * planner.interval + floor


def test_vcpu_figures_are_asked_for_the_focus_and_for_unknown_sizes_only() -> None:
    planner = Planner()
    everyone = names(5)
    view = frozenset(everyone)
    (ask,) = planner.plan(everyone, view, None, NOBODY)
    assert not ask.groups & VCPU
    (ask,) = planner.plan(everyone, view, everyone[0], NOBODY)
    assert ask.groups & VCPU
    (ask,) = planner.plan(everyone, view, None, frozenset(everyone[:1]))
    assert ask.groups & VCPU


def test_memory_is_asked_no_more_often_than_a_guests_driver_tells_it() -> None:
    planner = Planner(interval=2.0)
    everyone = names(5)
    asked = [bool(plan(planner, everyone, set(everyone))[0].groups & BALLOON) for _ in range(9)]
    assert asked[0]
    assert asked.count(True) in (3, 4, 5)


@settings(max_examples=30)
@given(st.sampled_from((1.0, 2.0, 3.0, 5.0)), st.integers(0, 120), st.integers(0, 120))
def test_everyone_is_asked_for_its_memory_again_and_again(
    interval: float, count: int, shown: int
) -> None:
    planner = Planner(interval=interval)
    planner.dear.per_domain = planner.cheap.per_domain = 0.0005
    everyone = names(count)
    for _ in range(2):
        asked: set[str] = set()
        for _ in range(100):
            for ask in plan(planner, everyone, set(everyone[:shown])):
                asked.update(ask.uuids if ask.groups & BALLOON else ())
        assert asked == set(everyone)


def test_memory_that_is_not_known_yet_is_asked_at_once() -> None:
    planner = Planner(interval=2.0)
    everyone = names(5)
    plan(planner, everyone, set(everyone))
    (ask,) = planner.plan(everyone, frozenset(everyone), None, frozenset(everyone[:1]))
    assert ask.groups & BALLOON
