"""Records are dataclasses: each is held against what dataclasses itself makes of its class."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Any, ClassVar

import pytest

from tuivirt.backend.model.record import record


@record(frozen=True, slots=True)
class Plain:
    """Two fields, a default, and one that does not count."""

    name: str
    size: int = 3
    seen: list[str] = field(default_factory=list)
    facts: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    kind: ClassVar[str] = "plain"

    @property
    def twice(self) -> int:
        return 2 * self.size


@record(frozen=True, slots=True, kw_only=True)
class Base:
    host: str
    at: float = 1.0


@record(frozen=True, slots=True, kw_only=True)
class Derived(Base):
    kind: ClassVar[str] = "derived"
    text: str


@record(frozen=True, slots=True, eq=False)
class Itself:
    name: str


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    size: int = 3
    seen: list[str] = field(default_factory=list)
    facts: frozenset[str] = field(default=frozenset(), repr=False, compare=False)


def test_a_record_is_made_shown_compared_and_hashed_as_a_dataclass() -> None:
    mine, model = Plain("a", seen=["x"]), Model("a", seen=["x"])
    assert repr(mine) == repr(model).replace("Model", "Plain")
    assert asdict(mine) == asdict(model)
    assert mine == Plain("a", 3, ["x"], frozenset({"other"}))
    assert mine != Plain("b", 3, ["x"])
    assert mine.__eq__(model) is NotImplemented
    assert hash(Plain("a", 3, ())) == hash(Plain("a", seen=()))  # type: ignore[arg-type]
    assert [each.name for each in fields(mine)] == [each.name for each in fields(model)]
    assert Plain.__match_args__ == Model.__match_args__
    assert (mine.twice, mine.kind, Plain.__doc__) == (6, "plain", Plain.__doc__)


def test_what_a_factory_makes_is_made_anew_for_each() -> None:
    assert Plain("a").seen is not Plain("a").seen


def test_replace_copy_and_pickle_give_another() -> None:
    one = Plain("a", seen=["x"])
    assert replace(one, size=4) == Plain("a", 4, ["x"])
    assert copy.deepcopy(one) == one == pickle.loads(pickle.dumps(one))


def test_fields_of_the_class_above_come_first_and_by_name_only() -> None:
    made = Derived(host="h", text="t")
    assert repr(made) == "Derived(host='h', at=1.0, text='t')"
    assert made == replace(made)
    assert made != Derived(host="h", text="t", at=2.0)
    with pytest.raises(TypeError):
        Derived("h", text="t")  # type: ignore[call-arg]


def test_one_without_comparison_is_equal_to_itself_alone() -> None:
    one = Itself("a")
    assert one == one
    assert one != Itself("a")
    assert hash(one) != hash(Itself("a")) or one is not Itself("a")


@pytest.mark.parametrize(
    "change",
    [
        lambda one: setattr(one, "size", 4),
        lambda one: setattr(one, "other", 4),
        lambda one: delattr(one, "name"),
    ],
)
def test_nothing_of_it_can_be_changed(change: Callable[[Any], None]) -> None:
    with pytest.raises(FrozenInstanceError):
        change(Plain("a"))


def test_a_missing_or_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="name"):
        Plain()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="other"):
        Plain("a", other=1)  # type: ignore[call-arg]


def test_what_is_not_frozen_is_no_record() -> None:
    with pytest.raises(TypeError, match="frozen"):

        @record(slots=True)
        class Loose:
            name: str
