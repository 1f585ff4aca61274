"""The forms of a host: what is kept of it, and which hosts are known here already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tuivirt.actions.hosts import FULL, NO, NONE, READ_ONLY, YES
from tuivirt.backend.model.entry import COLOURS
from tuivirt.backend.model.host import HostSnapshot
from tuivirt.settings import default_path
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
class Kept:
    """The settings file, as far as it decides what can be kept in it."""

    names: tuple[str, ...] = ()
    """Of the hosts in it."""
    problem: str = ""
    """Why nothing can be written there."""


@dataclass(frozen=True, slots=True)
class HostForm:
    """Offers what a host is kept with; ``edit``: as it is now."""

    edit: bool = False

    @property
    def waits(self) -> str:
        """The fields begin with what is kept, so they come with it."""
        return "Looking up what is kept …"

    def look_up(self, host: Any, key: str) -> Kept:
        """What the settings have by now: another program, or an editor, may have written them."""
        return _kept()

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        asked, kept = answers[0]
        taken = {*asked.hosts, *kept.names}
        if asked.thing is not None:
            taken.discard(asked.thing.name)
        return Offer(
            tuple(self.fields(fields, asked.thing)),
            blocked=kept.problem,
            check=partial(_wrong, taken=taken),
            parameters=self._parameters,
        )

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


def _wrong(given: Mapping[str, Any], *, taken: Set[str]) -> str:
    """What would be refused behind the form, with all that was typed in it lost."""
    for field, said in (("name", "name"), ("rename", "name"), ("uri", "URI")):
        if field in given and not given[field].strip():
            return f"The {said} is missing."
    name = given.get("name", given.get("rename", ""))
    return f"There is a host {name} already: choose another name." if name in taken else ""


def _kept() -> Kept:
    import tomllib  # Of all forms only this one reads a file.

    path = default_path()
    try:
        read = tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        return Kept()
    except OSError as error:
        return Kept(problem=f"{path} cannot be read: {error.strerror}. Put that right first.")
    except ValueError as error:  # It is not TOML, or not UTF-8.
        return Kept(problem=f"{path} is not right: {error}. Put that right first.")
    hosts = read.get("hosts")
    listed = hosts if isinstance(hosts, list) else []
    return Kept(tuple(str(each.get("name", "")) for each in listed if isinstance(each, dict)))


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
