"""The app's part in what comes up by itself: open consoles, what hosts ask, the line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from tuivirt.actions.catalog import ACTIONS
from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.registry import Action
from tuivirt.backend.model.ref import Ref
from tuivirt.widgets.key_order import KeysInOrder

from .base import FleetScreen
from .lending import lend
from .telling import error_dialog

if TYPE_CHECKING:
    from tuivirt.backend.model.console import ConsoleSession
    from tuivirt.backend.model.fleet import Fleet


class Consoling(KeysInOrder[int], inherit_bindings=False):
    """An app whose guests' consoles go on while other screens are looked at."""

    if TYPE_CHECKING:  # What the app has that this is a part of.
        hosts: dict[str, Any]
        fleet: Fleet
        slow: bool

        def say(self, text: str, severity: str = "information") -> None: ...

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sessions: list[ConsoleSession] = []
        """The consoles that are open; they outlive the screen that shows them."""
        self._asking = False
        """Whether a host's question is shown, or was a moment ago."""

    def on_mount(self) -> None:
        # What is asked before there was a screen.
        self.call_after_refresh(self.follow)

    def time_line(self) -> None:
        """Ask the terminal how long the way to it is; a slow one is told."""
        from .line_time import LineTime  # The first picture does not wait for it.

        if not self.slow and self._driver is not None:
            LineTime(self, self._driver.write)

    def follow(self) -> None:
        """Something is new: ask what a host wants to know, and take consoles along."""
        if self._asking or any(host.question for host in self.fleet.hosts.values()):
            from .asking import follow_questions  # Few ask anything.

            self._asking = follow_questions(self)
        self.follow_guests()

    def open_console(self, ref: Ref, values: Mapping[str, Any]) -> None:
        """Show a console of a domain in a pane of ours."""
        from .console import ConsoleScreen  # Its emulator is loaded with the first console.

        device, force, safe = (values.get(name) for name in ("devname", "force", "safe"))
        wanted = ref, device, bool(force), bool(safe)
        for known in [each for each in self.screen_stack if isinstance(each, ConsoleScreen)]:
            # One is enough: a console is drawn in one place.
            while self.screen_stack[-1] is not known:
                self.pop_screen()
            known.enter(*wanted)
            return
        self.push_screen(ConsoleScreen(*wanted))

    def keep_console(self, opened: ConsoleSession) -> ConsoleSession:
        """Count it among those that are open; if it was asked for twice, the first stays."""
        for known in self.sessions:
            if (known.ref, known.device) == (opened.ref, opened.device):
                opened.close()
                return known
        self.sessions.append(opened)
        return opened

    def lend_console(self, ref: Ref, device: str, log: str = "") -> None:
        """The whole terminal to a console; then the screen comes back as it was.

        ``log``: the file that what is printed meanwhile goes to as well.
        """
        self.lend_terminal(ACTIONS["console"], ref, {"devname": device, "log": log or None})

    def lend_terminal(self, action: Action, ref: Ref, values: Mapping[str, Any]) -> None:
        """Run an action that takes over the terminal; then the screen comes back as it was."""
        try:
            ended = lend(self, action, self.hosts[ref.host], ref, values)
        except SuspendNotSupported:
            self.say("this terminal cannot be handed on", "error")
            return
        if isinstance(ended, TuivirtError):
            self.tell_error(ended)
        else:
            self.say(ended)

    def tell_error(self, error: TuivirtError) -> None:
        """An error in full."""
        self.push_screen(error_dialog(error))

    def follow_guests(self) -> None:
        """A guest that is off here and runs on another host was migrated: its console goes along.

        It is known by its UUID, which no two guests have in common.
        """
        if not self.sessions:
            return  # Before anything of consoles is imported.
        from tuivirt.backend.model.console import ConsoleState

        gone = (ConsoleState.GUEST_OFF, ConsoleState.CLOSED)
        for session in self.sessions:
            here = self.fleet.domain(session.ref)
            if session.status.state not in gone or (here is not None and here.active):
                continue  # One that runs here has another reason to have no console.
            for name in self.hosts:
                there = session.ref._replace(host=name)
                domain = self.fleet.domain(there)
                if name != session.ref.host and domain is not None and domain.active:
                    session.follow(self.hosts[name], there)
                    self.say(f"{session.name} runs on {name} now; its console goes on there")
                    break

    def take_hosts(self, hosts: Mapping[str, Any]) -> None:
        """These are the hosts from now on.

        The console of one that was made anew waits for that one; that of one that is gone closes.
        """
        before, self.hosts = self.hosts, dict(hosts)
        shown = {name: host.snapshot for name, host in hosts.items()}
        self.fleet = replace(self.fleet, hosts=shown)
        for session in list(self.sessions):
            name = session.ref.host
            if name not in hosts:
                self.sessions.remove(session)
                session.close()
            elif hosts[name] is not before.get(name):
                session.follow(hosts[name], session.ref)

    def close_consoles(self) -> None:
        """The program ends: what is recorded is written out, and nothing is waited for."""
        for session in self.sessions:
            session.on_change = None
            session.stop_log()
            session.let_go()

    def on_unmount(self) -> None:
        # Not before: a terminal that is forgotten cannot be drawn once more.
        self.close_consoles()
        while self.sessions:
            self.sessions.pop().close()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A guest gets the program's own keys too."""
        if action == "leave" and self.screen_stack and isinstance(self.screen, FleetScreen):
            return not self.screen.takes_all_keys
        return super().check_action(action, parameters)
