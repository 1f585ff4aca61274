"""Choosing another console to open: of this guest's other ports, or of another guest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuivirt.actions import consoles
from tuivirt.actions.errors import TuivirtError
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.widgets.menu import Choice, Menu
from tuivirt.widgets.text import natural

if TYPE_CHECKING:
    from .console import ConsoleScreen


class Another:
    """Asks which, once it is known which ports this guest has."""

    def __init__(self, screen: ConsoleScreen, focus: Ref) -> None:
        self._screen = screen
        self._focus = focus

    def ask(self) -> None:
        """Look the ports up, then ask."""
        self._screen.look_up(
            self._focus.host, consoles.ports, self._focus.key, then=self._ports_known
        )

    def _ports_known(self, answer: Any) -> None:
        # A guest whose ports are not known may still be left for another.
        ports = () if isinstance(answer, TuivirtError) else answer
        sessions = self._screen.sessions
        fleet = self._screen.fleet
        is_open = {(session.ref, session.device) for session in sessions}
        here = fleet.domain(self._focus)
        rows = [
            Choice(f"port {port.name}", f"{here.name if here else ''} {port.name}", note=port.model)
            for port in ports
            if (self._focus, port.name) not in is_open
        ]
        many = fleet.several
        domains = sorted(fleet.domains(), key=lambda each: natural(each.name))
        for domain in domains:
            if domain.ref != self._focus and domain.active:
                where = f"host {domain.ref.host}" if many else ""
                key = f"domain {domain.ref.host} {domain.ref.key}"
                rows.append(Choice(key, domain.name, note=where))
        if not rows:
            self._screen.say("there is no other console, and no other guest runs", "warning")
            return
        self._screen.app.push_screen(Menu("Another console", rows, search=True), self._chosen)

    def _chosen(self, choice: str | None) -> None:
        if choice is None:
            return
        kind, _, rest = choice.partition(" ")
        if kind == "port":
            self._screen.enter(self._focus, rest)
        else:
            host, _, key = rest.partition(" ")
            self._screen.enter(Ref(host, Kind.DOMAIN, key))
