"""A compositor whose updates send the changed cells and nothing beside them.

Textual's own draws a changed region again from the beginning of its widget's line (one figure in
column 70 costs 75 cells), and sends every blank of a whole screen. Here a span is cut at both
ends, and blanks up to the end of a line are one short sequence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.console import Console
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate
from textual.strip import Strip

if TYPE_CHECKING:
    from .sent_cells import SentCells

ERASE = "\x1b[K"
"""Erase to the end of the line; worth it from four blanks on."""


class ExactUpdate(ChopsUpdate):
    """Spans of lines, each cut to its own first and last cell."""

    def render_segments(self, console: Console) -> str:
        written: list[str] = []
        sent = ExactCompositor.sent
        for y, x1, x2 in self.spans:
            at = None
            ends = self.chop_ends[y]
            for end, (x, strip) in zip(ends, self.chops[y].items(), strict=False):
                first, last = max(x, x1), min(end, x2)
                if strip is None or first >= last:
                    continue
                piece = strip.crop(first - x, last - x)
                parts = [(first, piece)] if sent is None else sent.differing(y, first, piece)
                for start, part in parts:
                    if at != start:
                        written.append(_to(y, start, None if sent is None else at))
                    at = start + part.cell_length
                    written.append(_without_blanks(part, console, at == ends[-1]))
        return "".join(written)


def _to(y: int, x: int, at: int | None) -> str:
    """To line ``y``, column ``x``; from column ``at`` of that line, where it is known, forwards."""
    return f"\x1b[{y + 1};{x + 1}H" if at is None or at > x else f"\x1b[{x - at}C"


def _without_blanks(strip: Strip, console: Console, at_edge: bool) -> str:
    segments = list(strip)
    if not at_edge or not segments:
        return strip.render(console)
    text, style, _ = segments[-1]
    kept = text.rstrip(" ")
    if style or len(text) - len(kept) < 4:
        return strip.render(console)
    # The style is the terminal's own, so what is erased looks as blanks would.
    return strip.crop(0, strip.cell_length - (len(text) - len(kept))).render(console) + ERASE


class ExactCompositor(Compositor):
    """Textual's compositor with exact updates."""

    sent: ClassVar[SentCells | None] = None
    """What stands in the terminal, where that is looked at: all screens are drawn into one."""

    def render_partial_update(self) -> ChopsUpdate | None:
        if self.sent is not None:
            self.sent.fit(self.size)
        update = super().render_partial_update()
        if update is None:
            return None
        return ExactUpdate(update.chops, update.spans, update.chop_ends)

    def render_full_update(self, simplify: bool = False) -> CompositorUpdate:  # type: ignore[override]
        """``simplify`` is asked for pictures of the screen, which want every blank."""
        if simplify:
            return super().render_full_update(simplify=True)
        if self.sent is not None:
            self.sent.fit(self.size)
        self._dirty_regions.clear()
        chops = self._render_chops(self.size.region, lambda _y: True)
        spans = [(y, 0, self.size.width) for y in range(self.size.height)]
        return ExactUpdate(chops, spans, [cuts[1:] for cuts in self.cuts])
