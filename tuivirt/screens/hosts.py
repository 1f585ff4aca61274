"""Every host: how the line to it is, what it has and gives, what happened there last."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tuivirt.actions.advice import sentence
from tuivirt.actions.happenings import happening
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.widgets.line import Line
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.text import age
from tuivirt.widgets.tones import Toned

from .base import FleetScreen
from .host_rows import (
    COLUMNS,
    Row,
    Summary,
    happened,
    search_of,
    summary_of,
    sums,
    tags_of,
    what_it_is,
)

if TYPE_CHECKING:
    from tuivirt.widgets.grouping import Grouping


class HostsScreen(FleetScreen):
    """All hosts."""

    HELP = (
        "The hosts that tuivirt knows: those it was started for, and those of the settings. vCPU "
        "is what its running guests were given of its CPUs, GIVEN of its memory; LAST is what is "
        "wrong with the line, or what happened last. A host that cannot be reached is tried again "
        "for ever, each time a little later; one that is closed is left alone until c connects it. "
        "/#web shows those of a group or with a tag, b groups them; enter, ← and → fold a group."
    )
    KIND = Kind.HOST
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("+", "add"),
        ("e", "edit"),
        ("t", "test"),
        ("c d", "connect, disconnect"),
        ("⏎", "open"),
        ("a", "actions"),
        ("?", "help"),
        ("b", "group by"),
        ("/", "filter"),
        (":", "go to"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "group", "Group by group, tag", show=False, id="hosts.group"),
        Binding("left", "fold(True)", "Fold its group", show=False, id="hosts.fold"),
        Binding("right", "fold(False)", "Unfold the group", show=False, id="hosts.unfold"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._sums = Line(id="sums")
        self._chosen = Line(id="chosen")
        self._table: LiveTable[Row] = LiveTable(
            COLUMNS,
            caption="Hosts",
            sort="name",
            search=search_of,
            tags=tags_of,
            empty=(
                "No host.\n+ adds one, and ctrl+o in its form lists those that this machine "
                "knows already. Or start with -c URI, or with --demo to look around."
            ),
            id="table",
        )
        self._summaries: dict[str, tuple[Mapping[str, Domain], Link, Summary]] = {}
        self._groupings: dict[str, Grouping[Row, Any]] = {}
        self._names: tuple[str, ...] = ()
        """The hosts that are shown, in their order."""

    def compose_body(self) -> ComposeResult:
        yield self._sums
        yield self._table
        yield self._chosen

    def show_fleet(self, fleet: Fleet) -> None:
        rows: dict[Any, Row] = {
            Ref(name, Kind.HOST, name): self._row(host) for name, host in fleet.hosts.items()
        }
        self._follow_renamed(tuple(fleet.hosts))
        self._table.update(rows)
        self._sums.show(sums(list(rows.values())) if rows else ())
        self._show_chosen()

    def _follow_renamed(self, names: tuple[str, ...]) -> None:
        """Cursor and mark stay on a host that got another name: the next key is meant for it.

        It is another host to everybody else, made anew in the place of the old one.
        """
        before, self._names = self._names, names
        if len(before) != len(names):
            return
        table = self._table
        at = table.rows.key_of(table.cursor) if table.cursor is not None else None
        for old, new in zip(before, names, strict=True):
            if old in names or new in before:
                continue
            was, now = (Ref(name, Kind.HOST, name) for name in (old, new))
            if at == was:
                table.cursor = now
            if was in table.rows.marks:
                table.rows.marks.remove(was)
                table.rows.marks.add(now)

    def _row(self, host: HostSnapshot) -> Row:
        known, link, summary = self._summaries.get(host.name, (None, None, Summary()))
        if known is not host.domains or link is not host.link:
            summary = summary_of(host)
            self._summaries[host.name] = (host.domains, host.link, summary)
        event = self.joint.last_events.get(host.name)
        if event is None:
            return Row(host, summary, None, 0)
        return Row(host, summary, happening(event), int(time.monotonic() - event.since))

    def action_group(self) -> None:
        """The next way of grouping."""
        from .host_groups import after, grouping_by

        now = self._table.rows.grouping
        word = after(now.word if now is not None else "off")
        grouping = None if word == "off" else self._groupings.get(word) or grouping_by(word)
        if grouping is not None:
            self._groupings[word] = grouping
        self._table.group_by(grouping)

    def action_fold(self, close: bool) -> None:
        self._table.fold(close)

    def _show_chosen(self) -> None:
        """Of the host under the cursor, what a column has no room for."""
        row = self._table.row(self._table.cursor)
        self._chosen.show(() if row is None else _details(row))

    def on_live_table_cursor_moved(self) -> None:
        self._show_chosen()


def _details(row: Row) -> tuple[Toned, ...]:
    host = row.host
    name = Toned(f" {host.name}  ", "bold")
    if host.reason:
        return (name, Toned(f"{host.reason}. ", "bad"), Toned(sentence(host.advice)))
    said = what_it_is(host)
    if host.link is Link.CLOSED:
        said = "not connected"
    if row.last is not None:
        said += f"   {age(row.last_age)} ago: {happened(row)}"
    return (name, Toned(host.uri), Toned(f"   {said}" if said else "", "dim"))
