"""The mouse in a console: the guest's where it asked for it, else it scrolls and chooses text."""

from __future__ import annotations

from collections.abc import Callable

from tuivirt.backend.model.terminal import MouseReports
from tuivirt.widgets.terminal import Place, Selection, TerminalPane

from .console_slot import Slot

WHEEL_ROWS = 3
WHEEL = {4: -WHEEL_ROWS, 5: WHEEL_ROWS}
"""By the wheel's buttons, up and down."""


class Mouse:
    """``copy`` gets what was chosen. With shift held the mouse is never the guest's."""

    def __init__(self, copy: Callable[[str], None]) -> None:
        self._copy = copy
        self._anchor: Place | None = None

    def take(self, slot: Slot, event: TerminalPane.Moused) -> None:
        """Act on a press, a release or a movement."""
        session, frame = slot.session, slot.pane.frame
        if session is None or frame is None:
            return
        if frame.mouse is not MouseReports.NONE and not event.modifiers & 1:
            # Dropped when nobody is there to read it: it says nothing that is missed.
            session.send(
                session.emulator.mouse(
                    event.action, event.button, event.x, event.y, event.modifiers
                )
            )
        elif event.button in WHEEL:
            session.emulator.scroll(WHEEL[event.button])
            slot.paint()
        else:
            self._drag(slot, event, (event.x, event.y + frame.scroll.offset))

    def _drag(self, slot: Slot, event: TerminalPane.Moused, place: Place) -> None:
        """Choose text with the left button; letting go copies it."""
        if event.action == "press" and event.button == 1:
            self._anchor = place
            slot.pane.choose(None, None)
        elif event.action == "motion" and event.button == 1 and self._anchor is not None:
            slot.pane.choose(Selection(self._anchor, place), None)
        elif event.action == "release" and self._anchor is not None:
            self._anchor = None
            selection = slot.pane.selection
            if selection is not None and slot.session is not None:
                self._copy(slot.session.emulator.text(*selection.ends))
