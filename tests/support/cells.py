"""What stands in each cell of a terminal, out of what ``tmux capture-pane -e`` says of it."""

from __future__ import annotations

import re
from typing import NamedTuple

from rich.cells import cell_len

Grid = list[list["Cell"]]
"""Rows of a screen."""

_PIECES = re.compile(r"\x1b\[([\d;:]*)m|([\x0e\x0f\n])|(.)", re.DOTALL)

# tmux keeps line drawing as the letters that it came as, between shift out and shift in: the
# DEC special graphics, whose letters these are (VT220 programmer reference, table 2-4).
_DRAWING = dict(zip("`afgjklmnopqrstuvwxyz{|}~", "◆▒°±┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·", strict=True))

_ENDS = {22: {1, 2}, 23: {3}, 24: {4}, 25: {5}, 27: {7}, 28: {8}, 29: {9}}
"""Which renditions a number of SGR ends."""


class Cell(NamedTuple):
    """A character and how it is drawn."""

    char: str = " "
    front: str = ""
    back: str = ""
    """Colours as SGR has them, ``31`` or ``38;5;100``; empty for the terminal's own."""
    marks: frozenset[int] = frozenset()
    """SGR's numbers: 1 bold, 7 reversed, and so on."""

    @property
    def reversed(self) -> Cell:
        """As a cursor is drawn upon it."""
        return self._replace(marks=self.marks ^ {7})


def cells(captured: str, columns: int) -> Grid:
    """The rows; those that hold less are filled up with blanks.

    Behind a wide character is a cell with nothing; what has no width stands with what it is upon.
    """
    rows: Grid = [[]]
    plain = style = Cell()
    drawing = False
    for codes, control, char in _PIECES.findall(captured):
        if char:
            shown = _DRAWING.get(char, char) if drawing else char
            width = cell_len(shown)
            if width:
                rows[-1].append(style._replace(char=shown))
                rows[-1].extend([style._replace(char="")] * (width - 1))
            elif rows[-1]:
                rows[-1][-1] = rows[-1][-1]._replace(char=rows[-1][-1].char + shown)
        elif control == "\n":
            rows.append([])
        elif control:
            drawing = control == "\x0e"
        else:
            style = _styled(style, [int(code or 0) for code in re.split("[;:]", codes)])
    return [[*row, *[plain] * (columns - len(row))] for row in rows[:-1]]


def _styled(style: Cell, codes: list[int]) -> Cell:
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = Cell()
        elif code in (38, 48):
            count = 2 if codes[0] == 5 else 4
            colour = ";".join(str(part) for part in [code, *codes[:count]])
            del codes[:count]
            style = style._replace(front=colour) if code == 38 else style._replace(back=colour)
        elif 30 <= code <= 39 or 90 <= code <= 97:
            style = style._replace(front="" if code == 39 else str(code))
        elif 40 <= code <= 49 or 100 <= code <= 107:
            style = style._replace(back="" if code == 49 else str(code))
        else:
            marks = style.marks - _ENDS.get(code, set())
            style = style._replace(marks=marks if code in _ENDS else marks | {code})
    return style
