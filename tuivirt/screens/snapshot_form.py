"""The form of a new snapshot: what the domain's disks, firmware and state do not allow is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tuivirt.actions import lookups
from tuivirt.actions.snapshots import refused
from tuivirt.widgets.form import Field

from .offers import Asked, Offer


class SnapshotForm:
    """Its own fields, and for each choice that cannot be taken why not."""

    waits = ""
    """Nothing: a name can be typed meanwhile."""

    def look_up(self, host: Any, key: str) -> Any:
        return lookups.snapshot_facts(host, key)

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        """Of several domains a choice is refused where none of them can have it."""

        def shaped(values: Mapping[str, Any]) -> tuple[Field, ...]:
            said = [refused(facts, values) for _asked, facts in answers]
            return tuple(_refusing(field, said) for field in fields)

        begun = {field.name: field.value for field in fields}
        return Offer(shaped(begun), shape=shaped)


def _refusing(field: Field, said: Sequence[Mapping[tuple[str, str], str]]) -> Field:
    choices = field.choices if field.kind == "choice" else ("yes",)
    whys = [[each.get((field.name, choice), "") for each in said] for choice in choices]
    return replace(field, refused=tuple(why[0] if all(why) else "" for why in whys))
