"""A tree as rows of a table: the order of the rows and what stands before each name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

K = TypeVar("K")


def tree_rows(
    parents: Mapping[K, K | None], keep: Iterable[K], sort_key: Callable[[K], Any]
) -> list[tuple[K, str]]:
    """The kept nodes from the top down, each with its branch, as in ``│  ├─ ``.

    A kept node hangs below its nearest kept ancestor. Parents that are missing or that run in a
    circle make a root: what a host tells need not be a tree.
    """
    kept = set(keep)
    children: dict[K | None, list[K]] = {}
    for node in kept:
        children.setdefault(_anchor(node, parents, kept), []).append(node)
    rows: list[tuple[K, str]] = []

    def below(parent: K | None, before: str) -> list[tuple[K, str, str]]:
        found = sorted(children.get(parent, ()), key=sort_key)
        drawn = []
        for index, node in enumerate(found):
            last = index == len(found) - 1
            branch = "" if parent is None else before + ("└─ " if last else "├─ ")
            drawn.append(
                (node, branch, "" if parent is None else before + ("   " if last else "│  "))
            )
        return drawn

    waiting = below(None, "")[::-1]
    while waiting:
        node, branch, before = waiting.pop()
        rows.append((node, branch))
        waiting.extend(below(node, before)[::-1])
    return rows


def _anchor(node: K, parents: Mapping[K, K | None], kept: set[K]) -> K | None:
    """The nearest kept ancestor; None for a root, and for every node of a circle."""
    seen = {node}
    anchor: K | None = None
    at = parents.get(node)
    while at is not None:
        if at in seen:
            return None
        seen.add(at)
        if anchor is None and at in kept:
            anchor = at
        at = parents.get(at)
    return anchor
