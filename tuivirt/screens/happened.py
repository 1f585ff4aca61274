"""The table of events, as the events screen and the tab of a domain show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tuivirt.actions.happenings import Happening, happening
from tuivirt.widgets.columns import Column
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.tones import Cell, Toned

from .words import clock

_TONES = {"information": "", "warning": "warn", "error": "bad"}
_MARKS = {"information": "", "warning": "⚠ ", "error": "✗ "}


def _what(row: Happening) -> Cell:
    return Toned(_MARKS[row.severity] + row.what, _TONES[row.severity])


_TIME: Column[Happening] = Column("time", "TIME", lambda r: clock(r.at), width=12)
_HOST: Column[Happening] = Column(
    "host", "HOST", lambda r: r.host, width=8, max_width=16, priority=4
)
_KIND: Column[Happening] = Column(
    "kind", "KIND", lambda r: str(r.ref.kind) if r.ref else "", width=7, priority=3
)
_NAME: Column[Happening] = Column("name", "OBJECT", lambda r: r.name, width=16, max_width=32)
_FAMILY: Column[Happening] = Column(
    "family", "FAMILY", lambda r: r.family, width=14, max_width=24, priority=2
)
_WHAT: Column[Happening] = Column("what", "WHAT", _what, width=22, max_width=60)
_DETAIL: Column[Happening] = Column(
    "detail", "DETAIL", lambda r: r.detail, width=20, max_width=100, priority=5
)


def events_table(*, one_object: bool, empty: str, id: str) -> LiveTable[Happening]:
    """A table of happenings, newest on top; of one object: without its name and host."""
    mine = (_TIME, _FAMILY, _WHAT, _DETAIL)
    every = (_TIME, _HOST, _KIND, _NAME, _FAMILY, _WHAT, _DETAIL)
    return LiveTable(
        mine if one_object else every,
        caption="Events",
        search=lambda r: f"{r.host} {r.name} {r.family} {r.what} {r.detail} @{r.host}",
        empty=empty,
        id=id,
    )


def event_rows(
    events: Iterable[Any], keep: Callable[[Happening], bool] = lambda _row: True
) -> dict[Any, Happening]:
    """Rows, newest first, for the table. The key is the event itself: it never changes place."""
    rows: dict[Any, Happening] = {}
    for event in reversed(list(events)):
        row = happening(event)
        if row is not None and keep(row):
            rows[("event", id(event), event.at)] = row
    return rows
