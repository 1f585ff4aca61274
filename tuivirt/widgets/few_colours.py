"""Lines with no colours, or with those only that are an alarm: the rest is bytes on a slow line."""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_ALARMS = (1, 3)
"""Red and yellow of the terminal's sixteen: what is bad, and what wants to be looked at."""


@lru_cache(512)
def _fewer(style: Style, alarms: bool) -> Style | None:
    """All but its colours; None where that leaves nothing."""
    colour = style.color
    alarm = alarms and colour is not None and colour.number in _ALARMS
    # Not Style.without_color: that is not equal to no style where nothing is left.
    fewer = Style(
        color=colour if alarm else None,
        bold=style.bold or alarm or None,
        dim=style.dim or None,
        italic=style.italic or None,
        underline=style.underline or None,
        underline2=style.underline2 or None,
        strike=style.strike or None,
        reverse=style.reverse or None,
        meta=style.meta or None,
    )
    return fewer or None


def _shows_on_blanks(style: Style) -> bool:
    """Also what the mouse does there."""
    return bool(style.reverse or style.underline or style.meta)


class FewColours(LineFilter):
    """Takes the colours away."""

    def __init__(self, *, alarms: bool) -> None:
        """``alarms``: what is drawn red or yellow keeps its colour, and is bold."""
        super().__init__()
        self._alarms = alarms

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same cells in as few pieces as can be: each costs the bytes of its style."""
        found: list[Segment] = []
        for segment in segments:
            text, style, control = segment
            if control:
                found.append(segment)
                continue
            fewer = _fewer(style, self._alarms) if style else None
            if fewer is not None and not text.strip(" ") and not _shows_on_blanks(fewer):
                fewer = None
            if found and not found[-1].control and found[-1].style == fewer:
                found[-1] = Segment(found[-1].text + text, fewer)
            else:
                found.append(Segment(text, fewer))
        return found
