"""The few ways a text can stand out. Each is a second signal only: the words say it first.

All are made of the terminal's own sixteen colours and attributes, so they hold on a console, over
a slow line (the sequences are short) and with NO_COLOR.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rich.style import Style

STYLES: dict[str, Style] = {
    "": Style.null(),
    "dim": Style(dim=True),
    "bold": Style(bold=True),
    "good": Style(color="green"),
    "warn": Style(color="yellow"),
    "bad": Style(color="red", bold=True),
    "info": Style(color="cyan"),
    "accent": Style(color="cyan", bold=True),
    "title": Style(bold=True),
    "reverse": Style(reverse=True),
}
CURSOR = Style(bold=True, bgcolor="bright_black")


class Toned(NamedTuple):
    """A piece of text and how it is to stand out (a name in STYLES, or a terminal's colour)."""

    text: str
    tone: str = ""


Cell = str | Toned | tuple[Toned, ...]
"""What a column makes of a row: a text, a toned text, or several pieces side by side."""


@lru_cache(256)
def style_of(tone: str, cursor: bool = False) -> Style:
    """The style of a tone or a colour (``bold bright-red``), on the cursor's line or elsewhere."""
    style = STYLES.get(tone)
    if style is None:  # One of the terminal's colours, by its name, perhaps in bold.
        style = Style.parse(tone.replace("-", "_"))
    if not cursor:
        return style
    return (Style(dim=False) if tone == "dim" else style) + CURSOR
