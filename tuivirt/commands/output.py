"""What the command line prints. Text of guests and hosts never reaches the terminal as it is."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tuivirt.actions.advice import sentence
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.events import Event, Noticed
from tuivirt.widgets.text import plain, width_of

from .stdout import put as say

__all__ = [
    "DONE",
    "FAILED",
    "INTERRUPTED",
    "USAGE",
    "Notices",
    "advised",
    "complain",
    "complain_of",
    "listing",
    "say",
    "table",
    "to_json",
    "yes",
]

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses."""


def to_json(value: Any) -> str:
    """One line of JSON in ASCII only, so that no text can steer a terminal."""
    import json  # The screen shall not hold it.

    return json.dumps(value, ensure_ascii=True)


def complain(text: str, host: str = "") -> None:
    """Say on standard error what went wrong, and where."""
    where = f"{plain(host)}: " if host else ""
    print(f"tuivirt: {where}{_lines(text)}", file=sys.stderr, flush=True)


def complain_of(error: TuivirtError, host: str = "") -> None:
    """Say an error on standard error, with what to do about it."""
    complain(advised(str(error), error.advice), host)


def advised(text: str, advice: str) -> str:
    """What went wrong, and what to do next in a sentence of its own."""
    return f"{text}\n{sentence(advice)}" if advice else text


class Notices:
    """Says on standard error what was noticed that no action caused, each once."""

    def __init__(self) -> None:
        self._said: set[tuple[str, str]] = set()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Noticed) and (event.host, event.text) not in self._said:
            self._said.add((event.host, event.text))
            complain(event.text, event.host)


def _lines(text: str) -> str:
    return "\n  ".join(plain(line) for line in text.splitlines())


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], right: Iterable[str] = ()
) -> str:
    """Rows under their titles, each column as wide as its widest cell.

    ``right`` names the columns that are aligned to the right; None is shown as ``-``.
    """
    cells = [list(columns)]
    cells += [["-" if cell is None or cell == "" else plain(str(cell)) for cell in r] for r in rows]
    widths = [max(width_of(row[i]) for row in cells) for i in range(len(columns))]
    to_right = {columns.index(name) for name in right}
    lines = []
    for row in cells:
        line = []
        for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
            gap = " " * (width - width_of(cell))
            line.append(gap + cell if place in to_right else cell + gap)
        lines.append("  ".join(line).rstrip())
    return "\n".join(lines)


def yes(flag: bool) -> str:
    return "yes" if flag else "no"


def listing(
    records: Sequence[Mapping[str, Any]],
    columns: Sequence[tuple[str, str]],
    right: Iterable[str] = (),
) -> str:
    """A table of records; ``columns`` are (title, field)."""
    rows = [[_cell(record[key]) for _, key in columns] for record in records]
    return table([title for title, _ in columns], rows, right)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return yes(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return value
