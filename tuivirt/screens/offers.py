"""What a form offers once it is known what the objects have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tuivirt.backend.model.ref import Ref
from tuivirt.backend.model.stats import DomainStats
from tuivirt.widgets.form import Field, Shape


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """An object that a form is about."""

    ref: Ref
    thing: Any
    """Its model object, a Domain for instance."""
    stats: DomainStats | None = None
    hosts: tuple[str, ...] = ()
    """The names of all hosts."""

    @property
    def name(self) -> str:
        return str(self.thing.name)


def _as_given(given: Mapping[str, Any]) -> dict[str, Any]:
    return dict(given)


def _nothing(_given: Mapping[str, Any]) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Offer:
    """The fields that apply, and what is said above them."""

    fields: tuple[Field, ...]
    sentences: tuple[str, ...] = ()
    blocked: str = ""
    """Why it cannot be done to these objects at all."""
    check: Callable[[Mapping[str, Any]], str] = _nothing
    """What is wrong with the fields' values, in the form's own words, or ''."""
    shape: Shape | None = None
    """The fields as they apply beside the values of the others; None: they stay."""
    parameters: Callable[[Mapping[str, Any]], dict[str, Any]] = _as_given
    """The fields' values as the action's parameters."""


class Offering(Protocol):
    """How the form of one action comes to know what to offer."""

    @property
    def waits(self) -> str:
        """What is said while it is looked up; '' shows the action's own fields meanwhile."""

    def look_up(self, host: Any, key: str) -> Any:
        """What one object has, on its host's look-ups lane. Raises TuivirtError."""

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        """What to offer instead of the action's own ``fields``, by what the look-ups told."""
