"""The volumes of all pools of all hosts, in one list."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.ref import Ref
from tuivirt.backend.model.resources import Volume
from tuivirt.widgets.columns import Column
from tuivirt.widgets.line import Line
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.text import natural
from tuivirt.widgets.tones import Toned

from .empty import why_empty
from .volume_list import COLUMNS, VolumeList
from .volume_reading import Reading
from .words import for_hosts

_POOL: Column[Volume] = Column(
    "pool",
    "POOL",
    lambda v: v.pool,
    width=10,
    max_width=24,
    sort_key=lambda v: natural(v.pool),
    sort_letter="P",
)
_HOST: Column[Volume] = Column(
    "host",
    "HOST",
    lambda v: v.host,
    width=8,
    max_width=20,
    sort_key=lambda v: natural(v.host),
    sort_letter="H",
)
_COLUMNS = (COLUMNS[0], _POOL, _HOST, *COLUMNS[1:])


class AllVolumesScreen(VolumeList):
    """Every volume that there is."""

    OF_ALL_HOSTS = True
    HELP = (
        "The volumes of all pools that are active, on all hosts: / finds one by its name, its "
        "pool, its path, what it lies on, or the domain that uses it (@host for those of one "
        "host). Enter tells all of one, a has what can be done with it, + makes another in the "
        "same pool, ctrl+d deletes it unless somebody uses it. ctrl+r reads them again."
    )
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        (":", "go to"),
        ("/", "filter"),
        ("a", "actions"),
        ("⏎", "details"),
        ("+", "make one"),
        ("?", "help"),
        ("ctrl+r", "read again"),
        ("y", "XML"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._only_host: str | None = None
        self._title = Line(id="title")
        self._table = LiveTable(
            _COLUMNS,
            caption="Volumes",
            sort="name",
            search=lambda v: (
                f"{v.name} {v.pool} {v.format} {v.path} {v.backing} {' '.join(v.users)} @{v.host}"
            ),
            empty="Reading the volumes …",
            id="table",
        )
        self._readings: dict[Ref, Reading] = {}

    def compose_body(self) -> ComposeResult:
        yield self._title
        yield self._table

    def only_host(self, host: str | None) -> None:
        """Show the volumes of one host, or of all."""
        self._only_host = host
        self.show_fleet(self.fleet)

    def show_fleet(self, fleet: Fleet) -> None:
        pools = {
            pool.ref: pool
            for host in fleet.hosts.values()
            if self._only_host in (None, host.name)
            for pool in host.pools.values()
            if pool.active
        }
        known = self._readings
        if known.keys() != pools.keys():
            self._readings = {
                ref: known[ref] if ref in known else Reading(self, ref, self._show) for ref in pools
            }
            self.show_rows(self._readings)
        for reading in self._readings.values():
            reading.follow(fleet)
        self._table.use_columns(for_hosts(_COLUMNS, len(fleet.in_use)))
        self._read_on(fleet)
        self._show_title(fleet)
        if not self._readings:
            where = ":pool shows them, and starts or defines one."
            self._table.set_empty(why_empty(fleet, "active storage pools", where))
        elif all(each.read_once for each in self._readings.values()):
            self._table.set_empty("No volumes in any pool.\n:pool, Enter and + make one.")

    def _read_on(self, fleet: Fleet) -> None:
        """One pool of a host after the other: its other look-ups are not to wait for all.

        Of all the names come first.
        """
        busy = {each.pool.host for each in self._readings.values() if each.asking}
        for reading in sorted(self._readings.values(), key=lambda each: each.named):
            host = reading.pool.host
            if reading.wanted and host not in busy and fleet.hosts[host].link is Link.CONNECTED:
                busy.add(host)
                reading.go_on()

    def _show_title(self, fleet: Fleet) -> None:
        readings = self._readings.values()
        left = sum(each.asking or each.wanted for each in readings)
        wrong = [each for each in readings if each.failure is not None]
        pools = f"{len(readings)} pool{'' if len(readings) == 1 else 's'}"
        where = f" of host {self._only_host}" if self._only_host else ""
        right = [Toned(f"reading {left} of them … ", "dim")] if left else []
        if wrong:
            said = f"{self._called(fleet, wrong[0].pool)} cannot be read: {wrong[0].failure} "
            right = [Toned(said, "bad")]
        self._title.show([Toned(f" {pools}{where}", "bold")], right)

    @staticmethod
    def _called(fleet: Fleet, ref: Ref) -> str:
        name = getattr(fleet.find(ref), "name", ref.key)
        return f"{name} of {ref.host}" if fleet.several else str(name)

    def _show(self, reading: Reading) -> None:
        if self._readings.get(reading.pool) is not reading:
            return  # Its pool has gone meanwhile.
        self.show_rows(self._readings)
        # The next one may be read, and something may have been done since.
        self.show_fleet(self.fleet)

    def action_refresh_now(self) -> None:
        super().action_refresh_now()
        for reading in self._readings.values():
            reading.forget()
        self.show_fleet(self.fleet)
