"""The forms of tags, group and note: begun with what is there, beside what others are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuivirt.actions import lookups
from tuivirt.backend.model.at_most import at_most
from tuivirt.backend.model.domain import Domain
from tuivirt.widgets.form import Field

from .offers import Asked, Offer

MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class LabelForm:
    """Says what there is already, so that one thing does not get two names."""

    action: str

    @property
    def waits(self) -> str:
        """Where a field begins is known only then."""
        return "Looking at what is there …"

    def look_up(self, host: Any, _key: str) -> tuple[Sequence[str], Sequence[str]]:
        return lookups.labels_in_use(host)

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        """For one domain or several: a field begins with what all of them have."""
        domains: list[Domain] = [asked.thing for asked, _ in answers]
        tags = {tag for _, (tags, _groups) in answers for tag in tags}
        groups = {group for _, (_tags, groups) in answers for group in groups}
        said = ""
        if self.action == "tag":
            said = _listed("In use", [f"#{tag}" for tag in tags])
        elif self.action == "untag":
            own = {tag for domain in domains for tag in domain.tags}
            said = _listed("There are", [f"#{tag}" for tag in own]) or "There is no tag."
        elif self.action == "set-group":
            said = _listed("In use", groups, ", ")
        begun = {
            "group": _common([domain.group for domain in domains]),
            "note": _common([domain.note for domain in domains]),
        }
        return Offer(
            tuple(
                replace(field, value=begun[field.name]) if field.name in begun else field
                for field in fields
            ),
            sentences=(said,) if said else (),
        )


def _common(values: Sequence[str]) -> str:
    return values[0] if len(set(values)) == 1 else ""


def _listed(what: str, names: set[str] | Sequence[str], between: str = " ") -> str:
    """``In use: #db #web``; '' when there are none."""
    shown = at_most(MOST_NAMED, sorted(names, key=str.casefold), before="and ")
    return f"{what}: {between.join(shown)}" if shown else ""
