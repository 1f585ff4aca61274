"""A list of volumes: its columns, and what is done with the one under the cursor."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from textual.binding import Binding, BindingType

from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.resources import Volume
from tuivirt.widgets.bar import bar
from tuivirt.widgets.columns import Column
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.text import NONE, natural, size_bytes
from tuivirt.widgets.tones import Cell, Toned

from . import volume_menu
from .base import FleetScreen
from .volume_reading import Reading
from .words import place

BAR = 8


def _allocated(volume: Volume) -> Cell:
    # A full volume is a thick one, not one in danger: its bar has no warning colours.
    return Toned(bar(volume.allocation_bytes, volume.capacity_bytes, BAR))


def _format(volume: Volume) -> Cell:
    if volume.problem or volume.half:
        return Toned("unread" if volume.problem else "half", "bad")
    return volume.format or volume.type


def _lies_on(volume: Volume) -> Cell:
    wrong = volume.problem or volume.half
    return Toned(wrong, "bad") if wrong else place(volume.backing)


def _users(volume: Volume) -> str:
    """Nobody is said only where that is known."""
    said = (*volume.users, "?") if volume.unsure else volume.users
    return ", ".join(said) if said else NONE


COLUMNS: tuple[Column[Volume], ...] = (
    Column(
        "name",
        "NAME",
        lambda v: v.name,
        width=22,
        max_width=48,
        sort_key=lambda v: natural(v.name),
        sort_letter="N",
    ),
    Column("format", "FORMAT", _format, width=6, sort_key=lambda v: v.format),
    Column(
        "size",
        "SIZE",
        lambda v: size_bytes(v.capacity_bytes),
        width=6,
        align="right",
        sort_key=lambda v: v.capacity_bytes,
        sort_letter="C",
        descending=True,
    ),
    Column(
        "allocated",
        "TAKES",
        lambda v: size_bytes(v.allocation_bytes),
        width=6,
        align="right",
        sort_key=lambda v: v.allocation_bytes,
        sort_letter="T",
        descending=True,
    ),
    Column("bar", "", _allocated, width=BAR, priority=2),
    Column(
        "users",
        "USED BY",
        _users,
        width=16,
        max_width=40,
        priority=1,
        sort_key=lambda v: v.users or None,
        sort_letter="U",
    ),
    Column("backing", "ON TOP OF", _lies_on, width=20, max_width=60, priority=3),
    Column("path", "PATH", lambda v: v.path, width=24, max_width=70, priority=4),
)


class VolumeList(FleetScreen):
    """A screen whose table has volumes for rows; each row's key begins with its pool's Ref."""

    KIND = Kind.VOLUME
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus", "create_volume", "Make a volume", show=False, id="volumes.create"),
        Binding("ctrl+d", "delete_volume", "Delete a volume", show=False, id="volumes.delete"),
    ]
    _table: LiveTable[Volume]
    _shown: Mapping[Ref, Reading] = MappingProxyType({})

    def here(self) -> Ref | None:
        """The pool that a new volume would be made in: that of the one under the cursor."""
        chosen = self._chosen
        return chosen[0] if chosen is not None else None

    def targets(self) -> tuple[Ref, ...]:
        rows = (self._table.row(key) for key in self._table.targets)
        return tuple(volume.ref for volume in rows if volume is not None)

    @property
    def _chosen(self) -> tuple[Ref, Volume] | None:
        """The volume under the cursor, or the one that is marked, with its pool."""
        key = next(iter(self._table.targets), None)
        volume = self._table.row(key)
        return (key[0], volume) if isinstance(key, tuple) and volume is not None else None

    def _is_one(self) -> bool:
        if len(self._table.targets) > 1:
            self.say("one volume at a time", "warning")
            return False
        return True

    def show_rows(self, readings: Mapping[Ref, Reading]) -> None:
        """Show the volumes of these pools; of thousands the ones in view are read first."""
        self._shown = readings
        self._table.update_sections(dict(readings.items()))
        self.call_after_refresh(self._read_view)

    def on_live_table_view_changed(self) -> None:
        super().on_live_table_view_changed()
        self._read_view()

    def _read_view(self) -> None:
        if all(reading.read_once for reading in self._shown.values()):
            return
        seen: dict[Ref, list[str]] = {}
        for key in self._table.visible_keys:
            volume = self._table.row(key)
            # What was read already has a type.
            if isinstance(key, tuple) and volume is not None and not volume.type:
                seen.setdefault(key[0], []).append(volume.name)
        for pool, names in seen.items():
            if pool in self._shown:
                self._shown[pool].read_some(names)

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        event.prevent_default()  # The screens' own way, by the object's kind.
        volume = self._table.row(event.key)
        if isinstance(event.key, tuple) and volume is not None:
            volume_menu.show_details(self, event.key[0], volume)

    def action_create_volume(self) -> None:
        pool = self.here()
        if pool is not None:
            volume_menu.wish(self, "vol-create", pool)
        else:
            self.say("in which pool? :pool shows them; + makes one there", "warning")

    def action_delete_volume(self) -> None:
        chosen = self._chosen
        if chosen is not None and self._is_one():
            pool, volume = chosen
            volume_menu.wish(self, "vol-delete", pool, volume.name)

    def action_menu(self) -> None:
        """What can be done with the volume under the cursor; its pool's own actions below."""
        pool, chosen = self.here(), self._chosen
        if pool is not None and self._is_one():
            volume_menu.open_menu(self, pool, chosen[1] if chosen is not None else None)
