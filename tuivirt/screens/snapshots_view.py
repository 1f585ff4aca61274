"""The tab of a domain's snapshots: a tree, each above those that grew out of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from textwrap import wrap
from typing import ClassVar

from textual.binding import Binding, BindingType

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
from tuivirt.widgets.columns import Column
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.text import NONE, age, size_bytes
from tuivirt.widgets.tones import Cell, Toned

from .parts_view import PartsView
from .processors_view import LookUp

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


def size_cell(row: SnapshotRow) -> str:
    known = row.snapshot.size_bytes
    return size_bytes(known) if known is not None else NONE


def _trouble(trouble: Trouble) -> str:
    return f"! {trouble.snapshot}: {trouble.text}" if trouble.snapshot else f"! {trouble.text}"


COLUMNS: tuple[Column[SnapshotRow], ...] = (
    Column("name", "SNAPSHOT", name_cell, width=24, max_width=60),
    Column("taken", "TAKEN", taken_cell, width=16),
    Column("ago", "AGO", ago_cell, width=8, align="right", priority=2),
    Column("size", "SIZE", size_cell, width=6, align="right"),
    Column("holds", "HOLDS", of, width=24, max_width=60),
    Column("description", "DESCRIPTION", described, width=16, max_width=80, priority=1),
)


class SnapshotsView(PartsView):
    """The tree; Enter on a snapshot asks whether to go back to it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "describe", "Edit", show=False, id="snapshots.edit"),
        Binding("y", "wish('snapshot-dumpxml')", "XML", show=False, id="snapshots.xml"),
    ]
    PARAMETER = "snapshotname"
    MAKES = "snapshot-create"
    ON_KEYS: ClassVar[dict[str, str]] = {"attach-disk": MAKES, "detach-disk": "snapshot-delete"}

    def __init__(self, *, id: str | None = None) -> None:
        table: LiveTable[SnapshotRow] = LiveTable(
            COLUMNS,
            caption="Snapshots",
            search=lambda row: f"{row.snapshot.name} {row.snapshot.description} {of(row)}",
            empty="Reading the snapshots …",
        )
        super().__init__(table, id=id)
        self._known: tuple[Snapshot, ...] | None = None
        self._sizes: Mapping[str, int] = {}
        self._troubles: tuple[Trouble, ...] = ()

    def name_of(self, row: SnapshotRow) -> str:
        return row.snapshot.name

    @property
    def count(self) -> int | None:
        """How many there are; None: not known yet."""
        return len(self._known) if self._known is not None else None

    @property
    def is_known(self) -> bool:
        return self._known is not None

    def read(self, domain: Domain, look_up: LookUp) -> None:
        key = (lookups.snapshots, domain.ref)
        look_up(domain.host, lookups.snapshots, domain.uuid, then=self.take, alone=key)

    def read_deeper(self, domain: Domain, look_up: LookUp) -> None:
        self.ask_deeper(domain, look_up, lookups.snapshot_sizes, self._take_sizes)
        self.ask_deeper(domain, look_up, on_snapshots.troubles, self._take_troubles)

    def show_found(self, found: tuple[Snapshot, ...]) -> None:
        self._known = found
        self.table.set_empty("No snapshots.\n+ takes one.")
        self._show_tree()
        self._say_what_is_wrong()

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

    def action_describe(self) -> None:
        if (row := self.table.row(self.table.cursor)) is not None:
            values = {self.PARAMETER: row.snapshot.name, "description": row.snapshot.description}
            self.post_message(self.Wished("snapshot-edit", values))

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        event.stop()
        if (row := self.table.row(event.key)) is not None:
            values = {self.PARAMETER: row.snapshot.name}
            self.post_message(self.Wished("snapshot-revert", values))
