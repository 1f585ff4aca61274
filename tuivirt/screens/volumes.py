"""The volumes of one storage pool."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tuivirt.actions import lookups, volumes
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.resources import Pool, Volume
from tuivirt.widgets.bar import bar, bar_tone, percent
from tuivirt.widgets.columns import Column
from tuivirt.widgets.line import Line
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.text import NONE, natural, size_bytes
from tuivirt.widgets.tones import Cell, Toned

from . import volume_menu
from .base import FleetScreen
from .telling import in_lines
from .words import place

BAR = 8
MANY = 500
"""From so many on their names are shown before the rest of them is known: 10,000 take 2 to 3 s."""


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


_COLUMNS: tuple[Column[Volume], ...] = (
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
        lambda v: " ".join(v.users) if v.users else NONE,
        width=16,
        max_width=40,
        priority=1,
        sort_key=lambda v: v.users or None,
        sort_letter="U",
    ),
    Column("backing", "ON TOP OF", _lies_on, width=20, max_width=60, priority=3),
    Column("path", "PATH", lambda v: v.path, width=24, max_width=70, priority=4),
)


class VolumesScreen(FleetScreen):
    """One pool and its volumes."""

    HELP = (
        "The volumes of a storage pool: what they can grow to, what they take now, the image "
        "below them (backing file), and the domains that use them. + makes one, Enter tells all "
        "of one, a has what can be done with it, ctrl+d deletes it unless somebody uses it. "
        "ctrl+r reads them again."
    )
    KIND = Kind.VOLUME
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
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus", "create_volume", "Make a volume", show=False, id="volumes.create"),
        Binding("ctrl+d", "delete_volume", "Delete a volume", show=False, id="volumes.delete"),
    ]

    def __init__(self, ref: Ref) -> None:
        super().__init__()
        self.ref = ref
        self._title = Line(id="title")
        self._table: LiveTable[Volume] = LiveTable(
            _COLUMNS,
            caption="Volumes",
            sort="name",
            search=lambda v: f"{v.name} {v.format} {v.path} {v.backing} {' '.join(v.users)}",
            empty="Reading the volumes …",
            id="table",
        )
        self._changes = volume_menu.Changes()
        self._asking = False

    def compose_body(self) -> ComposeResult:
        yield self._title
        yield self._table

    def show_fleet(self, fleet: Fleet) -> None:
        pool = fleet.find(self.ref)
        if not isinstance(pool, Pool):
            self._title.show([Toned(" This pool is gone. Below is what was known last.", "warn")])
            return
        self._show_title(pool)
        # Thousands take seconds to read: what changes meanwhile is read once more, after them.
        if not self._asking and self._changes.are_new(fleet, self.ref):
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
        if pool.active:
            self._asking = True
            host, key = self.ref.host, self.ref.key
            if not self._table.rows.all:
                self.look_up(host, volumes.names, key, then=self._show_names)
            self.look_up(host, lookups.volumes, key, None, True, then=self._show)
        else:
            self._table.set_empty(f"{pool.name} is {pool.state}; start it to see its volumes.")
            self._table.update({})

    def _show_names(self, answer: Any) -> None:
        """Of thousands the names at once, and soon what is in view; all takes seconds.

        What is wrong the call for all of them tells as well.
        """
        if isinstance(answer, tuple) and self._asking and len(answer) >= MANY:
            self._table.update({volume.ref: volume for volume in answer})
            self.call_after_refresh(self._read_view)

    def _read_view(self) -> None:
        seen = [self._table.row(key) for key in self._table.visible_keys]
        names = [volume.name for volume in seen if volume is not None]
        if self._asking and names:
            host, key = self.ref.host, self.ref.key
            self.look_up(host, volumes.some, key, names, then=self._show_some)

    def _show_some(self, answer: Any) -> None:
        if isinstance(answer, tuple) and self._asking:
            known = {volume.ref: volume for volume in answer}
            self._table.update({**self._table.rows.all, **known})

    def _show(self, answer: Any) -> None:
        self._asking = False
        if isinstance(answer, tuple):
            self._table.set_empty("No volumes in this pool.\n+ makes one.")
            self._table.update({volume.ref: volume for volume in answer})
            if answer:
                self.look_up(self.ref.host, volumes.with_halves, answer, then=self._show_halves)
        elif not self._table.rows.all:
            self._table.set_empty(in_lines(answer))
        else:
            self.say(str(answer), "error")
        # Something may have been done since it was asked.
        self.show_fleet(self.fleet)

    def _show_halves(self, answer: Any) -> None:
        """What was uploaded in part stands out; it is known a moment after the rest."""
        if isinstance(answer, tuple) and not self._asking:
            self._table.update({**self._table.rows.all, **{each.ref: each for each in answer}})

    def action_refresh_now(self) -> None:
        super().action_refresh_now()
        self._changes.forget()
        self.show_fleet(self.fleet)

    @property
    def _chosen(self) -> Volume | None:
        """The volume under the cursor, or the one that is marked."""
        keys = self._table.targets
        return self._table.row(next(iter(keys))) if keys else None

    def _is_one(self) -> bool:
        if len(self._table.targets) > 1:
            self.say("one volume at a time", "warning")
            return False
        return True

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        event.prevent_default()  # The screens' own way, by the object's kind.
        volume = self._table.row(event.key)
        if volume is not None:
            volume_menu.show_details(self, self.ref, volume)

    def action_create_volume(self) -> None:
        volume_menu.wish(self, "vol-create", self.ref)

    def action_delete_volume(self) -> None:
        volume = self._chosen
        if volume is not None and self._is_one():
            volume_menu.wish(self, "vol-delete", self.ref, volume.name)

    def action_menu(self) -> None:
        """What can be done with the volume under the cursor; its pool's own actions below."""
        if self._is_one():
            volume_menu.open_menu(self, self.ref, self._chosen)
