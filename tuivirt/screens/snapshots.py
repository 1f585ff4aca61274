"""The snapshots of all domains of all hosts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tuivirt.actions import lookups
from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.registry import Action
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.record import record
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.snapshot import SnapshotRow, Snapshots, described, of, tree
from tuivirt.backend.model.task import Task
from tuivirt.widgets.block import Block
from tuivirt.widgets.columns import Column
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.tones import Toned

from .base import FleetScreen
from .domain import TABS
from .empty import why_empty
from .rooms import DETAILS, make
from .snapshots_view import ago_cell, name_cell, taken_cell
from .words import for_hosts

FIND_S = 10.0
"""How often they are looked for, at most: libvirt tells of none that somebody else takes."""
MOST_SAID = 3
"""The list needs the room."""
SHARE = 20
"""Looking for them may take a part of the time as small as this."""


@record(frozen=True, slots=True)
class Row:
    """A snapshot in its domain's tree."""

    domain: Ref
    name: str
    """The domain's."""
    row: SnapshotRow


COLUMNS: tuple[Column[Row], ...] = (
    Column("domain", "DOMAIN", lambda r: r.name, width=12, max_width=28),
    Column("name", "SNAPSHOT", lambda r: name_cell(r.row), width=20, max_width=60),
    Column("taken", "TAKEN", lambda r: taken_cell(r.row), width=16),
    Column("ago", "AGO", lambda r: ago_cell(r.row), width=8, align="right", priority=2),
    Column("holds", "HOLDS", lambda r: of(r.row), width=20, max_width=60),
    Column("host", "HOST", lambda r: r.domain.host, width=8, max_width=20, priority=1),
    Column(
        "description", "DESCRIPTION", lambda r: described(r.row), width=16, max_width=80, priority=3
    ),
)


class SnapshotsScreen(FleetScreen):
    """What ``:snap`` leads to."""

    HELP = (
        "The snapshots of all domains, each domain's as a tree; ◂ now marks the one that it grew "
        "out of. Enter opens the domain's own tab of them, with their sizes and what is wrong with "
        "them; + takes one, - deletes the one under the cursor, r goes back to it, e describes it."
    )
    KIND = Kind.DOMAIN
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("⏎", "its domain"),
        ("r", "go back"),
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
        Binding("r", "wish('snapshot-revert')", "Go back", show=False, id="snapshot-list.revert"),
        Binding("e", "wish('snapshot-edit')", "Describe", show=False, id="snapshot-list.edit"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._only_host: str | None = None
        self._known: dict[str, tuple[Snapshots, ...]] = {}
        self._wrong: dict[str, str] = {}
        self._asked: dict[str, float] = {}
        self._took: dict[str, float] = {}
        self._asking: set[str] = set()
        self._ended: frozenset[int] | None = None
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
        self._ask(fleet)
        rows: dict[Any, Row] = {
            (row.domain, row.row.snapshot.name): row
            for host, found in sorted(self._known.items())
            if host in fleet.hosts and self._only_host in (None, host)
            for row in _rows(found)
        }
        if not rows:
            reading = self._asking - self._known.keys()
            told = f"Reading the snapshots of {', '.join(sorted(reading))} …" if reading else ""
            how = "On tab 8 of a domain + takes one."
            self._table.set_empty(told or why_empty(fleet, "snapshots", how))
        self._table.use_columns(for_hosts(COLUMNS, len(fleet.in_use)))
        self._table.update(rows)
        found = [each for known in self._known.values() for each in known]
        said = [*self._wrong.values(), *(f"{e.name}: {e.wrong}" for e in found if e.wrong)]
        if len(said) > MOST_SAID:
            said[MOST_SAID:] = [f"{len(said) - MOST_SAID} more could not be read"]
        self._legend.show([(Toned(f" {line}", "warn"),) for line in said])

    def _ask(self, fleet: Fleet) -> None:
        """Look for them where that was long ago, or a task about them has ended."""
        ended = frozenset(task.id for task in fleet.tasks if _about(task))
        if self._ended is not None and ended - self._ended:
            self._asked.clear()
        self._ended = ended
        now = time.monotonic()
        for name, host in fleet.hosts.items():
            every = max(FIND_S, self._took.get(name, 0.0) * SHARE)
            due = now - self._asked.get(name, float("-inf")) >= every
            if host.link is Link.CONNECTED and name not in self._asking and due:
                self._asked[name] = now
                self._asking.add(name)
                self._look(name, now)

    def _look(self, host: str, began: float) -> None:
        def taken(answer: tuple[Snapshots, ...] | TuivirtError) -> None:
            self._asking.discard(host)
            self._took[host] = time.monotonic() - began
            if isinstance(answer, TuivirtError):
                self._wrong[host] = str(answer)
            else:
                self._wrong.pop(host, None)
                self._known[host] = answer
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
        self._asked.clear()
        super().action_refresh_now()
        self.show_fleet(self.fleet)


def _about(task: Task) -> bool:
    return task.action.startswith("snapshot-") and task.ended is not None


def _rows(found: tuple[Snapshots, ...]) -> Iterator[Row]:
    for each in found:
        for row in tree(each.known):
            yield Row(each.ref, each.name, row)
