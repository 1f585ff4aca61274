"""The panes of the consoles' screen, side by side, and which of them gets the keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.containers import Horizontal

from tuivirt.backend.model.console import ConsoleSession
from tuivirt.widgets.terminal import TerminalPane

from .console_slot import Changed, Slot

LEAST_COLUMNS = 40
"""A pane beside others is at least this wide."""


class Panes(Horizontal):
    """At least one slot; each shows a console or, while there is none, nothing."""

    DEFAULT_CSS = """
    Panes { width: 1fr; height: 1fr; }
    Panes TerminalPane.beside { border-left: solid ansi_bright_black; }
    .-ascii TerminalPane.beside { border-left: ascii ansi_bright_black; }
    """

    def __init__(self, drawn: Callable[[Slot], None], turned: Callable[[], None]) -> None:
        """``drawn``: a slot drew a frame. ``turned``: another console gets the keys."""
        super().__init__()
        self._drawn = drawn
        self._turned = turned
        self.slots = [Slot(self.set_timer, drawn, self.post_message)]
        self._current = 0

    def on_mount(self) -> None:
        self.mount(self.slot.pane)

    def on_unmount(self) -> None:
        for slot in self.slots:
            slot.let_go()

    def on_changed(self, event: Changed) -> None:
        event.stop()
        for slot in self.slots:
            if slot.session is event.session:
                slot.plan()

    def on_terminal_pane_pressed(self, event: TerminalPane.Pressed) -> None:
        self._take_or_stop(event)

    def on_terminal_pane_pasted(self, event: TerminalPane.Pasted) -> None:
        self._take_or_stop(event)

    def on_terminal_pane_moused(self, event: TerminalPane.Moused) -> None:
        self._take_or_stop(event)

    def _take_or_stop(
        self, event: TerminalPane.Pressed | TerminalPane.Pasted | TerminalPane.Moused
    ) -> None:
        """What was meant for a pane that is gone by now goes to no other guest."""
        if all(event.pane is not slot.pane for slot in self.slots):
            event.stop()

    @property
    def slot(self) -> Slot:
        """The one that gets the keys."""
        return self.slots[self._current]

    @property
    def shown(self) -> list[ConsoleSession]:
        """The consoles in the slots."""
        return [slot.session for slot in self.slots if slot.session is not None]

    def go_to(self, slot: Slot) -> None:
        """Give the keys to a slot."""
        self._current = self.slots.index(slot)
        self.screen.set_focus(slot.pane)
        self._turned()

    def go_to_pane(self, pane: TerminalPane) -> None:
        """Give the keys to the slot with this pane."""
        if pane is not self.slot.pane:
            self.go_to(next(slot for slot in self.slots if slot.pane is pane))

    def turn(self) -> None:
        """The next pane gets the keys."""
        self.go_to(self.slots[(self._current + 1) % len(self.slots)])

    def show(self, session: ConsoleSession) -> None:
        """Show it where the keys go, or go where it is shown."""
        for slot in self.slots:
            if slot.session is session:
                self.go_to(slot)
                return
        self.slot.put(session)
        self._turned()

    def add(self, session: ConsoleSession) -> str:
        """Show it beside the others; why not, or ''."""
        if self.size.width // (len(self.slots) + 1) < LEAST_COLUMNS:
            return f"no room: a pane is at least {LEAST_COLUMNS} columns wide"
        slot = Slot(self.set_timer, self._drawn, self.post_message)
        slot.pane.add_class("beside")
        self.slots.append(slot)
        self.mount(slot.pane)

        def fill() -> None:
            if slot in self.slots:  # Not gone again meanwhile.
                slot.put(session)
                self.go_to(slot)

        self.call_after_refresh(fill)
        return ""

    def only(self) -> None:
        """Keep the one that gets the keys."""
        for slot in self.slots:
            if slot is not self.slot:
                slot.put(None)
        self._drop_empty()

    def forget(self, session: ConsoleSession, instead: Sequence[ConsoleSession]) -> None:
        """It was closed; one of the others that is not shown takes its place."""
        rest = [other for other in instead if other not in self.shown]
        for slot in self.slots:
            if slot.session is session:
                slot.put(rest.pop() if rest else None)
        self._drop_empty()

    def _drop_empty(self) -> None:
        kept = self.slot
        for slot in [slot for slot in self.slots if slot.session is None]:
            if len(self.slots) > 1:
                self.slots.remove(slot)
                slot.pane.remove()
        self.slots[0].pane.remove_class("beside")
        self.go_to(kept if kept in self.slots else self.slots[0])
