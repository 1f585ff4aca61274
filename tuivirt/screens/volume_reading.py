"""What is known of a pool's volumes: their names at once, then those in view, then all of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable
from typing import Any

from tuivirt.actions import lookups, volumes
from tuivirt.actions.volume_choice import MANY
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.ref import Ref
from tuivirt.backend.model.resources import Volume

from .base import FleetScreen
from .volume_menu import Changes


def row_key(pool: Ref, volume: Volume) -> Hashable:
    """A row's: libvirt may know one piece of storage in two pools."""
    return pool, volume.ref


class Reading:
    """The volumes of one pool as rows, read again after something was done to it.

    A section of a table. Thousands take seconds to read: what changes meanwhile is read once
    more, after them.
    """

    def __init__(self, screen: FleetScreen, pool: Ref, changed: Callable[[Reading], None]) -> None:
        """``changed`` is told of other rows, and of the end of a reading."""
        self.pool = pool
        self.rows: dict[Hashable, Volume] = {}
        self.asking = False
        """Their names, or all of them, are being read."""
        self.named = False
        """Their names were asked for: of many they are there."""
        self.wanted = False
        """They are to be read."""
        self.read_once = False
        """All have been read: there are no others."""
        self.failure: Any = None
        """Why they could not be read the last time."""
        self._screen = screen
        self._changed = changed
        self._changes = Changes()
        self._seen: set[str] = set()
        self._came: set[Hashable] = set()
        self._went: set[Hashable] = set()
        self._away = False
        """The line to the host was broken since they were read last."""
        self._holding = False
        """Their names are there, and what is in view comes before all of them."""
        self._some_asked = False
        self._some_next: list[str] = []
        """What came into view while others were asked for."""

    def follow(self, fleet: Fleet) -> None:
        """See whether they are to be read again."""
        host = fleet.hosts.get(self.pool.host)
        if host is None or host.link is not Link.CONNECTED:
            self._away = True
        if self.asking:
            return
        if self._changes.are_new(fleet, self.pool):
            self.wanted = True
        if self._away and host is not None and host.link is Link.CONNECTED:
            # A pool that did not change while the line was broken is no news.
            self._away = False
            self.wanted = self.wanted or self.failure is not None

    def forget(self) -> None:
        """They are to be read again in any case."""
        self._changes.forget()

    def go_on(self) -> None:
        """Ask for what comes next: of many the names, at once, then all of them.

        One call at a time: a pool that hangs is to keep one of the host's look-ups, not all. What
        is in view is asked for beside the last one, of a pool that has answered for it before.
        """
        self.asking = True
        if not self.named:
            self._look_up(volumes.names, then=self._show_names)
            return
        self.wanted = False
        self._look_up(lookups.volumes, None, True, then=self._show_all)

    def read_some(self, names: Collection[str]) -> None:
        """Read these, which are in view, once, as long as all are being read."""
        new = [name for name in names if name not in self._seen]
        self._seen.update(new)
        self._some_next += new
        self._ask_some()

    def _ask_some(self) -> None:
        if self._some_next and not self._some_asked and not self.read_once:
            new, self._some_next, self._some_asked = self._some_next, [], True
            where, pool = self.pool.host, self.pool
            # Only of a pool that has answered for some before is there one beside that of all.
            beside = self.asking and not self._holding
            self._screen.look_up(
                where,
                volumes.some,
                pool.key,
                new,
                then=self._show_some,
                alone=("in view", pool) if beside else pool,
            )

    def take(self) -> tuple[Collection[Hashable], Collection[Hashable]]:
        """The keys of the rows that changed, and of those that went, since this was asked."""
        taken = self._came, self._went
        self._came, self._went = set(), set()
        return taken

    def _look_up(
        self, function: Callable[..., Any], *args: Any, then: Callable[[Any], None]
    ) -> None:
        where, pool = self.pool.host, self.pool
        self._screen.look_up(where, function, pool.key, *args, then=then, alone=pool)

    def _show_names(self, answer: Any) -> None:
        if not isinstance(answer, tuple):
            self.asking = False
            self._fail(answer)
            return
        self.named = True
        if len(answer) < MANY:
            self.asking = False
            self._put(())
            return
        self._holding = True
        self._put(answer)
        # Behind what asks for those in view.
        self._screen.call_after_refresh(self._let_go)

    def _let_go(self) -> None:
        """Go on with all, once the pool has answered for those in view, if any are."""
        if self._holding and not self._some_asked:
            self._holding = self.asking = False
            self._changed(self)

    def _show_some(self, answer: Any) -> None:
        self._some_asked = False
        # Of a reading that has ended meanwhile more is known by now.
        if isinstance(answer, tuple) and not self.read_once:
            self._put(answer)
        self._let_go()
        self._ask_some()

    def _show_all(self, answer: Any) -> None:
        self.asking = False
        if not isinstance(answer, tuple):
            self._fail(answer)
            return
        self.failure = None
        self.read_once = True
        gone = self.rows.keys() - {row_key(self.pool, each) for each in answer}
        for key in gone:
            del self.rows[key]
        self._came -= gone
        self._went |= gone
        self._put(answer)
        if answer:
            self._look_up(volumes.with_halves, answer, then=self._show_halves)

    def _fail(self, why: Any) -> None:
        self.failure, self.wanted = why, False
        self._changed(self)

    def _show_halves(self, answer: Any) -> None:
        """What was uploaded in part stands out; it is known a moment after the rest."""
        if isinstance(answer, tuple) and answer and not self.asking:
            self._put(answer)

    def _put(self, found: Iterable[Volume]) -> None:
        for volume in found:
            key = row_key(self.pool, volume)
            if self.rows.get(key) != volume:
                self.rows[key] = volume
                self._came.add(key)
                self._went.discard(key)
        self._changed(self)
