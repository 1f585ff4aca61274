"""Where a command after ``:`` leads: a room, a host in it, a filter, or an action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tuivirt.actions.catalog import find_action
from tuivirt.backend.model.ref import Ref
from tuivirt.settings import Settings

from .base import FleetScreen
from .rooms import ROOMS, find_room
from .wishes import Wishes

SLOW = ("on", "off")
"""What may follow ``:slow``."""


class Traveller(Protocol):
    """The app, as far as going needs it."""

    settings: Settings
    slow: bool

    @property
    def host_names(self) -> Sequence[str]: ...

    def say(self, text: str, severity: str = "information") -> None: ...

    def enter(self, where: str) -> FleetScreen: ...

    def front_targets(self) -> tuple[Ref, ...]: ...

    def action_leave(self) -> None: ...


class Ways:
    """Understands what was typed after ``:``."""

    def __init__(self, app: Traveller, wishes: Wishes) -> None:
        self._app = app
        self.wishes = wishes

    def go(self, command: str) -> None:
        """``:dom``, ``:dom /web``, ``:dom @host2``, ``:start``, ``:q``."""
        word, _, rest = command.strip().partition(" ")
        if not word:
            return
        if word in ("q", "quit", "exit"):
            if rest.strip():
                self._app.say(f"nothing was done: :{word} takes no words", "warning")
            else:
                self._app.action_leave()
            return
        if word == "group":
            self._group(rest.strip())
            return
        if word == "slow":
            from .looks import turn_slow

            turn_slow(self._app, rest.strip())
            return
        room = find_room(word.lower())
        if room is None:
            action = find_action(word)
            if rest.strip() and action is not None:
                # Who types a name after it means that one, and not the one under the cursor.
                by = "asks in its form" if action.new else "goes by the marks or the cursor"
                self._app.say(f"nothing was done: :{word} takes no words, it {by}", "warning")
            elif not self.wishes.act_by_name(word, self._app.front_targets()):
                self._app.say(f"there is no “{word}”; tab after : shows what there is", "warning")
            return
        screen = self._app.enter(room.where)
        if rest.strip():
            screen.when_there(lambda: self._narrow(screen, rest.strip()))
        elif room is ROOMS[0]:
            screen.only_host(None)

    def _group(self, by: str) -> None:
        """``:group tag``: the domains below the names of their tags."""
        from .domain_groups import WAYS
        from .domains import DomainsScreen

        if by not in WAYS:
            self._app.say(f"group by one of {', '.join(WAYS)}", "warning")
            return
        screen = self._app.enter(ROOMS[0].where)
        assert isinstance(screen, DomainsScreen)
        screen.when_there(lambda: screen.group_by(by))

    def _narrow(self, screen: FleetScreen, rest: str) -> None:
        """``/expression`` filters, ``@host`` shows one host, a bare word filters too."""
        if rest.startswith("@"):
            name, _, rest = rest[1:].partition(" ")
            if name and name not in self._app.host_names:
                self._app.say(
                    f"there is no host {name}; there are {', '.join(self._app.host_names)}",
                    "warning",
                )
                return
            screen.only_host(name or None)
        wrong = screen.set_filter(rest.removeprefix("/")) if rest else ""
        if wrong:
            self._app.say(wrong, "warning")

    def words_for(self, begun: str) -> list[str]:
        """What ``begun``, typed after ``:``, could become."""
        if " @" in begun:
            if find_room(begun.partition(" ")[0].lower()) is None:
                return []
            head, _, name = begun.rpartition(" @")
            return [f"{head} @{host}" for host in self._app.host_names if host.startswith(name)]
        if begun.startswith("group "):
            from .domain_groups import WAYS

            return [word for way in WAYS if (word := f"group {way}").startswith(begun)]
        if begun.startswith("slow "):
            return [word for way in SLOW if (word := f"slow {way}").startswith(begun)]
        if not begun:
            return [room.word for room in ROOMS]
        words = [room.word for room in ROOMS]
        words += [alias for room in ROOMS for alias in room.aliases if len(alias) > 2]
        words += ["group ", "slow ", *self.wishes.names()]
        return [word for word in words if word.startswith(begun) and word != begun]
