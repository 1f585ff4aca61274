"""What every screen has: header, footer, command line, and the ways to the rest of the program.

A screen draws the Fleet it is given and names objects by Ref. It wishes (`act`), it asks
(`look_up`), it goes (`open`, `go`); the app carries that on. It never talks to libvirt.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from tuivirt.actions.catalog import for_kind
from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.happenings import Event
from tuivirt.actions.registry import Action
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.settings import Settings
from tuivirt.widgets.command_bar import CommandBar
from tuivirt.widgets.compositing import ExactCompositor
from tuivirt.widgets.footer import Footer
from tuivirt.widgets.header import Header
from tuivirt.widgets.live_table import LiveTable

if TYPE_CHECKING:
    from tuivirt.backend.model.console import ConsoleSession
    from tuivirt.backend.model.host import HostSnapshot

T = TypeVar("T")

NO_KEY = "no key of "
"""Stands, with an action's name, for a key that no keyboard has."""


class Joint(Protocol):
    """What a screen may ask of the app."""

    fleet: Fleet
    settings: Settings
    notice: tuple[str, str]
    events_log: deque[Event]
    last_events: dict[str, Event]
    """What happened last on each host, as far as anything did."""
    sessions: list[ConsoleSession]
    """The consoles that are open."""

    def keep_console(self, opened: ConsoleSession) -> ConsoleSession: ...

    def lend_console(self, ref: Ref, device: str, log: str) -> None: ...

    def act(self, action: str, refs: Sequence[Ref], values: dict[str, Any]) -> None: ...

    def fill_in(self, action: str, refs: Sequence[Ref]) -> None:
        """As ``act``, with its form in any case."""

    def look_up(
        self,
        screen: Screen[Any],
        host: str,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        then: Callable[[Any], None],
        alone: Hashable = None,
    ) -> None: ...

    def watching(self, refs: Iterable[Ref], focus: Ref | None) -> None: ...

    def open_object(self, ref: Ref) -> None: ...

    def open_xml(self, ref: Ref) -> None: ...

    def open_menu(self, refs: Sequence[Ref]) -> None: ...

    def go(self, command: str) -> None: ...

    def back(self) -> None: ...

    def refresh_hosts(self) -> None: ...

    def abort(self, task_id: int) -> bool: ...

    def submit(self, action: Action, ref: Ref, name: str, values: Mapping[str, Any]) -> Task: ...

    def say(self, text: str, severity: str = "information") -> None: ...

    def words_for(self, begun: str) -> Sequence[str]: ...


class FleetScreen(Screen[None]):
    """A screen of the program. Subclasses give ``compose_body`` and ``show_fleet``.

    A screen whose body is one table sets ``TABLE`` by yielding a LiveTable with id ``table``
    whose row keys are Refs: filter, targets, open and the sampler's interest then work by
    themselves.
    """

    HELP: ClassVar[str] = ""
    """One paragraph, shown by ``?``."""
    KIND: ClassVar[Kind] = Kind.DOMAIN
    """What its rows are: the actions of this kind have their keys here."""
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        (":", "go to"),
        ("/", "filter"),
        ("a", "actions"),
        ("⏎", "open"),
        ("space", "mark"),
        ("?", "help"),
    )
    """(key, word), the most important first; the footer shows as many as fit."""
    BACK: ClassVar[str] = "back"
    AUTO_FOCUS = "#table"
    OF_ALL_HOSTS: ClassVar[bool] = False
    """It lists what all hosts have, and so lacks what those have that are closed."""
    _only_host: str | None = None
    """Where it lists those of one host alone."""
    takes_all_keys: ClassVar[bool] = False
    """Whether not even the key that leaves the program is the program's."""

    CSS = """
    FleetScreen { layout: vertical; layers: default bar; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, so that they have taken effect before the next key is given out.
        Binding("colon", "command", "Go to", show=False, priority=True, id="screen.command"),
        Binding("slash", "filter", "Filter", show=False, priority=True, id="screen.filter"),
        Binding("question_mark", "help", "Help", show=False, id="screen.help"),
        Binding("escape", "escape", "Back", show=False, id="screen.escape"),
        Binding("q", "back", "Back", show=False, id="screen.back"),
        Binding("a", "menu", "Actions", show=False, id="screen.menu"),
        Binding("y", "xml", "XML", show=False, id="screen.xml"),
        Binding("l", "events", "Its events", show=False, id="screen.events"),
        Binding("ctrl+r", "refresh_now", "Refresh now", show=False, id="screen.refresh"),
    ]

    def __init__(self) -> None:
        super().__init__()
        # Only what changed goes down the line; Textual's own sends a line from its beginning.
        self._compositor = ExactCompositor()
        self._header = Header()
        self._footer = Footer()
        self._bar = CommandBar(self.bar_changed, self.bar_submitted)
        self._is_there = False
        self._when_there: list[Callable[[], None]] = []
        for action in self.actions():
            # One without a key is bound all the same, so that the settings can give it one.
            for key in (action.key or f"{NO_KEY}{action.name}").split(","):
                self._bindings.key_to_bindings.setdefault(key.strip(), []).append(
                    Binding(
                        key.strip(),
                        f"screen.act('{action.name}')",
                        action.title,
                        show=False,
                        id=action.name,
                    )
                )

    # For subclasses

    def compose_body(self) -> ComposeResult:
        """The widgets between header and footer."""
        raise NotImplementedError

    def show_fleet(self, fleet: Fleet) -> None:
        """Draw this; called when the screen comes to the front and on every change."""
        raise NotImplementedError

    def focus_ref(self) -> Ref | None:
        """The domain whose detail this screen is, for the sampler; None on lists."""
        return None

    @property
    def table(self) -> LiveTable[Any] | None:
        """The table that filter, marks and targets are about."""
        found = self.query("#table").results(LiveTable)
        return next(iter(found), None)

    def targets(self) -> tuple[Ref, ...]:
        """What an action applies to: marked rows, else the one under the cursor."""
        table = self.table
        if table is None:
            focus = self.focus_ref()
            return () if focus is None else (focus,)
        return tuple(key for key in table.targets if isinstance(key, Ref))

    def actions(self) -> list[Action]:
        """The actions whose keys hold here."""
        return list(for_kind(self.KIND))

    # For everybody

    @property
    def joint(self) -> Joint:
        """The app, as far as screens may know it."""
        return cast(Joint, self.app)

    @property
    def fleet(self) -> Fleet:
        return self.joint.fleet

    def act(self, action: str, refs: Sequence[Ref] | None = None, **values: Any) -> None:
        """Wish for an action: its form or question comes first, then the tasks' runner."""
        self.joint.act(action, self.targets() if refs is None else refs, values)

    def look_up(
        self,
        host: str,
        function: Callable[..., T],
        *args: Any,
        then: Callable[[T | TuivirtError], None],
        alone: Hashable = None,
    ) -> None:
        """Call ``function(host_object, *args)`` on the host's look-up lane.

        ``then`` gets the result, or the error, on the screen's thread, and only while this
        screen still exists. Look-ups ``alone`` about one object, whoever asks, wait for one
        another: one that hangs is to keep one of the host's workers.
        """
        self.joint.look_up(self, host, function, args, then, alone)

    def open(self, ref: Ref) -> None:
        """Open the detail of an object."""
        self.joint.open_object(ref)

    def say(self, text: str, severity: str = "information") -> None:
        """Put a notice above the hints."""
        self.joint.say(text, severity)

    # The app calls

    def receive(self, fleet: Fleet) -> None:
        """Draw a new state of things: the header, the body, the footer."""
        if not self._is_there:
            return
        told = self.header_hosts(fleet)
        of_all = self.OF_ALL_HOSTS and self._only_host is None
        closed = len(fleet.hosts) - len(told) if of_all else 0
        self._header.show_hosts(told, time.monotonic(), closed=closed)
        self.show_fleet(fleet)
        self.show_footer()

    def foresee(self, host: HostSnapshot) -> None:
        """A host has changed, and ``receive`` will tell of it: what can be done already is done."""

    def header_hosts(self, fleet: Fleet) -> Sequence[Any]:
        """The hosts that the header tells of."""
        focus = self.focus_ref()
        if focus is not None and focus.host in fleet.hosts:
            return [fleet.hosts[focus.host]]
        return fleet.in_use or list(fleet.hosts.values())

    def show_footer(self) -> None:
        text, severity = self.joint.notice
        running = sum(task.state is TaskState.RUNNING for task in self.fleet.tasks)
        self._footer.show_notice(text, severity, running)
        self._footer.show_hints(self.HINTS, self.BACK)

    # Textual calls

    def compose(self) -> ComposeResult:
        yield self._header
        yield from self.compose_body()
        yield self._footer
        yield self._bar

    def on_mount(self) -> None:
        self._is_there = True
        self.receive(self.fleet)
        while self._when_there:
            self._when_there.pop(0)()

    def when_there(self, do: Callable[[], None]) -> None:
        """Do it now, or as soon as the screen is made: before any key reaches it."""
        if self._is_there:
            do()
        else:
            self._when_there.append(do)

    def on_screen_resume(self) -> None:
        self.receive(self.fleet)
        self.tell_view()

    def on_resize(self) -> None:
        self.call_after_refresh(self.receive, self.fleet)

    def tell_view(self) -> None:
        """Tell the sampler what is on the screen or marked."""
        table = self.table
        refs: set[Ref] = set()
        if table is not None:
            refs = {key for key in (*table.visible_keys, *table.marks) if isinstance(key, Ref)}
        self.joint.watching(refs, self.focus_ref())

    def on_live_table_view_changed(self) -> None:
        if self.is_current:
            self.tell_view()

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        if isinstance(event.key, Ref):
            self.open(event.key)

    def bar_submitted(self, mode: str, text: str) -> None:
        """Enter was pressed on what was typed after ``:`` or ``/``."""
        if mode == ":":
            self.joint.go(text)
        else:
            self.bar_changed(mode, text)  # What was a beginning is whole now.

    def bar_changed(self, mode: str, text: str) -> None:
        """A filter takes effect while it is typed; one that is not (yet) right changes nothing."""
        if mode == "/" and self.table is not None:
            self._bar.complain(self.set_filter(text, typing=self._bar.is_typing))

    def only_host(self, host: str | None) -> None:
        """``@host`` after ``:``: show the objects of one host, or of all."""

    def set_filter(self, expression: str, *, typing: bool = False) -> str:
        """Filter the table; returns what is wrong with the expression, or ''."""
        table = self.table
        if table is None:
            return "nothing to filter here"
        try:
            table.set_filter(expression, typing=typing)
        except ValueError as error:
            return str(error)
        return ""

    # Keys

    def action_command(self) -> None:
        self._bar.ask(":", "", self.joint.words_for, back_to=self.table)

    def action_filter(self) -> None:
        if self.table is not None:
            self._bar.ask("/", self.table.filter_text, back_to=self.table)

    def action_escape(self) -> None:
        """First clear what stands in the way (filter, marks), then go back."""
        table = self.table
        if table is not None and table.rows.marks:
            table.clear_marks()
        elif table is not None and table.filter_text:
            table.set_filter("")
        else:
            self.joint.back()

    def action_back(self) -> None:
        self.joint.back()

    def action_help(self) -> None:
        from .help import HelpScreen

        self.app.push_screen(HelpScreen(self))

    def action_menu(self) -> None:
        self.joint.open_menu(self.targets())

    def action_xml(self) -> None:
        targets = self.targets()
        if targets:
            self.joint.open_xml(targets[0])

    def action_events(self) -> None:
        """What happened to the object under the cursor; without one, all that happened."""
        targets = self.targets()
        thing = self.fleet.find(targets[0]) if targets else None
        if thing is None:
            self.joint.go("event")
            return
        # As re.escape, but a hyphen is left as it is: the filter is shown.
        name = re.sub(r"[\\.^$*+?{}\[\]|()]|(?<!\S)[!#@]", r"\\\g<0>", str(thing.name))
        where = f"@{targets[0].host} " if self.fleet.several else ""
        self.joint.go(f"event {where}/{name}")

    def action_refresh_now(self) -> None:
        self.joint.refresh_hosts()

    def action_act(self, name: str) -> None:
        self.act(name)
