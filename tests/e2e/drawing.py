"""The same screen drawn twice: by the pane's emulator, and by the operator's terminal itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.e2e.operator import LEAVE_CONSOLE, PANE, PATIENCE_S, Operator
from tests.support.cells import Grid


def drawn_by_pane(at: Operator) -> Grid:
    """Each cell once the screen is at rest, with the cursor that the pane draws."""
    at.still()
    return at.terminal.cells()


def drawn_by_terminal(at: Operator) -> Grid:
    """The same in raw mode, with the terminal's own cursor drawn as the pane does it."""
    at.still()
    rows = at.terminal.cells()
    if at.terminal.modes["cursor_flag"] == "1":
        x, y = at.terminal.cursor
        rows[y][x] = rows[y][x].reversed
    return rows


def go_raw(at: Operator) -> None:
    """From the pane to the guest with nothing in between."""
    at.choose("r")
    at.sees(r"\[connected to")


def leave_raw(at: Operator, shown: str) -> None:
    """Back to the pane, which shows this from before; it has all rows of the screen."""
    at.press(LEAVE_CONSOLE)
    at.sees(shown)
    at.choose("z")
    at.sees("left the console of")
    at.sees_no("opening")
    at.choose("z")
    at.sees_no(PANE)


def sees_drawn(
    at: Operator, look: Callable[[Operator], Grid], wanted: Grid, *, below: int = 0
) -> None:
    """Wait until every cell below so many rows is as it was drawn otherwise."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        seen = look(at)
        unlike = [
            f"row {y} column {x}: {new} instead of {old}"
            for y, rows in enumerate(zip(seen, wanted, strict=True))
            for x, (new, old) in enumerate(zip(*rows, strict=True))
            if y >= below and new != old
        ]
        if not unlike:
            return
        if time.monotonic() > deadline:
            raise AssertionError("\n".join([*unlike[:20], at.text]))
        time.sleep(0.05)  # tmux tells no one of a change.
