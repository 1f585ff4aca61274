"""The snapshots of all domains of all hosts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tuivirt.actions import lookups
from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.happenings import Event, about_snapshots
from tuivirt.actions.registry import Action
from tuivirt.backend.model.at_most import at_most
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.backend.model.record import record
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.snapshot import (
    Snapshot,
    SnapshotRow,
    Snapshots,
    described,
    of,
    tree,
)
from tuivirt.backend.model.task import Task
from tuivirt.widgets.block import Block
from tuivirt.widgets.columns import Column
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.text import age
from tuivirt.widgets.tones import Cell, Toned

from .base import FleetScreen
from .domain import TABS
from .empty import why_empty
from .rooms import DETAILS, make
from .snapshots_view import ago_cell, name_cell, size_cell, taken_cell
from .words import for_hosts

OLD_S = 60.0
"""Who reads what was read so long ago is told so."""
MOST_SAID = 3
"""The list needs the room."""


@record(frozen=True, slots=True)
class Row:
    """A snapshot in its domain's tree."""

    domain: Ref
    name: str
    """The domain's."""
    row: SnapshotRow
    old: bool = False
    """Its host does not answer now: it may be another one by now, or gone."""


def _aged(cell: Callable[[Row], Cell]) -> Callable[[Row], Cell]:
    """The same, dim in an old row."""

    def drawn(row: Row) -> Cell:
        said = cell(row)
        if not row.old:
            return said
        if isinstance(said, str):
            return Toned(said, "dim")
        pieces = (said,) if isinstance(said, Toned) else said
        return tuple(Toned(piece.text, "dim") for piece in pieces)

    return drawn


COLUMNS: tuple[Column[Row], ...] = (
    Column("domain", "DOMAIN", _aged(lambda r: r.name), width=12, max_width=28),
    Column("name", "SNAPSHOT", _aged(lambda r: name_cell(r.row)), width=22, max_width=60),
    Column("taken", "TAKEN", _aged(lambda r: taken_cell(r.row)), width=16),
    Column("ago", "AGO", _aged(lambda r: ago_cell(r.row)), width=8, align="right", priority=2),
    Column("size", "SIZE", _aged(lambda r: size_cell(r.row)), width=6, align="right"),
    Column("holds", "HOLDS", _aged(lambda r: of(r.row)), width=18, max_width=60),
    Column("host", "HOST", _aged(lambda r: r.domain.host), width=8, max_width=20, priority=1),
    Column(
        "description",
        "DESCRIPTION",
        _aged(lambda r: described(r.row)),
        width=16,
        max_width=80,
        priority=3,
    ),
)


class SnapshotsScreen(FleetScreen):
    """What ``:snap`` leads to."""

    HELP = (
        "The snapshots of all domains, each domain's as a tree; ◂ now marks the one that it grew "
        "out of. Enter opens the domain's own tab of them, with what is wrong with them; + takes "
        "one, - deletes the one under the cursor, R goes back to it, e describes it. Sizes come "
        "for what is in view. They are read again by ctrl+r, and when something was done here or "
        "a domain went back to one: libvirt tells of none that somebody else takes."
    )
    KIND = Kind.DOMAIN
    OF_ALL_HOSTS = True
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("⏎", "its domain"),
        ("R", "go back"),
        ("+ -", "take, delete"),
        ("/", "filter"),
        (":", "go to"),
        ("?", "help"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus", "wish('snapshot-create')", "Take", show=False, id="snapshot-list.take"),
        Binding(
            "minus", "wish('snapshot-delete')", "Delete", show=False, id="snapshot-list.delete"
        ),
        Binding("R", "wish('snapshot-revert')", "Go back", show=False, id="snapshot-list.revert"),
        Binding("e", "wish('snapshot-edit')", "Describe", show=False, id="snapshot-list.edit"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._only_host: str | None = None
        self._known: dict[str, tuple[Snapshots, ...]] = {}
        self._wrong: dict[str, str] = {}
        self._read_at: dict[str, float] = {}
        """Monotonic."""
        self._asking: set[str] = set()
        self._stale: set[str] = set()
        """The hosts that are to be asked, once they can be."""
        self._having: dict[str, frozenset[tuple[str, str]]] = {}
        """By host, the domains that have any, as far as the list of domains tells."""
        self._sizes: dict[Ref, tuple[float, Mapping[str, int]]] = {}
        """By domain what its snapshots take, with when those were read."""
        self._sizing: set[str] = set()
        """The hosts that are asked for sizes: of one domain after the other, of those in view."""
        self._ended: frozenset[int] | None = None
        self._last: Event | None = None
        self._legend = Block()
        self._table: LiveTable[Row] = LiveTable(
            COLUMNS,
            caption="Snapshots",
            search=lambda r: (
                f"{r.name} {r.row.snapshot.name} {r.row.snapshot.description} {of(r.row)} "
                f"@{r.domain.host}"
            ),
            id="table",
        )

    def compose_body(self) -> ComposeResult:
        yield self._table
        yield self._legend

    def actions(self) -> list[Action]:
        """None by their keys: those of a domain would be pressed for a snapshot."""
        return []

    def targets(self) -> tuple[Ref, ...]:
        row = self._row
        return (row.domain,) if row is not None else ()

    @property
    def _row(self) -> Row | None:
        return self._table.row(self._table.cursor)

    def show_fleet(self, fleet: Fleet) -> None:
        self._see_what_changed(fleet)
        for name in sorted(self._stale - self._asking):
            if fleet.hosts[name].link is Link.CONNECTED and fleet.hosts[name].filled:
                self._stale.discard(name)
                self._asking.add(name)
                self._look(name)
        shown = [
            host
            for name, host in sorted(fleet.hosts.items())
            if host.link is not Link.CLOSED and self._only_host in (None, name)
        ]
        rows: dict[Any, Row] = {
            (row.domain, row.row.snapshot.name): row for host in shown for row in self._rows(host)
        }
        if not rows:
            reading = self._asking - self._known.keys()
            told = f"Reading the snapshots of {', '.join(sorted(reading))} …" if reading else ""
            how = "On tab 8 of a domain + takes one."
            self._table.set_empty(told or why_empty(fleet, "snapshots", how))
        self._table.use_columns(for_hosts(COLUMNS, len(fleet.in_use)))
        self._table.update(rows)
        self._show_legend(shown)
        self.call_after_refresh(self._size_view)

    def _rows(self, host: HostSnapshot) -> Iterator[Row]:
        old = host.link is not Link.CONNECTED
        for each in self._known.get(host.name, ()):
            _read, sizes = self._sizes.get(each.ref, (0.0, {}))
            for row in tree([replace(s, size_bytes=sizes.get(s.name)) for s in each.known]):
                yield Row(each.ref, each.name, row, old)

    def on_live_table_view_changed(self) -> None:
        super().on_live_table_view_changed()
        self._size_view()

    def _size_view(self) -> None:
        """Ask for the sizes of what is in view, once for each time that it was read."""
        in_view = dict.fromkeys(
            key[0] for key in self._table.visible_keys if isinstance(key, tuple)
        )
        for domain in in_view:
            host, read = domain.host, self._read_at.get(domain.host)
            there = self.fleet.hosts.get(host)
            if host in self._sizing or there is None or there.link is not Link.CONNECTED:
                continue
            known = next((e.known for e in self._known.get(host, ()) if e.ref == domain), ())
            if known and read is not None and self._sizes.get(domain, (None,))[0] != read:
                self._sizing.add(host)
                self._ask_size(domain, known, read)

    def _ask_size(self, domain: Ref, known: tuple[Snapshot, ...], read: float) -> None:
        def taken(answer: Mapping[str, int] | TuivirtError) -> None:
            self._sizing.discard(domain.host)
            sizes = {} if isinstance(answer, TuivirtError) else answer  # The list stands without.
            self._sizes[domain] = read, sizes
            self.show_fleet(self.fleet)

        self.look_up(domain.host, lookups.sizes_of_snapshots, known, then=taken)

    def _show_legend(self, shown: list[HostSnapshot]) -> None:
        """What is wrong, and how old what is shown is."""
        now = time.monotonic()
        said = []
        for host in shown:
            known, wrong = self._known.get(host.name, ()), self._wrong.get(host.name, "")
            if known and host.link is not Link.CONNECTED:
                so_old = age(now - self._read_at[host.name])
                said.append(f"{host.name} is {host.link}: its snapshots are as of {so_old} ago")
            said += [wrong] if wrong else []
            said += [f"{each.name}: {each.wrong}" for each in known if each.wrong]
        said = at_most(MOST_SAID, said, before="and ")
        lines = [(Toned(f" {line}", "warn"),) for line in said]
        read = [
            self._read_at[host.name]
            for host in shown
            if host.link is Link.CONNECTED and host.name in self._read_at
        ]
        if read and now - min(read) >= OLD_S:
            told = f" read {age(now - min(read))} ago; ctrl+r reads them again"
            lines.append((Toned(told, "dim"),))
        self._legend.show(lines)

    def _see_what_changed(self, fleet: Fleet) -> None:
        """Note which hosts are to be asked: all the others have told nothing new."""
        tasks = [task for task in fleet.tasks if _about(task)]
        if self._ended is not None:
            self._stale |= {task.target.host for task in tasks if task.id not in self._ended}
        self._ended = frozenset(task.id for task in tasks)
        log = self.joint.events_log
        for event in reversed(log):
            if event is self._last:
                break
            if about_snapshots(event):
                self._stale.add(event.host)
        self._last = log[-1] if log else None
        for name, host in fleet.hosts.items():
            if host.link is Link.CONNECTED:
                having = frozenset(
                    (uuid, each.name) for uuid, each in host.domains.items() if each.has_snapshots
                )
                if self._having.get(name) != having:
                    self._having[name] = having
                    self._stale.add(name)
            elif host.link is not Link.STALLED:
                self._having.pop(name, None)  # Whatever happened meanwhile: once it is back.
        self._stale &= fleet.hosts.keys()
        for about in (self._known, self._wrong, self._read_at, self._having):
            for gone in about.keys() - fleet.hosts.keys():
                about.pop(gone)
        for domain in [each for each in self._sizes if each.host not in fleet.hosts]:
            del self._sizes[domain]

    def _look(self, host: str) -> None:
        def taken(answer: tuple[Snapshots, ...] | TuivirtError) -> None:
            self._asking.discard(host)
            if isinstance(answer, TuivirtError):
                self._wrong[host] = str(answer)
            else:
                self._wrong.pop(host, None)
                self._known[host], self._read_at[host] = answer, time.monotonic()
            self.show_fleet(self.fleet)

        self.look_up(host, lookups.all_snapshots, then=taken)

    def only_host(self, host: str | None) -> None:
        """Show the snapshots of one host, or of all."""
        self._only_host = host
        self.show_fleet(self.fleet)

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        event.stop()
        if (row := self._table.row(event.key)) is not None:
            screen: Any = make(DETAILS[Kind.DOMAIN], row.domain)
            screen.when_there(lambda: screen.action_tab(TABS.index("snapshots")))
            self.app.push_screen(screen)

    def action_wish(self, action: str) -> None:
        row = self._row
        if row is None:
            self.say("nothing is chosen", "warning")
            return
        values = {"snapshotname": row.row.snapshot.name} if action != "snapshot-create" else {}
        if action == "snapshot-edit":
            values["description"] = row.row.snapshot.description
        self.joint.act(action, (row.domain,), values)

    def action_xml(self) -> None:
        self.action_wish("snapshot-dumpxml")

    def action_refresh_now(self) -> None:
        self._stale |= self.fleet.hosts.keys()
        super().action_refresh_now()
        self.show_fleet(self.fleet)


def _about(task: Task) -> bool:
    return task.action.startswith("snapshot-") and task.ended is not None
