"""The volumes of one storage pool."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Ref
from tuivirt.backend.model.resources import Pool
from tuivirt.widgets.bar import bar, bar_tone, percent
from tuivirt.widgets.line import Line
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.text import size_bytes
from tuivirt.widgets.tones import Toned

from .telling import in_lines
from .volume_list import COLUMNS, VolumeList
from .volume_reading import Reading


class VolumesScreen(VolumeList):
    """One pool and its volumes."""

    HELP = (
        "The volumes of a storage pool: what they can grow to, what they take now, the image "
        "below them (backing file), and the domains that use them. + makes one, Enter tells all "
        "of one, a has what can be done with it, ctrl+d deletes it unless somebody uses it. "
        "ctrl+r reads them again."
    )
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        (":", "go to"),
        ("/", "filter"),
        ("a", "actions"),
        ("+", "make one"),
        ("⏎", "details"),
        ("?", "help"),
        ("ctrl+r", "read again"),
        ("y", "XML"),
    )

    def __init__(self, ref: Ref) -> None:
        super().__init__()
        self.ref = ref
        self._title = Line(id="title")
        self._table = LiveTable(
            COLUMNS,
            caption="Volumes",
            sort="name",
            search=lambda v: f"{v.name} {v.format} {v.path} {v.backing} {' '.join(v.users)}",
            empty="Reading the volumes …",
            id="table",
        )
        self._reading = Reading(self, ref, self._show)

    def compose_body(self) -> ComposeResult:
        yield self._title
        yield self._table

    def here(self) -> Ref:
        return self.ref

    def show_fleet(self, fleet: Fleet) -> None:
        pool = fleet.find(self.ref)
        if not isinstance(pool, Pool):
            self._title.show([Toned(" This pool is gone. Below is what was known last.", "warn")])
            return
        self._show_title(pool)
        self._reading.follow(fleet)
        if self._reading.wanted and not self._reading.asking:
            self._ask(pool)

    def _show_title(self, pool: Pool) -> None:
        pieces = [Toned(f" {pool.name}", "bold"), Toned(f"   {pool.type} {pool.path}")]
        if pool.active:
            used, whole = pool.allocation_bytes, pool.capacity_bytes
            right = [
                Toned(bar(used, whole, 12), bar_tone(used, whole)),
                Toned(f" {percent(used, whole)} of {size_bytes(whole)} "),
            ]
        else:
            right = [Toned(f"{pool.state} ", "warn")]
        self._title.show(pieces, right)

    def _ask(self, pool: Pool) -> None:
        reading = self._reading
        if pool.active:
            reading.go_on()
        else:
            reading.wanted = False
            self._table.set_empty(f"{pool.name} is {pool.state}; start it to see its volumes.")
            self._table.update_sections({})

    def _show(self, reading: Reading) -> None:
        if reading.asking or (reading.failure is None and not reading.read_once):
            self.show_rows({self.ref: reading})
        elif reading.failure is None:
            self._table.set_empty("No volumes in this pool.\n+ makes one.")
            self.show_rows({self.ref: reading})
        elif not reading.rows:
            self._table.set_empty(in_lines(reading.failure))
        else:
            self.say(str(reading.failure), "error")
        # Something may have been done since it was asked.
        self.show_fleet(self.fleet)

    def action_refresh_now(self) -> None:
        super().action_refresh_now()
        self._reading.forget()
        self.show_fleet(self.fleet)
