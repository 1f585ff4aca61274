"""Actions with a menu of their own, led to by one line: they would bury the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from tuivirt.actions.catalog import for_kind, listed
from tuivirt.actions.migrations import of_jobs
from tuivirt.actions.processors import of_processors
from tuivirt.actions.registry import Action
from tuivirt.backend.model.ref import Kind
from tuivirt.widgets.menu import Choice, Menu

TITLES: Mapping[str, str] = {
    "processors": "vCPUs, memory, pinning…",
    "snapshots": "Snapshots…",
    "block-jobs": "Copy, commit, pull a disk…",
    "backups": "Backup, checkpoints…",
    "saving": "Save or dump its memory…",
    "labels": "Tags, group, note…",
    "its-job": "Its job…",
    "images": "Disk images…",
    "secrets": "Secrets…",
    "volumes": "Its volumes…",
}
"""By group: what the menu of an object says in place of its actions."""
_OF: Mapping[Kind, tuple[str, ...]] = {Kind.HOST: ("images", "secrets"), Kind.POOL: ("volumes",)}
"""The groups of kinds of objects; a domain has the others."""
_ELSEWHERE = frozenset(group for groups in _OF.values() for group in groups)


FOR_MANY = frozenset(("labels", "backups"))
"""Groups of actions that are for several domains at once, too."""
_LABELS = ("tag", "untag", "set-group", "unset-group", "set-note", "unset-note")
_WHOLE = {
    "backups": "backups",
    "block_jobs": "block-jobs",
    "images": "images",
    "saving": "saving",
    "secrets": "secrets",
    "snapshots": "snapshots",
    "volume_files": "volumes",
    "volumes": "volumes",
}
"""By module whose actions on one kind of object are a group: that group."""


def actions_of(kind: Kind) -> tuple[Action, ...]:
    """All that can be done to an object of this kind, those without a key too."""
    listed()
    return for_kind(kind)


def titles_of(kind: Kind) -> Mapping[str, str]:
    """The groups in the menu of an object of this kind."""
    if kind is Kind.DOMAIN:
        return {group: title for group, title in TITLES.items() if group not in _ELSEWHERE}
    return {group: TITLES[group] for group in _OF.get(kind, ())}


@cache
def _groups() -> Mapping[str, str]:
    """The group of each action that is in one."""
    found = {action.name: "processors" for action in of_processors()}
    for name, action in listed().items():
        group = _WHOLE.get(action.function.__module__.rpartition(".")[2], "")
        if group in titles_of(action.object):
            found[name] = group
    found |= {action.name: "its-job" for action in of_jobs()}
    return found | dict.fromkeys(_LABELS, "labels")


def group_of(name: str) -> str:
    """The group of that action; empty: it stands in the object's own menu."""
    return _groups().get(name, "")


def menu_of(group: str, choices: Sequence[Choice], name: str) -> Menu:
    """``choices`` are those of the group's actions; its answer is the name of one."""
    return Menu(f"{TITLES[group].removesuffix('…')}: {name}", choices)
