"""Everything that happened, newest on top."""

from __future__ import annotations

from itertools import takewhile
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tuivirt.actions.happenings import Happening
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.widgets.facts import facts
from tuivirt.widgets.line import Line
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.page import Page, PageLine
from tuivirt.widgets.tones import Toned

from .base import FleetScreen
from .happened import event_rows, events_table


class EventsScreen(FleetScreen):
    """The events of all hosts."""

    HELP = (
        "Every event that libvirt told since tuivirt was started, every change of a connection, "
        "and how each task ended; newest on top. p holds the list still (events are kept on), "
        "/ filters, enter opens the object."
    )
    KIND = Kind.DOMAIN
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("p", "hold still"),
        ("/", "filter"),
        ("⏎", "open the object"),
        (":", "go to"),
        ("?", "help"),
    )
    CSS = "EventsScreen > Page { height: 4; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Hold still", show=False, id="events.pause"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._only_host: str | None = None
        self._held: tuple[Any, ...] | None = None
        self._line = Line(id="title")
        self._drawn: tuple[Any, ...] = ()
        self._page = Page(id="event")
        self._page.can_focus = False
        self._table: LiveTable[Happening] = events_table(
            one_object=False,
            empty="Nothing happened yet.\nWhat changes on a host appears here at once.",
            id="table",
        )

    def compose_body(self) -> ComposeResult:
        yield self._line
        yield self._table
        yield self._page

    def actions(self) -> list[Any]:
        """None: a row is something that is over. Its object is opened first."""
        return []

    def targets(self) -> tuple[Ref, ...]:
        row = self._table.row(self._table.cursor)
        return (row.ref,) if row is not None and row.ref is not None else ()

    def show_fleet(self, fleet: Fleet) -> None:
        log = self.joint.events_log
        events = tuple(log) if self._held is None else self._held
        new = 0
        if self._held is not None:
            # Not by their times: the clock may be set meanwhile. The log forgets its oldest.
            last = self._held[-1] if self._held else None
            later = takewhile(lambda event: event is not last, reversed(log))
            new = len(event_rows(later, self._is_shown))
        state = (
            [Toned(f" held still; {new} new since (p goes on)", "warn")]
            if self._held is not None
            else [Toned(" live", "good")]
        )
        self._line.show(state)
        drawn = (len(events), id(events[-1]) if events else 0, self._only_host)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        follow = self._table.cursor is None or self._table.rows.index(self._table.cursor) == 0
        rows = event_rows(events, self._is_shown)
        self._table.update(rows)
        if follow and rows:
            # At the top one reads along; elsewhere the cursor stays on its event.
            self._table.action_to_end(-1)

        self._show_event()

    def _is_shown(self, row: Happening) -> bool:
        return self._only_host in (None, row.host)

    def _show_event(self) -> None:
        """The event under the cursor in full, below the list."""
        row = self._table.row(self._table.cursor)
        lines: list[PageLine] = []
        if row is not None:
            width = self._page.size.width or self.app.size.width
            # A small screen has no column for the host.
            is_elsewhere = self.fleet.several and row.host not in ("", row.name)
            where = f"@{row.host}: " if is_elsewhere else ""
            said = ((row.name or row.family, where + row.what), ("detail", row.detail))
            lines = facts(said, width)
        self._page.show([(), *lines])

    def on_live_table_cursor_moved(self) -> None:
        self._show_event()

    def only_host(self, host: str | None) -> None:
        """Show the events of one host, or of all."""
        self._only_host = host
        self.show_fleet(self.fleet)

    def action_pause(self) -> None:
        self._held = tuple(self.joint.events_log) if self._held is None else None
        self.show_fleet(self.fleet)

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        for ref in self.targets():
            self.open(ref)
