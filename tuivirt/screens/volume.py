"""One volume: its sizes, the images that it lies on, and who uses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tuivirt.actions import volumes
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.resources import Pool, Volume
from tuivirt.widgets.line import Line
from tuivirt.widgets.page import Page, PageLine
from tuivirt.widgets.tones import Toned

from . import volume_menu
from .paged import PagedScreen
from .telling import in_lines

LABEL = 11


class VolumeScreen(PagedScreen):
    """What Enter opens on a volume."""

    HELP = (
        "A volume: what it can grow to and what it takes, the images below it down to the last "
        "(its backing chain), and the domains and volumes that use it. a has what can be done "
        "with it, ctrl+d deletes it unless somebody uses it, ctrl+r reads it again."
    )
    KIND = Kind.VOLUME
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("a", "actions"),
        ("ctrl+d", "delete"),
        ("/", "search"),
        ("ctrl+r", "read again"),
        ("?", "help"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+d", "delete_volume", "Delete", show=False, id="volumes.delete"),
    ]

    def __init__(self, pool: Ref, volume: Volume) -> None:
        super().__init__()
        self.pool = pool
        self.volume = volume
        self._title = Line(id="title")
        self._page = Page(id="page")
        self._changes = volume_menu.Changes()
        self._known = False
        self._page.show([(Toned(" Reading it, and who uses it …", "dim"),)])

    def compose_body(self) -> ComposeResult:
        yield self._title
        yield self._page

    def targets(self) -> tuple[Ref, ...]:
        return (self.pool,)

    def show_fleet(self, fleet: Fleet) -> None:
        pool = fleet.find(self.pool)
        of = f"   volume of pool {pool.name}" if isinstance(pool, Pool) else "   its pool is gone"
        self._title.show([Toned(f" {self.volume.name}", "bold"), Toned(of, "dim")])
        if self._changes.are_new(fleet, self.pool):
            self.look_up(
                self.pool.host,
                volumes.details,
                self.pool.key,
                self.volume.name,
                then=self._answered,
            )

    def _answered(self, answer: Any) -> None:
        if isinstance(answer, str):
            self._known = True
            self._page.show(_lines(answer))
        elif not self._known:
            self._page.show([(Toned(f" {e}", "warn"),) for e in in_lines(answer).splitlines()])
        else:
            self.say(str(answer), "warning")

    def action_xml(self) -> None:
        self.joint.open_xml(self.volume.ref)

    def action_menu(self) -> None:
        volume_menu.open_menu(self, self.pool, self.volume, details=False)

    def action_delete_volume(self) -> None:
        volume_menu.wish(self, "vol-delete", self.pool, self.volume.name)

    def action_refresh_now(self) -> None:
        super().action_refresh_now()
        self._changes.forget()
        self.show_fleet(self.fleet)


def _lines(text: str) -> Sequence[PageLine]:
    """Each has a label of so many cells, or none."""
    return [(Toned(f" {e[:LABEL]}", "dim"), Toned(e[LABEL:])) for e in text.splitlines()]
