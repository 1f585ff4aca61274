"""What must be true of every frame of an emulated terminal, whatever it was fed."""

from __future__ import annotations

import unicodedata

from tuivirt.backend.model.terminal import Frame, Row

CLUSTER_MAX = 32
"""Code points that one cell may hold: a family of emoji has seven, a tagged flag fourteen."""

_TURNING = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
"""Characters that turn the direction of the text around."""


def acted_on(text: str) -> str:
    """The characters of ``text`` that a terminal would do something by, instead of drawing."""
    return "".join(
        char
        for char in text
        if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or ord(char) in _TURNING
    )


def faults_of_row(row: Row, columns: int) -> list[str]:
    """What is wrong with a row."""
    found = []
    if (cells := sum(run.cells for run in row)) > columns:
        found.append(f"{cells} cells in {columns} columns")
    for run in row:
        if not run.text or run.cells < 1:
            found.append(f"an empty run: {run!r}")
        if bad := acted_on(run.text):
            found.append(f"{bad!r} in a run's text")
        if len(run.text) > run.cells * CLUSTER_MAX:
            found.append(f"{len(run.text)} code points in {run.cells} cells")
    return found


def faults(frame: Frame) -> list[str]:
    """What is wrong with a frame; nothing, as a rule."""
    found = []
    for y, row in frame.rows.items():
        if not 0 <= y < frame.lines:
            found.append(f"row {y} of {frame.lines}")
        found += [f"row {y}: {fault}" for fault in faults_of_row(row, frame.columns)]
    if bad := acted_on(frame.title):
        found.append(f"{bad!r} in the title")
    if len(frame.title) > 200:
        found.append(f"a title of {len(frame.title)} characters")
    cursor, scroll = frame.cursor, frame.scroll
    if not (0 <= cursor.x < frame.columns and 0 <= cursor.y < frame.lines):
        found.append(f"{cursor} outside of {frame.columns} by {frame.lines}")
    if scroll.offset < 0 or scroll.offset + scroll.shown > scroll.total:
        found.append(f"{scroll} does not fit into itself")
    return found
