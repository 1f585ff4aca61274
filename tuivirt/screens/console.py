"""Serial consoles in tuivirt's own screen: tabs and panes of guests' terminals, with figures.

Every key goes to the guest but one, which opens a menu (see ``console_menu``).
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tuivirt.actions import consoles
from tuivirt.actions.catalog import ACTIONS
from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.registry import Action
from tuivirt.backend.model.console import ConsoleSession
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.widgets.line import Line
from tuivirt.widgets.menu import shown_key
from tuivirt.widgets.terminal import TerminalPane

from . import console_lines as lines
from .base import FleetScreen
from .console_doing import Doing
from .console_history import HINT, History
from .console_menu import LIFE, PREFIX, ConsoleMenu, choices
from .console_missing import MissingConsole
from .console_mouse import Mouse
from .console_panes import Panes
from .console_slot import HIDDEN_S, Slot
from .telling import error_dialog, joined

BELL_S = 1.0


class ConsoleScreen(FleetScreen, inherit_bindings=False):
    """What ``c`` opens. The consoles stay open when it is left, and keep what is printed."""

    HELP = (
        "The serial consoles that are open. Every key goes to the guest but ctrl+], which opens a "
        "menu; ctrl+] twice leaves. A console that is left stays open until tuivirt ends, with "
        "10,000 lines kept; c on its guest comes back to it. Nobody else can open it meanwhile."
    )
    KIND = Kind.DOMAIN
    AUTO_FOCUS = "TerminalPane"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(PREFIX, "prefix", "Menu", show=False, priority=True, id="console.prefix"),
    ]
    takes_all_keys: ClassVar[bool] = True

    def __init__(
        self, ref: Ref, device: str | None = None, force: bool = False, safe: bool = False
    ) -> None:
        super().__init__()
        self._wanted = (ref, device, force, safe)
        self._tabs = Line(id="consoles")
        self._status = Line(id="status")
        self.panes = Panes(self._drawn, self._turned)
        self._menu: ConsoleMenu | None = None
        self._history: History | None = None
        self._literal = False
        self._seen: dict[ConsoleSession, int] = {}
        """What each console had printed when it was last shown."""
        self._rung_at = 0.0
        self._rang: set[ConsoleSession] = set()
        self._asked: Callable[[str], None] | None = None
        self._mouse = Mouse(self.copy)
        self._doing = Doing(self)
        self._notices = lines.Notices(self.joint.notice)

    # Which consoles

    @property
    def sessions(self) -> list[ConsoleSession]:
        """All that are open, in the order in which they were opened."""
        return self.joint.sessions

    @property
    def session(self) -> ConsoleSession | None:
        """The console that gets the keys."""
        return self.panes.slot.session

    def enter(
        self, ref: Ref, device: str | None = None, force: bool = False, safe: bool = False
    ) -> None:
        """Show a console of a domain; open it if it is not."""
        for session in self.sessions:
            if session.ref == ref and device in (None, session.device):
                self.panes.show(session)
                if force:
                    session.open(force=True)
                return
        wanted = (ref.key, device, force, safe)
        # Asked for by the screen below all: what was opened for one that is left has to be kept.
        asks = self.app.screen_stack[0]
        self.joint.look_up(asks, ref.host, consoles.open_console, wanted, self._opened)

    def _opened(self, answer: ConsoleSession | TuivirtError) -> None:
        if not self.is_attached:
            self._opened_late(answer)
        elif isinstance(answer, consoles.NoConsole):
            self.app.push_screen(MissingConsole(answer), self._after_refusal)
        elif isinstance(answer, TuivirtError):
            self.app.push_screen(error_dialog(answer), self._after_refusal)
        else:
            self.panes.show(self.joint.keep_console(answer))

    def _opened_late(self, answer: ConsoleSession | TuivirtError) -> None:
        """The screen was left before; the console stays, as those that were open."""
        if isinstance(answer, TuivirtError):
            self.say(joined(answer), "error")
        else:
            name = self.joint.keep_console(answer).name
            self.say(f"the console of {name} is open; c shows it")

    def _after_refusal(self, wish: str | None) -> None:
        """Back, where there is no console to show; then what was wished for, if anything."""
        joint, ref = self.joint, self._wanted[0]
        if self.session is None:
            joint.back()
        if wish:
            joint.fill_in(wish, [ref])

    def close_session(self, session: ConsoleSession) -> None:
        """Give a console back; the next one is shown in its place."""
        self._end_history()
        self.sessions.remove(session)
        session.close()
        self._seen.pop(session, None)
        self._rang.discard(session)
        self.panes.forget(session, self.sessions)
        if self.session is None:
            self.joint.back()

    def leave(self) -> None:
        """To the screen before; the consoles stay open."""
        many = len(self.sessions)
        if many:
            text = "the console stays" if many == 1 else f"{many} consoles stay"
            self.say(f"{text} open; c comes back, {self.prefix} x closes")
        self.joint.back()

    # What the base asks

    def actions(self) -> list[Action]:
        return []  # No key is theirs here.

    def focus_ref(self) -> Ref | None:
        return self.session.ref if self.session is not None else self._wanted[0]

    def targets(self) -> tuple[Ref, ...]:
        focus = self.focus_ref()
        return () if focus is None else (focus,)

    def compose(self) -> ComposeResult:
        yield self._tabs
        yield self.panes
        yield self._status
        yield self._bar

    def on_mount(self) -> None:
        self._seen = {session: session.received for session in self.sessions}
        self.set_interval(HIDDEN_S, self._look_at_hidden)
        super().on_mount()
        self.enter(*self._wanted)

    def receive(self, fleet: Fleet) -> None:
        for session in self.sessions:
            if domain := fleet.domain(session.ref):
                session.name = domain.name  # It may have been renamed.
        if self._is_there:
            self._draw_lines()
        if self._menu is not None and self._menu.is_current:
            self._menu.refuse(self._refusals())

    def show_footer(self) -> None:
        self._draw_lines()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        for slot in self.panes.slots:
            slot.paint()

    def bar_changed(self, mode: str, text: str) -> None:
        if mode == "/":
            self.panes.slot.search(text)
            self._draw_lines()

    def bar_submitted(self, mode: str, text: str) -> None:
        asked, self._asked = self._asked, None
        if mode == ":":
            self.joint.go(text)
        elif asked is not None:
            asked(text)

    def ask_line(self, what: str, then: Callable[[str], None], text: str = "") -> None:
        """Ask for a line of text below the terminal."""
        self._asked = then
        self._bar.ask(what, text, back_to=self.panes.slot.pane)

    # Drawing

    def _turned(self) -> None:
        self._end_history()
        if self.session is not None:
            self._rang.discard(self.session)
        if self.is_current:
            self.tell_view()
        self._draw_lines()

    def _drawn(self, slot: Slot) -> None:
        if slot.bells:
            slot.bells = 0
            self._ring()
        if slot.session is not None:
            self._seen[slot.session] = slot.session.received
        self._draw_lines()

    def _ring(self) -> None:
        """The operator's own bell, once a second at most however often a guest rings."""
        now = monotonic()
        if now - self._rung_at >= BELL_S:
            self._rung_at = now
            self.app.bell()

    def _look_at_hidden(self) -> None:
        """Consoles that are not shown: a bell, and that they have something new."""
        shown = self.panes.shown
        for session in self.sessions:
            if session not in shown and session.emulator.bells() and session not in self._rang:
                self._rang.add(session)
                self._ring()
        self._draw_lines()

    def _draw_lines(self) -> None:
        if not self._is_there:
            return
        prefix = self.prefix
        new = {s: s.received - self._seen.get(s, 0) for s in self.sessions}
        shown = self.panes.shown
        tabs = lines.tabs(self.sessions, self.session, new, self._rang, prefix, self.fleet, shown)
        self._tabs.show(*tabs)
        slot = self.panes.slot
        notice = self.joint.notice
        fresh = self._notices.is_fresh(notice)
        if self._history is not None and not fresh:
            self._status.show(*lines.history(HINT, slot))
        else:
            self._status.show(*lines.status(slot, self.fleet, notice, prefix, fresh))

    def zoom(self) -> None:
        """All rows to the guest, or not: on a terminal of 24 it may need each of them."""
        for line in (self._tabs, self._status):
            line.display = not line.display

    # Keys and mouse

    @property
    def prefix(self) -> str:
        """The menu's key, as it is written on it."""
        return shown_key(self._prefix)

    @property
    def _prefix(self) -> str:
        return self.joint.settings.keys.get("console.prefix", PREFIX)

    def on_terminal_pane_pressed(self, event: TerminalPane.Pressed) -> None:
        self.panes.go_to_pane(event.pane)
        if self._history is not None:
            self._history.key(event.key)
            self._draw_lines()
        else:
            self._type(event.key, event.character)

    def _type(self, key: str, character: str | None) -> None:
        self._literal = False
        slot = self.panes.slot
        session, frame = slot.session, slot.pane.frame
        if session is None:
            self.say("not sent: the console is still being opened", "warning")
            return
        slot.pane.choose(None, None)
        if frame is not None and not frame.scroll.at_end:
            session.emulator.scroll_to(None)
            slot.paint()
        data = session.emulator.key(key, character)
        if data and not session.send(data):
            self.say(lines.why_not_sent(session, self.prefix), "warning")

    def on_terminal_pane_pasted(self, event: TerminalPane.Pasted) -> None:
        self.panes.go_to_pane(event.pane)
        if self._history is not None:
            self.say("not pasted: the keys move in what was printed; esc leaves that", "warning")
        elif self.session is not None:
            self._doing.sender.paste(self.session, event.text)

    def on_terminal_pane_moused(self, event: TerminalPane.Moused) -> None:
        if event.action == "press":
            self.panes.go_to_pane(event.pane)
        if event.pane is self.panes.slot.pane:
            self._mouse.take(self.panes.slot, event)

    def copy(self, text: str) -> None:
        """Put a text on the operator's clipboard, by the operator's own wish."""
        if not text:
            self.say("nothing to copy there", "warning")
            return
        self.app.copy_to_clipboard(text)
        count = text.count("\n") + 1
        what = "1 line" if count == 1 else f"{count} lines"
        self.say(f"copied {what}, if your terminal takes it (OSC 52)")

    # The menu

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The menu's key is a key like any other when it is to be."""
        if action == "prefix" and self._literal:
            return False
        return super().check_action(action, parameters)

    def action_prefix(self) -> None:
        session = self.session
        rows = choices(session, len(self.sessions) - 1, len(self.panes.slots), self._refusals())
        title = "Console" if session is None else f"{session.name} {session.device}"
        self._menu = ConsoleMenu(title, rows, self._prefix.split(","))
        self.app.push_screen(self._menu, self._chosen)

    def _refusals(self) -> dict[str, str]:
        """Why the guest cannot be started, reset, forced off."""
        ref = self.targets()[0]
        domain, host = self.fleet.domain(ref), self.fleet.hosts.get(ref.host)
        if domain is None:
            return dict.fromkeys(LIFE, "it is gone")
        # The menu's title names the guest already, and there is little room beside its lines.
        return {
            name: ACTIONS[name].refusal(domain, host).removeprefix(f"{domain.name} ")
            for name in LIFE
        }

    def _chosen(self, choice: str | None) -> None:
        session = self.session
        if choice == "leave" or session is None:
            self.leave() if choice == "leave" else None
        elif choice in LIFE:
            self.act(choice, [session.ref])
        elif choice is not None:
            if choice not in ("history", "search"):
                self._end_history()
            self._doing.do(choice, session)

    def next_is_literal(self) -> None:
        """The next key goes to the guest even if it is the menu's."""
        self._literal = True
        self.say("the next key goes to the guest, whatever it is")

    # Looking back

    def look_back(self) -> None:
        """The keys move in what was printed until that ends."""
        self._history = History(
            self.panes.slot, copy=self.copy, search=self.ask_search, ended=self._history_ended
        )
        self._draw_lines()

    def ask_search(self) -> None:
        """Ask what to look for; each letter marks what is found."""
        if self._history is None:
            self.look_back()
        self._asked = lambda _: self._history.step(True) if self._history is not None else None
        self._bar.ask("/", self.panes.slot.searched, back_to=self.panes.slot.pane)

    def _history_ended(self) -> None:
        self._history = None

    def _end_history(self) -> None:
        if self._history is not None:
            self._history.end()
