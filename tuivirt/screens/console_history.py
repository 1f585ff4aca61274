"""Looking back in what a console printed: keys that move, choose text, copy, and search on."""

from __future__ import annotations

from collections.abc import Callable

from tuivirt.widgets.terminal import Place, Selection, moved

from .console_slot import Slot

HINT = "PgUp g G move  space choose  y copy  / n N search  esc back"

_STEPS = {
    "up": (0, -1),
    "k": (0, -1),
    "down": (0, 1),
    "j": (0, 1),
    "left": (-1, 0),
    "h": (-1, 0),
    "right": (1, 0),
    "l": (1, 0),
}


class History:
    """The mode in which the keys are not the guest's. It ends by ``esc``, ``q`` or a copy."""

    def __init__(
        self,
        slot: Slot,
        *,
        copy: Callable[[str], None],
        search: Callable[[], None],
        ended: Callable[[], None],
    ) -> None:
        self._slot = slot
        self._copy = copy
        self._search = search
        self._ended = ended
        frame = slot.pane.frame
        self._point: Place = (0, 0)
        if frame is not None:
            self._point = (frame.cursor.x, frame.scroll.offset + frame.cursor.y)
        self._anchor: Place | None = None
        slot.moved = self._moved
        self._draw()

    def key(self, key: str) -> None:
        """Act on a key."""
        session, frame = self._slot.session, self._slot.pane.frame
        if session is None or frame is None:
            self.end()
            return
        page = max(1, min(self._slot.pane.size.height, frame.lines) - 1)
        x, y = self._point
        if key in ("escape", "q"):
            if self._anchor is not None and key == "escape":
                self._anchor = None
            else:
                self.end()
                return
        elif key in _STEPS:
            dx, dy = _STEPS[key]
            x, y = x + dx, y + dy
        elif key in ("pageup", "ctrl+b"):
            y -= page
        elif key in ("pagedown", "ctrl+f"):
            y += page
        elif key in ("g", "home"):
            x, y = 0, 0
        elif key in ("G", "end"):
            y = frame.scroll.total - 1
        elif key in ("0", "circumflex_accent"):
            x = 0
        elif key == "dollar_sign":
            x = frame.columns - 1
        elif key in ("space", "v"):
            self._anchor = (x, y) if self._anchor is None else None
        elif key == "V":
            self._anchor, x = (0, y), frame.columns - 1
        elif key in ("y", "enter"):
            self._copy_chosen()
            return
        elif key == "slash":
            self._search()
            return
        elif key in ("n", "N"):
            self.step(older=key == "n")
            return
        self._go((x, y))

    def step(self, older: bool) -> None:
        """Go to the next match of the search, and stand there."""
        self._slot.step(older)
        frame = self._slot.pane.frame
        shown = self._slot.found.shown
        if frame is not None and shown:
            self._point = (shown[0].first, frame.scroll.offset + shown[0].y)
            if shown[0].y in (0, frame.lines - 1) and self._slot.session is not None:
                # Not at the edge: what stands around it tells more than the line itself.
                third = frame.lines // 3
                self._slot.session.emulator.scroll(third if shown[0].y else -third)
                self._slot.paint()
            self._draw()

    def _go(self, place: Place) -> None:
        session, frame = self._slot.session, self._slot.pane.frame
        if session is None or frame is None:
            return
        x = max(0, min(place[0], frame.columns - 1))
        y = max(0, min(place[1], frame.scroll.total - 1))
        self._point = (x, y)
        top = frame.scroll.offset
        if y < top:
            session.emulator.scroll_to(y)
        elif y >= top + frame.lines:
            session.emulator.scroll_to(y - frame.lines + 1)
        self._draw()
        self._slot.paint()

    def _moved(self, rows: int) -> None:
        """The rows that are shown are now so many further on, or back where that is negative."""
        self._point = moved(self._point, rows)
        if self._anchor is not None:
            self._anchor = moved(self._anchor, rows)

    def _draw(self) -> None:
        selection = None if self._anchor is None else Selection(self._anchor, self._point)
        self._slot.pane.choose(selection, self._point)

    def _copy_chosen(self) -> None:
        session = self._slot.session
        if session is None:
            return
        if self._anchor is None:
            # Nothing chosen: the line on which the point stands.
            ends = ((0, self._point[1]), (self._slot.pane.columns - 1, self._point[1]))
        else:
            ends = Selection(self._anchor, self._point).ends
        text = session.emulator.text(*ends)
        self.end()
        self._copy(text)

    def end(self) -> None:
        """Back to the guest: its own screen, as it is now."""
        self._slot.moved = None
        if self._slot.session is not None:
            self._slot.session.emulator.scroll_to(None)
        self._slot.pane.choose(None, None)
        self._slot.search("")
        self._ended()
        self._slot.paint()
