"""The one place that joins screens and backend. Wishes go down from here, the truth comes up.

Events arrive on any thread; the newest snapshot of each host replaces those before it, and the
screen in front is given the whole Fleet at most ten times a second.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from tuivirt.actions.happenings import is_progress
from tuivirt.backend.errors import NotConnected, TuivirtError
from tuivirt.backend.events import (
    DomainEvent,
    Event,
    EventHub,
    HostsChanged,
    LibvirtEvent,
    LinkChanged,
    Noticed,
    TaskChanged,
)
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.task import Task
from tuivirt.backend.view import View
from tuivirt.inbox import Inbox
from tuivirt.screens.base import FleetScreen
from tuivirt.screens.consoling import Consoling
from tuivirt.screens.domains import DomainsScreen
from tuivirt.screens.painting import (
    SLOWEST_S,
    Painting,
    ages_every_s,
    draw_as,
    event_every_s,
    figures_every_s,
)
from tuivirt.screens.pausing import Pausing
from tuivirt.screens.rooms import DETAILS, ROOMS, XML, make
from tuivirt.screens.telling import News, counts_on, first_notice
from tuivirt.settings import Settings

if TYPE_CHECKING:
    from tuivirt.actions.registry import Action
    from tuivirt.actions.runner import Tasks
    from tuivirt.backend.host import Host
    from tuivirt.screens.ways import Ways

KEEP_EVENTS = 2000
"""How many events the events screen can look back at."""
AGE_EVERY_S = 1.0
"""Ages (stalled for …, next try in …) are counted on even when nothing arrives."""
NOTICE_S = 10.0
"""For how long a notice that asks for nothing is shown."""


class Arrived(Message):
    """Something was published; it lies in the app's inbox."""


class Answered(Message):
    """A look-up ended."""

    def __init__(self, screen: Screen[Any], then: Callable[[Any], None], answer: Any) -> None:
        super().__init__()
        self.screen = screen
        self.then = then
        self.answer = answer


def checked(settings: Settings) -> Settings:
    """The settings, what is wrong with their keys among their problems."""
    if not settings.keys:
        return settings
    from tuivirt.screens.keymap import key_problems  # It asks every screen.

    wrong = key_problems(settings.keys, TuivirtApp)
    return replace(settings, problems=(*settings.problems, *wrong))


class TuivirtApp(Consoling, Pausing, inherit_bindings=False):
    """The program with a screen."""

    TITLE = "tuivirt"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    FleetScreen { background: ansi_default; color: ansi_default; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", "Leave", show=False, priority=True, id="app.leave"),
        Binding("ctrl+z", "suspend_process", "To the shell", show=False, id="app.pause"),
        Binding("ctrl+p", "palette", "Everything", show=False, id="app.palette"),
        Binding("ctrl+c", "how_to_leave", "Leave", show=False, id="app.interrupt"),
    ]

    def __init__(
        self,
        hosts: Sequence[Host],
        hub: EventHub,
        tasks: Tasks,
        *,
        settings: Settings | None = None,
        notice: str = "",
    ) -> None:
        """``notice`` is said at the start: why this is the demo, for instance."""
        # Said at once: what NO_COLOR takes away is chosen while Textual's App is made.
        super().__init__(ansi_color=True)
        # The terminal's own sixteen colours: short sequences, and the operator's own taste.
        self.theme = "ansi-dark"
        self.animation_level = "none"
        self.hosts = {host.name: host for host in hosts}
        self.hub = hub
        self.tasks = tasks
        self.settings = settings or Settings()
        self.slow = self.settings.slow
        draw_as(self, self.settings)
        self.set_keymap(dict(self.settings.keys))
        self.fleet = Fleet(hosts={host.name: host.snapshot for host in hosts})
        self.events_log: deque[Event] = deque(maxlen=KEEP_EVENTS)
        """Newest last."""
        self.last_events: dict[str, Event] = {}
        """By host."""
        self.events_log.extend(Noticed(host="", text=text) for text in self.settings.problems)
        self.notice = first_notice(notice, self.settings.problems)
        self._noticed, self._noticed_at = self.notice, time.monotonic()
        self._inbox = Inbox(lambda: self.post_message(Arrived()))
        self._every_s = SLOWEST_S
        self._lost: set[str] = set()
        self._news = News()
        self._painting = Painting(self.set_timer, self._paint)
        self._views: dict[str, View] = {}
        self._unsubscribe: Callable[[], None] = lambda: None

    def get_default_screen(self) -> Screen[Any]:
        return DomainsScreen()

    def on_mount(self) -> None:
        self._unsubscribe = self.hub.subscribe(self._inbox.put)
        for name, host in self.hosts.items():
            self.fleet = self.fleet.with_host(host.snapshot)
            self._inbox.forget(name)
        self.set_interval(AGE_EVERY_S, self._age)
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._signalled, number)

    # What comes up

    def on_arrived(self) -> None:
        self._inbox.opened()
        every_s = min(self._every_s, figures_every_s(len(self.hosts), self.slow))
        for event in self._inbox.events():
            self._take(event)
            if not (self.slow and is_progress(event)):
                every_s = min(every_s, event_every_s(isinstance(event, DomainEvent)))
        for snapshot in self._inbox.snapshots():
            if snapshot.name in self.hosts:  # Not of one that has just been taken away.
                self.fleet = self.fleet.with_host(snapshot)
                if self.front is not None:
                    self.front.foresee(snapshot)
        self._every_s = SLOWEST_S
        if self._inbox:  # They come later, and are as urgent.
            self._every_s = every_s
            self._inbox.call()
        self.follow()
        self._painting.plan(every_s)

    def _take(self, event: Event) -> None:
        if isinstance(event, TaskChanged):
            self.fleet = self.fleet.with_task(event.task)
            news = self._news.of
            self.notice = news(event.task, self.notice, self.pressed_at, several=self.fleet.several)
        elif isinstance(event, Noticed):
            self._tell(event.text, event.severity)
        elif isinstance(event, LinkChanged):
            self._take_link(event)
        elif isinstance(event, HostsChanged):
            self._views.clear()  # Those that were made anew have been told nothing.
            self.take_hosts(event.hosts)
        if isinstance(event, LibvirtEvent | LinkChanged | Noticed):
            self.last_events[event.host] = event
        if isinstance(event, LibvirtEvent | LinkChanged | Noticed | TaskChanged):
            self.events_log.append(event)

    def _take_link(self, event: LinkChanged) -> None:
        """The header has room for the state of a connection, not for the reason."""
        if event.link == Link.LOST:
            self._tell(f"{event.host}: connection lost: {event.reason}", "error")
            self._lost.add(event.host)
        elif event.link == Link.CONNECTED and event.host in self._lost:
            self._lost.discard(event.host)
            self._tell(f"{event.host}: connected again", "information")

    def _tell(self, text: str, severity: str) -> None:
        """Of what no key caused."""
        self.notice = self._news.beside((text, severity), self.notice, self.pressed_at)

    def _paint(self) -> None:
        """Give the fleet to the screen in front."""
        if self.front is not None:
            self.front.receive(self.fleet)

    def _age(self) -> None:
        """Only where something is waited for: a quiet screen costs nothing."""
        self._forget_notice()
        if any(map(counts_on, self.fleet.hosts.values())):
            self._painting.plan(ages_every_s(self.slow))

    def _forget_notice(self) -> None:
        """A plain notice goes after a while; what went wrong stays until something newer."""
        now = time.monotonic()
        if self.notice is not self._noticed:
            self._noticed, self._noticed_at = self.notice, now
            return
        text, severity = self.notice
        if text and severity == "information" and now - self._noticed_at > NOTICE_S:
            self.say("")

    @property
    def front(self) -> FleetScreen | None:
        """The screen in front, beneath any dialog."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, FleetScreen):
                return screen
        return None

    @cached_property
    def _ways(self) -> Ways:
        """Made for the first wish or way: what it imports takes 0.5 MiB, and a glance has none."""
        from tuivirt.screens.ways import Ways
        from tuivirt.screens.wishes import Wishes

        return Ways(self, Wishes(self))

    # What screens ask for (screens.base.Joint)

    def act(self, action: str, refs: Sequence[Ref], values: dict[str, Any]) -> None:
        self._ways.wishes.act(action, refs, values)

    def fill_in(self, action: str, refs: Sequence[Ref]) -> None:
        self._ways.wishes.act(action, refs, {}, form=True)

    def look_up(
        self,
        screen: Screen[Any],
        host: str,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        then: Callable[[Any], None],
        alone: Hashable = None,
    ) -> None:
        where = self.hosts.get(host) if host else self.tasks.desk
        if where is None:
            then(NotConnected(f"there is no host {host}"))
            return
        future = where.lookups.submit(lambda: function(where, *args), alone)

        def ended(done: Any) -> None:
            error = done.exception()
            if error is not None and not isinstance(error, TuivirtError):
                error = TuivirtError(f"looking up on {host} failed", f"{error}")
            self.post_message(Answered(screen, then, error or done.result()))

        future.add_done_callback(ended)

    def on_answered(self, message: Answered) -> None:
        if message.screen.is_attached:
            message.then(message.answer)

    def watching(self, refs: Iterable[Ref], focus: Ref | None) -> None:
        wanted: dict[str, set[str]] = {name: set() for name in self.hosts}
        for ref in refs:
            if ref.kind is Kind.DOMAIN and ref.host in wanted:
                wanted[ref.host].add(ref.key)
        for name, uuids in wanted.items():
            here = focus is not None and focus.host == name and focus.kind is Kind.DOMAIN
            view = View(frozenset(uuids), focus.key if here and focus is not None else None)
            if self._views.get(name) != view:
                self._views[name] = view
                self.hosts[name].watch(view)

    def say(self, text: str, severity: str = "information") -> None:
        self.notice = (text, severity)
        if self.front is not None:
            self.front.show_footer()

    @property
    def host_names(self) -> list[str]:
        return list(self.hosts)

    def enter(self, where: str) -> FleetScreen:
        """Rooms lie beside one another on top of the list of domains, never on a heap."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        base = self.screen
        if isinstance(base, FleetScreen) and where == ROOMS[0].where:
            return base
        screen = make(where)
        self.push_screen(screen)
        return screen

    def open_object(self, ref: Ref) -> None:
        where = DETAILS.get(ref.kind)
        if where is None:
            self.say(f"a {ref.kind} has no screen of its own", "warning")
        else:
            self.push_screen(make(where, ref))

    def open_xml(self, ref: Ref, values: Mapping[str, Any] | None = None) -> None:
        self.push_screen(make(XML, ref, values))

    def open_menu(self, refs: Sequence[Ref]) -> None:
        self._ways.wishes.menu(refs)

    def go(self, command: str) -> None:
        self._ways.go(command)

    # What wishes need (screens.wishes.Actor)

    def submit(self, action: Action, ref: Ref, name: str, values: Mapping[str, Any]) -> Task:
        where = self.hosts[ref.host] if ref.host else self.tasks.desk
        return self.tasks.submit(action, where, ref, name, values)

    def show_view(self, action: Action, ref: Ref, values: Mapping[str, Any]) -> None:
        if action.name == "console":
            self.open_console(ref, values)
        else:
            self.open_xml(ref, values)

    def ask(self, dialog: Screen[Any], then: Callable[[Any], None]) -> None:
        self.push_screen(dialog, then)

    def key_of(self, action: Action) -> str:
        return self.settings.keys.get(action.name, action.key)

    def front_targets(self) -> tuple[Ref, ...]:
        return () if self.front is None else self.front.targets()

    def words_for(self, begun: str) -> list[str]:
        return self._ways.words_for(begun)

    def back(self) -> None:
        if len(self.screen_stack) > 1:
            self.pop_screen()
        else:
            self.say("ctrl+q leaves tuivirt")

    def refresh_hosts(self) -> None:
        for host in self.hosts.values():
            host.refresh()
        self.say("asked again")

    def abort(self, task_id: int) -> bool:
        """Ask a task to stop; False when it has ended already."""
        return self.tasks.abort(task_id)

    # Keys

    def action_leave(self) -> None:
        """At once, or, while something is under way, when the operator knows what that means."""
        from tuivirt.screens.leaving import LeaveDialog, UnderWay

        def look() -> UnderWay:
            return UnderWay(self.tasks.under_way, self.fleet, self.sessions)

        if isinstance(self.screen, LeaveDialog):
            self.screen.action_answer(True)
        elif look().is_anything:
            self.push_screen(LeaveDialog(look, self.slow), self._leave)
        else:
            self._leave(True)

    def _leave(self, meant: bool | None, status: int = 0) -> None:
        """No call that hangs is waited for."""
        if meant:
            self._unsubscribe()
            self.close_consoles()
            self.exit(status, return_code=status)

    def _signalled(self, number: int) -> None:
        """Told to end: as by a key, so that the terminal is restored; the status is a shell's."""
        self._leave(True, 128 + number)

    def action_how_to_leave(self) -> None:
        self.say("ctrl+q leaves tuivirt")

    def action_palette(self) -> None:
        self._ways.wishes.palette()
