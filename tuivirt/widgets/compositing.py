"""A compositor whose partial updates send the changed cells and nothing beside them.

Textual's own draws a changed region again from the beginning of its widget's line: one figure in
column 70 costs 75 cells. Here a span is cut at both ends.
"""

from __future__ import annotations

from rich.console import Console
from textual._compositor import ChopsUpdate, Compositor


class ExactUpdate(ChopsUpdate):
    """Spans of lines, each cut to its own first and last cell."""

    def render_segments(self, console: Console) -> str:
        written: list[str] = []
        for y, x1, x2 in self.spans:
            at = None
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                first, last = max(x, x1), min(end, x2)
                if strip is None or first >= last:
                    continue
                if at != first:
                    written.append(f"\x1b[{y + 1};{first + 1}H")
                written.append(strip.crop(first - x, last - x).render(console))
                at = last
        return "".join(written)


class ExactCompositor(Compositor):
    """Textual's compositor with exact partial updates."""

    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        if update is None:
            return None
        return ExactUpdate(update.chops, update.spans, update.chop_ends)
