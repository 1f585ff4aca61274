"""A console and the pane that shows it, drawn when something is new and no oftener than it must."""

from __future__ import annotations

from collections.abc import Callable

from textual.message import Message
from textual.timer import Timer

from tuivirt.backend.model.console import ConsoleSession
from tuivirt.backend.model.terminal import Found
from tuivirt.widgets.terminal import TerminalPane

from .painting import Painting

FRAME_S = 1 / 30
"""The least time between two frames."""
HIDDEN_S = 0.5
"""How often a console is looked at that is not shown: whether something is new, and its bell."""


class Changed(Message):
    """A console has something new; comes from any thread."""

    def __init__(self, session: ConsoleSession) -> None:
        super().__init__()
        self.session = session


class Slot:
    """One pane, and the console in it."""

    def __init__(
        self,
        set_timer: Callable[[float, Callable[[], None]], Timer],
        drawn: Callable[[Slot], None],
        changed: Callable[[Changed], object],
    ) -> None:
        """``changed`` is called on any thread, ``drawn`` when a frame was."""
        self.pane = TerminalPane()
        self.session: ConsoleSession | None = None
        self.bells = 0
        self.searched = ""
        self.found = Found(0, None, ())
        self.moved: Callable[[int], None] | None = None
        """Told by how many rows what is read moved, as older ones were dropped."""
        self._drawn = drawn
        self._changed = changed
        self._heard: Callable[[], None] | None = None
        self._painting = Painting(set_timer, self.paint)

    def put(self, session: ConsoleSession | None) -> None:
        """Show this console from now on."""
        if session is self.session:
            return
        self.let_go()
        self.session = session
        self.searched, self.found = "", Found(0, None, ())
        self.pane.forget()
        if session is not None:
            self._hear(session)
            session.emulator.refresh()
            self.paint()

    def _hear(self, session: ConsoleSession) -> None:
        def heard() -> None:
            self._changed(Changed(session))

        self._heard = session.on_change = heard

    def let_go(self) -> None:
        """Hear no more of the console, unless it is another that hears of it by now."""
        if self.session is not None and self.session.on_change is self._heard:
            self.session.on_change = None

    def plan(self) -> None:
        """Something is new: draw it, at once if the last frame is old enough."""
        self._painting.plan(FRAME_S)

    def paint(self) -> None:
        """Draw what changed."""
        if self.session is None:
            return
        self.session.seen()
        before = self.pane.frame
        frame = self.session.emulator.frame()
        if before is not None and not before.scroll.at_end and not frame.rows:
            # The same rows at another place: it counts from the oldest, and some were dropped.
            self._tell_moved(frame.scroll.offset - before.scroll.offset)
        self.bells += frame.bells
        self.pane.show(frame)
        if self.searched:
            self.found = self.session.emulator.found()
            self.pane.mark(tuple(self.found.shown))
        self._drawn(self)

    def _tell_moved(self, rows: int) -> None:
        if rows:
            self.pane.move_choice(rows)
            if self.moved is not None:
                self.moved(rows)

    def search(self, text: str) -> None:
        """Have a text stand out; '' ends it."""
        if self.session is None:
            return
        self.searched = text
        self.found = self.session.emulator.search(text)
        self.pane.mark(tuple(self.found.shown))

    def step(self, older: bool) -> None:
        """Go to the next match."""
        if self.session is not None and self.searched:
            self.found = self.session.emulator.step(older)
            self.paint()
