"""The actions on processors and memory in a menu of their own: nine would bury the others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tuivirt.actions.processors import of_processors
from tuivirt.widgets.menu import Choice, Menu

NAME = "processors"
TITLE = "vCPUs, memory, pinning…"
"""What the menu of a domain says in their place."""


@cache
def grouped() -> frozenset[str]:
    """The names of the actions that this menu lists."""
    return frozenset(action.name for action in of_processors())


def menu_of_processors(choices: Sequence[Choice], name: str) -> Menu:
    """``choices`` are those of all these actions; its answer is the name of one."""
    return Menu(f"{TITLE.removesuffix('…')}: {name}", choices)
