"""The tab of a domain's snapshots: a tree, each above those that grew out of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from textwrap import wrap
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from tuivirt.actions import lookups
from tuivirt.actions import snapshots as on_snapshots
from tuivirt.actions.errors import TuivirtError
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.snapshot import (
    Snapshot,
    SnapshotRow,
    Trouble,
    branch,
    described,
    of,
    tree,
)
from tuivirt.widgets.block import Block
from tuivirt.widgets.columns import Column
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.text import NONE, age, size_bytes
from tuivirt.widgets.tones import Cell, Toned

from .processors_view import LookUp
from .telling import in_lines

ASK_AGAIN_S = 10.0
"""libvirt tells of no snapshot that somebody else takes."""
KEYS = "⏎ goes back to one   + takes one   - deletes one   e describes it   y its XML"
TROUBLES, ON_A_HIGH_SCREEN, HIGH = 1, 3, 24
"""As many are told on a tab of so many lines: the tree needs the room."""


def name_cell(row: SnapshotRow) -> Cell:
    said = branch(row) + row.snapshot.name
    return Toned(f"{said} ◂ now", "accent") if row.snapshot.current else said


def taken_cell(row: SnapshotRow) -> str:
    created = row.snapshot.created
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(created)) if created else NONE


def ago_cell(row: SnapshotRow) -> str:
    created = row.snapshot.created
    return age(max(0.0, time.time() - created)) if created else NONE


def _size(row: SnapshotRow) -> str:
    known = row.snapshot.size_bytes
    return size_bytes(known) if known is not None else NONE


def _trouble(trouble: Trouble) -> str:
    return f"! {trouble.snapshot}: {trouble.text}" if trouble.snapshot else f"! {trouble.text}"


COLUMNS: tuple[Column[SnapshotRow], ...] = (
    Column("name", "SNAPSHOT", name_cell, width=24, max_width=60),
    Column("taken", "TAKEN", taken_cell, width=16),
    Column("ago", "AGO", ago_cell, width=8, align="right", priority=2),
    Column("size", "SIZE", _size, width=6, align="right"),
    Column("holds", "HOLDS", of, width=24, max_width=60),
    Column("description", "DESCRIPTION", described, width=16, max_width=80, priority=1),
)


class SnapshotsView(Vertical):
    """The tree; Enter on a snapshot asks whether to go back to it."""

    DEFAULT_CSS = "SnapshotsView { width: 1fr; height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "wish('snapshot-edit')", "Edit", show=False, id="snapshots.edit"),
        Binding("y", "wish('snapshot-dumpxml')", "XML", show=False, id="snapshots.xml"),
    ]

    class Wished(Message):
        """Something is to be done with the snapshot under the cursor: the action, what is known."""

        def __init__(self, action: str, values: dict[str, Any]) -> None:
            super().__init__()
            self.action = action
            self.values = values

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.table: LiveTable[SnapshotRow] = LiveTable(
            COLUMNS,
            caption="Snapshots",
            search=lambda row: f"{row.snapshot.name} {row.snapshot.description} {of(row)}",
            empty="Reading the snapshots …",
        )
        self._legend = Block()
        self._known: tuple[Snapshot, ...] | None = None
        self._asked_for: object = None
        self._asking = False
        self._asked_at = 0.0
        self._answered: Callable[[], None] = lambda: None
        self._look_deeper: Callable[[], None] = lambda: None
        self._sizes: Mapping[str, int] = {}
        self._troubles: tuple[Trouble, ...] = ()

    def compose(self) -> ComposeResult:
        yield self.table
        yield self._legend

    def focus(self, scroll_visible: bool = True) -> SnapshotsView:
        """The keys are the table's."""
        self.table.focus(scroll_visible)
        return self

    @property
    def count(self) -> int | None:
        """How many there are; None: not known yet."""
        return len(self._known) if self._known is not None else None

    @property
    def chosen(self) -> str:
        """The snapshot under the cursor; empty: there is none."""
        row = self.table.row(self.table.cursor)
        return row.snapshot.name if row is not None else ""

    def ask(
        self, domain: Domain, token: object, look_up: LookUp, answered: Callable[[], None]
    ) -> None:
        """Look them up where they are not known, may have changed, or were read long ago."""
        self._answered = answered
        old = time.monotonic() - self._asked_at >= ASK_AGAIN_S
        if self._asking or (token == self._asked_for and not old):
            return
        self._asked_for, self._asking = token, True

        def deeper() -> None:
            """What takes longer, as it looks into the images."""
            look_up(domain.host, lookups.snapshot_sizes, domain.uuid, then=self._take_sizes)
            look_up(domain.host, on_snapshots.troubles, domain.uuid, then=self._take_troubles)

        self._look_deeper = deeper
        look_up(domain.host, lookups.snapshots, domain.uuid, then=self._take)

    def _take(self, answer: tuple[Snapshot, ...] | TuivirtError) -> None:
        self._asking, self._asked_at = False, time.monotonic()
        if isinstance(answer, TuivirtError):
            if self._known is None:
                self.table.set_empty(in_lines(answer))
            self._tell(str(answer), "warn")
            return
        self._known = answer
        self.table.set_empty("No snapshots.\n+ takes one.")
        self._show_tree()
        self._say_what_is_wrong()
        self._answered()
        self._look_deeper()

    def _show_tree(self) -> None:
        known = [replace(s, size_bytes=self._sizes.get(s.name)) for s in self._known or ()]
        self.table.update({row.snapshot.name: row for row in tree(known)})

    def _take_sizes(self, answer: Mapping[str, int] | TuivirtError) -> None:
        if not isinstance(answer, TuivirtError):  # That they cannot be read was told already.
            self._sizes = answer
            self._show_tree()

    def _take_troubles(self, answer: tuple[Trouble, ...] | TuivirtError) -> None:
        if isinstance(answer, TuivirtError):
            self._tell(str(answer), "warn")
            return
        self._troubles = answer
        self._say_what_is_wrong()

    def _say_what_is_wrong(self) -> None:
        """What does not fit together, with the ways out, above the keys."""
        keys = KEYS if self._known else ""
        most = TROUBLES if self.size.height < HIGH else ON_A_HIGH_SCREEN
        width = max(20, self.size.width - 4)
        lines = [
            (line, tone)
            for each in self._troubles[:most]
            for text, tone, indent in ((_trouble(each), "warn", ""), (each.advice, "dim", "   "))
            for line in wrap(text, width, initial_indent=indent, subsequent_indent=indent)
        ]
        if len(self._troubles) > most:
            more = len(self._troubles) - most
            lines.append((f"{more} more are told by: tuivirt snapshot-list", "dim"))
        lines += [(keys, "dim")] if keys else []
        self._legend.show([(Toned(f" {line}", tone),) for line, tone in lines])

    def _tell(self, text: str, tone: str) -> None:
        self._legend.show([(Toned(f" {text}", tone),)] if text else [])

    def action_wish(self, action: str) -> None:
        row = self.table.row(self.table.cursor)
        if row is not None:
            values = {"snapshotname": row.snapshot.name}
            if action == "snapshot-edit":
                values["description"] = row.snapshot.description
            self.post_message(self.Wished(action, values))

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        event.stop()
        if (row := self.table.row(event.key)) is not None:
            values = {"snapshotname": row.snapshot.name}
            self.post_message(self.Wished("snapshot-revert", values))
