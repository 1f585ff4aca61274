"""How it is drawn where not all can be sent or shown: in ASCII, slowly, without colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from textual.app import App
from textual.filter import Monochrome, NoColor
from textual.scrollbar import ScrollBar

from tuivirt.widgets.ascii import Ascii, WholeCells
from tuivirt.widgets.compositing import ExactCompositor
from tuivirt.widgets.few_colours import FewColours
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.sent_cells import SentCells
from tuivirt.widgets.sparkline import show_bars

from .ways import SLOW

if TYPE_CHECKING:
    from tuivirt.settings import Settings


class Drawn(Protocol):
    """The app, as far as looks are about it."""

    slow: bool
    settings: Settings

    def say(self, text: str, severity: str = "information") -> None: ...


def dress(app: App[Any], settings: Settings, slow: bool) -> None:
    """From now on its lines are drawn so. ``NO_COLOR`` holds whatever is wished."""
    ours = (NoColor, Monochrome, Ascii, FewColours)
    kept = [each for each in app._filters if not isinstance(each, ours)]
    if app.no_color or slow:
        # In place of Textual's, which sends a sequence for the default colours with every piece.
        kept.append(FewColours(alarms=not app.no_color))
    if settings.ascii:
        kept.append(Ascii())
        ScrollBar.renderer = WholeCells
    app._filters[:] = kept
    # Anew: who turns it on once more has all of it drawn.
    ExactCompositor.sent = SentCells() if slow else None
    app.set_class(settings.ascii, "-ascii")


def turn_slow(drawn: Drawn, word: str) -> None:
    """``:slow on`` and ``:slow off``: all is drawn once more, and from then on as wished."""
    if word not in SLOW:
        drawn.say(":slow on sends less over a slow line, :slow off all again", "warning")
        return
    app = cast("App[Any]", drawn)
    drawn.slow = word == "on"
    show_bars(not drawn.slow)
    dress(app, drawn.settings, drawn.slow)
    for screen in app.screen_stack:
        for table in screen.query(LiveTable):
            table.on_resize()
    app.refresh(layout=True)
    now = "figures once a second, no charts, few colours" if drawn.slow else "all is drawn again"
    drawn.say(f"slow {word}: {now}")
