"""The forms of a host: what is kept of it, and which hosts are known here already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuivirt.actions.hosts import FULL, NO, NONE, READ_ONLY, YES
from tuivirt.backend.model.entry import COLOURS
from tuivirt.backend.model.host import HostSnapshot
from tuivirt.widgets.form import Field

from .offers import Asked, Offer

KNOWN = "known hosts"
"""What ctrl+o lists in the field of the URI."""

_HELPS = {
    "name": "What it is called here, behind @ and after -c.",
    "rename": "What it is called here, behind @ and after -c.",
    "group": "Where it belongs, as in prod; the list can be sorted by it.",
    "tags": "Words to filter by, with commas between: /#web shows those with the tag.",
}


@dataclass(frozen=True, slots=True)
class HostForm:
    """Offers what a host is kept with; ``edit``: as it is now."""

    edit: bool = False

    @property
    def waits(self) -> str:
        """The fields begin with what is kept, so they come with it."""
        return "Looking up what is kept …"

    def look_up(self, host: Any, key: str) -> None:
        """All is known."""

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        thing = answers[0][0].thing
        return Offer(tuple(self.fields(fields, thing)), check=_missing, parameters=self._parameters)

    def fields(self, fields: Sequence[Field], host: HostSnapshot | None) -> list[Field]:
        """The action's own fields, with what is kept of the host in them."""
        now = _now(host) if host is not None else {}
        made = []
        for field in fields:
            value = now.get(field.name, field.value)
            field = replace(field, value=value, help=_HELPS.get(field.name, field.help))
            if field.name == "uri":
                field = replace(field, listed=KNOWN, required=True)
            elif field.name == "rename":
                field = replace(field, required=True)
            elif field.name == "colour":
                field = replace(field, choices=(NONE, *COLOURS), value=value or NONE)
            elif field.kind == "choice":
                field = replace(field, choices=tuple(filter(None, field.choices)))
            made.append(field)
        return made

    def _parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Of what is edited an empty text means nothing any more, not as before."""
        if not self.edit:
            return dict(given)
        return {**given, **{key: given[key].strip() or NONE for key in ("group", "tags")}}


def _missing(given: Mapping[str, Any]) -> str:
    for field, said in (("name", "name"), ("rename", "name"), ("uri", "URI")):
        if field in given and not given[field].strip():
            return f"The {said} is missing."
    return ""


def _now(host: HostSnapshot) -> dict[str, Any]:
    entry = host.entry
    if entry is None:
        readonly = host.info is not None and host.info.readonly
        return {
            "rename": host.name,
            "uri": host.uri,
            "access": READ_ONLY if readonly else FULL,
            "autoconnect": YES,
        }
    return {
        "rename": entry.name,
        "uri": entry.uri,
        "group": entry.group,
        "tags": ", ".join(entry.tags),
        "colour": entry.colour,
        "access": READ_ONLY if entry.readonly else FULL,
        "autoconnect": YES if entry.connect else NO,
    }
