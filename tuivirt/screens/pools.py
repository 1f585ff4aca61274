"""Storage pools: how full they are."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.resources import Pool
from tuivirt.widgets.bar import capacity
from tuivirt.widgets.columns import Column
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.text import NONE, natural, size_bytes
from tuivirt.widgets.tones import Cell, Toned

from . import volume_menu
from .base import FleetScreen
from .empty import why_empty
from .words import auto, for_hosts

BAR = 15
"""Cells of a capacity bar with its percentage."""

_TONES = {"running": "good", "inactive": "dim"}


def _state(pool: Pool) -> Cell:
    word = "off" if pool.state == "inactive" else pool.state
    return Toned(word, _TONES.get(pool.state, "bad"))


def _used(pool: Pool) -> Cell:
    if not pool.active:
        return Toned(NONE, "dim")
    return capacity(pool.allocation_bytes, pool.capacity_bytes, BAR)


def _share(pool: Pool) -> float | None:
    if not pool.active or not pool.capacity_bytes or pool.allocation_bytes is None:
        return None
    return pool.allocation_bytes / pool.capacity_bytes


def _free(pool: Pool) -> int | None:
    """What is available; none where libvirt's unsigned figure ran below zero."""
    free, whole = pool.available_bytes, pool.capacity_bytes
    return 0 if free is not None and whole is not None and free > whole else free


def _bytes(pool: Pool, count: int | None) -> str:
    return size_bytes(count) if pool.active else NONE


_COLUMNS: tuple[Column[Pool], ...] = (
    Column(
        "state",
        "STATE",
        _state,
        width=8,
        max_width=12,
        sort_key=lambda p: (not p.active, natural(p.name)),
        sort_letter="S",
    ),
    Column(
        "name",
        "NAME",
        lambda p: p.name,
        width=16,
        max_width=32,
        sort_key=lambda p: natural(p.name),
        sort_letter="N",
    ),
    Column("type", "TYPE", lambda p: p.type, width=8, priority=2, sort_key=lambda p: p.type),
    Column(
        "used",
        "USED",
        _used,
        width=BAR,
        sort_key=_share,
        sort_letter="U",
        descending=True,
    ),
    Column(
        "free",
        "FREE",
        lambda p: _bytes(p, _free(p)),
        width=6,
        align="right",
        sort_key=lambda p: _free(p) if p.active else None,
        sort_letter="F",
    ),
    Column(
        "size",
        "SIZE",
        lambda p: _bytes(p, p.capacity_bytes),
        width=6,
        align="right",
        priority=1,
        sort_key=lambda p: p.capacity_bytes if p.active else None,
        sort_letter="C",
        descending=True,
    ),
    Column("auto", "AUTO", lambda p: auto(p.autostart), width=4, priority=3),
    Column("path", "PATH", lambda p: p.path, width=20, max_width=60, priority=4),
    Column("source", "SOURCE", lambda p: p.source, width=12, max_width=40, priority=6),
    Column(
        "host",
        "HOST",
        lambda p: p.host,
        width=8,
        max_width=20,
        priority=5,
        sort_key=lambda p: natural(p.host),
        sort_letter="H",
    ),
)


class PoolsScreen(FleetScreen):
    """All storage pools of all hosts."""

    HELP = (
        "The storage pools of libvirt: where volumes lie, and how full that place is. A pool that "
        "is off tells neither its size nor its volumes. Enter opens its volumes, + defines a "
        "pool, ctrl+d has libvirt forget one; a has all that can be done with it."
    )
    KIND = Kind.POOL
    OF_ALL_HOSTS = True
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        (":", "go to"),
        ("/", "filter"),
        ("a", "actions"),
        ("⏎", "volumes"),
        ("space", "mark"),
        ("?", "help"),
        ("+", "define"),
        ("y", "XML"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus", "define_pool", "Define a pool", show=False, id="pools.define"),
        Binding("ctrl+d", "undefine_pool", "Undefine a pool", show=False, id="pools.undefine"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._only_host: str | None = None
        self._table: LiveTable[Pool] = LiveTable(
            _COLUMNS,
            caption="Pools",
            sort="name",
            search=lambda p: f"{p.name} {p.type} {p.state} {p.path} {p.source} @{p.host}",
            id="table",
        )

    def compose_body(self) -> ComposeResult:
        yield self._table

    def show_fleet(self, fleet: Fleet) -> None:
        rows: dict[Any, Pool] = {
            pool.ref: pool
            for host in fleet.hosts.values()
            if self._only_host in (None, host.name)
            for pool in host.pools.values()
        }
        if not rows:
            self._table.set_empty(
                why_empty(
                    fleet,
                    "storage pools",
                    "+ defines one; so does “tuivirt pool-define-as HOST images --target PATH”.",
                )
            )
        self._table.use_columns(for_hosts(_COLUMNS, len(fleet.in_use)))
        self._table.update(rows)

    def only_host(self, host: str | None) -> None:
        """Show the pools of one host, or of all."""
        self._only_host = host
        self.show_fleet(self.fleet)

    def action_menu(self) -> None:
        targets = self.targets()
        if targets:
            volume_menu.open_pool_menu(self, targets)
        else:
            self.action_define_pool()

    def action_undefine_pool(self) -> None:
        self.act("pool-undefine")

    def action_define_pool(self) -> None:
        """On the host of the pool under the cursor, or the only one; else it is asked which."""
        table = self._table
        under = table.cursor if table.rows.all else None
        names = [self._only_host] if self._only_host else [h.name for h in self.fleet.in_use]
        if isinstance(under, Ref) and len(names) != 1:
            names = [under.host, *(name for name in names if name != under.host)]
        if not names:
            self.say("no host is connected", "warning")
        elif len(names) == 1:
            self._define_on(names[0])
        else:
            from tuivirt.widgets.menu import Choice, Menu

            menu = Menu("Define a pool on", [Choice(name, name) for name in names])
            self.app.push_screen(menu, self._define_on)

    def _define_on(self, host: str | None) -> None:
        if host is not None:
            self.joint.act("pool-define-as", (self.fleet.hosts[host].ref,), {})
