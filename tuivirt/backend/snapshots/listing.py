"""A domain's snapshots as text: the command line's tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..model.size import spelled
from ..model.snapshot import Snapshot, branch, described, of, tree, when
from .read import snapshots_of
from .sizes import sizes_of
from .troubles import troubles_of

if TYPE_CHECKING:
    from ..host import Host


def as_text(host: Host, uuid: str) -> str:
    """The tree, a line each: name, when, what it holds, its size; the current one with a star.

    Below it what does not fit together, with the ways out.
    """
    name = host.domain(uuid).name()
    known = snapshots_of(host, uuid)
    wrong = [
        f"! {each.snapshot + ': ' if each.snapshot else ''}{each.text}\n   {each.advice}"
        for each in troubles_of(host, uuid, known)
    ]
    return "\n".join((_tree(name, known, sizes_of(host, known)), *wrong))


def _tree(name: str, known: Sequence[Snapshot], sizes: Mapping[str, int]) -> str:
    rows = tree(known)
    if not rows:
        return f"{name} has no snapshots"
    names = [branch(row) + row.snapshot.name for row in rows]
    width = max(map(len, names))
    return "\n".join(
        f"{'*' if row.snapshot.current else ' '} {text:<{width}}  {when(row.snapshot)}  {of(row)}"
        + (f", {spelled(sizes[row.snapshot.name])}" if row.snapshot.name in sizes else "")
        + (f": {described(row)}" if row.snapshot.description else "")
        for text, row in zip(names, rows, strict=True)
    )
