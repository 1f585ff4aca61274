"""Actions on a domain with a menu of their own, led to by one line: they would bury the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from tuivirt.actions.migrations import of_jobs
from tuivirt.actions.processors import of_processors
from tuivirt.actions.snapshots import of_snapshots
from tuivirt.widgets.menu import Choice, Menu

TITLES: Mapping[str, str] = {
    "processors": "vCPUs, memory, pinning…",
    "snapshots": "Snapshots…",
    "labels": "Tags, group, note…",
    "its-job": "Its job, while it is moved…",
}
"""By group: what the menu of a domain says in place of its actions."""


FOR_MANY = frozenset(("labels",))
"""Groups of actions that are for several domains at once, too."""
_LABELS = ("tag", "untag", "set-group", "unset-group", "set-note", "unset-note")


@cache
def _groups() -> Mapping[str, str]:
    """The group of each action that is in one."""
    return (
        {action.name: "processors" for action in of_processors()}
        | {action.name: "its-job" for action in of_jobs()}
        | {action.name: "snapshots" for action in of_snapshots()}
        | dict.fromkeys(_LABELS, "labels")
    )


def group_of(name: str) -> str:
    """The group of that action; empty: it stands in the domain's own menu."""
    return _groups().get(name, "")


def menu_of(group: str, choices: Sequence[Choice], name: str) -> Menu:
    """``choices`` are those of the group's actions; its answer is the name of one."""
    return Menu(f"{TITLES[group].removesuffix('…')}: {name}", choices)
