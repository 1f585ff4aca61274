"""Screens of which all or a part is a page to read: search in it, facts about one object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult

from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Ref
from tuivirt.widgets.line import Line
from tuivirt.widgets.page import Page, PageLine
from tuivirt.widgets.tones import Toned

from .base import FleetScreen


class PagedScreen(FleetScreen):
    """``/`` searches in the page that is shown, ``n`` and ``N`` go on."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        (":", "go to"),
        ("/", "search"),
        ("n N", "next, before"),
        ("a", "actions"),
        ("?", "help"),
    )
    AUTO_FOCUS = "Page"

    @property
    def page(self) -> Page | None:
        """The page that is on the screen now."""
        return next((page for page in self.query(Page) if page.display), None)

    def action_filter(self) -> None:
        if self.page is not None:
            self._bar.ask("/", back_to=self.page)
        else:
            super().action_filter()

    def action_escape(self) -> None:
        """First end the search, then go back."""
        if self.page is not None and self.page.searched:
            self.page.search("")
        else:
            super().action_escape()

    def action_back(self) -> None:
        if self.page is not None and self.page.searched:
            self.say("")
        super().action_back()

    def bar_changed(self, mode: str, text: str) -> None:
        if mode == "/" and self.page is not None:
            self.page.search(text)
        else:
            super().bar_changed(mode, text)

    def on_page_searched(self, event: Page.Searched) -> None:
        if not event.pattern:
            self.say("")
        elif event.hits:
            self.say(f"hit {event.hit} of {event.hits} for /{event.pattern}")
        else:
            self.say(f"nothing found for /{event.pattern}", "warning")


class FactsScreen(PagedScreen):
    """One object and what is known of it. Subclasses give ``title_of`` and ``lines``."""

    def __init__(self, ref: Ref) -> None:
        super().__init__()
        self.ref = ref
        self._title = Line(id="title")
        self._page = Page(id="page")

    def compose_body(self) -> ComposeResult:
        yield self._title
        yield self._page

    def targets(self) -> tuple[Ref, ...]:
        return (self.ref,)

    def title_of(self, fleet: Fleet) -> Sequence[Toned]:
        """The line above the facts; empty: the object is gone."""
        raise NotImplementedError

    def lines(self, fleet: Fleet, width: int) -> Sequence[PageLine]:
        """The facts; only asked while the object is there."""
        raise NotImplementedError

    def show_fleet(self, fleet: Fleet) -> None:
        title = self.title_of(fleet)
        if not title:
            # What was shown last stays: it may be what the operator needs to make it anew.
            self._title.show([Toned(" It is gone. Below is what was known last.", "warn")])
            return
        self._title.show(title)
        self._page.show(self.lines(fleet, self._page.size.width or self.app.size.width))
