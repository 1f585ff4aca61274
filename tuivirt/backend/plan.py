"""What the sampler asks in a tick: everything for what is in view, the rest in turn.

The bulk call is not free on the daemon: it asks each QEMU's monitor in turn (100 domains, six
groups: 784 ms of wall, 189 ms of CPU; state and CPU alone 152 and 30 ms). So what is out of
view is stretched until the daemon works for us no more than the budget's part of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import libvirt

from .model.record import record
from .rates import BALLOON_PERIOD_S

CHEAP = libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
"""The least that shows anything; the CPU figures ask the monitor too, since QEMU 7.1.

Not the states: those come by events.
"""
DEAR = CHEAP | libvirt.VIR_DOMAIN_STATS_BLOCK | libvirt.VIR_DOMAIN_STATS_INTERFACE
BALLOON = libvirt.VIR_DOMAIN_STATS_BALLOON
VCPU = libvirt.VIR_DOMAIN_STATS_VCPU

BUDGET = 0.25
"""The part of the time in which the daemon may work for us."""

BALLOON_EVERY_S = BALLOON_PERIOD_S
"""A guest's driver tells its memory no more often than this, so asking sooner gains nothing."""
HIDDEN_CPU_TICKS = 5
HIDDEN_ALL_TICKS = 10
"""Out of view, asking more often than this shows nobody anything, however small the host."""


@record(frozen=True, slots=True)
class Ask:
    """One bulk call: these domains, these groups of figures."""

    uuids: tuple[str, ...]
    groups: int

    @property
    def dear(self) -> bool:
        """Whether it asks for more than the cheap groups."""
        return bool(self.groups & ~CHEAP)


@dataclass(slots=True)
class _Cost:
    """The daemon's wall seconds for one domain, a moving mean of what was measured."""

    per_domain: float

    def learn(self, seconds: float, domains: int) -> None:
        if domains:
            self.per_domain += 0.3 * (seconds / domains - self.per_domain)


@dataclass(slots=True)
class Planner:
    """Remembers whose turn it is and what the calls cost."""

    interval: float = 2.0
    budget: float = BUDGET
    dear: _Cost = field(default_factory=lambda: _Cost(0.008))
    cheap: _Cost = field(default_factory=lambda: _Cost(0.0015))
    share: float = 0.0
    background_age_s: float = 0.0
    _order: list[str] = field(default_factory=list)
    _cheap_turn: int = 0
    _dear_turn: int = 0
    _view_turn: int = 0
    _balloon_in: int = 0
    _passed: dict[str, int] = field(default_factory=dict)
    """How often each was asked for its figures since it was asked for its memory."""
    _ordered: object = None
    """The list of domains after which the order was made."""
    _split_by: tuple[object, frozenset[str], str | None] = (None, frozenset(), None)
    """Order, view and focus after which the order was split into these two."""
    _shown: list[str] = field(default_factory=list)
    _hidden: list[str] = field(default_factory=list)

    def plan(
        self,
        active: Sequence[str],
        view: frozenset[str],
        focus: str | None,
        fresh: frozenset[str],
    ) -> list[Ask]:
        """The bulk calls of one tick, at most two.

        ``active`` are the UUIDs of all domains to be asked, the same list for as long as nothing
        changes in it, ``fresh`` those whose sizes or memory are not known yet.
        """
        self._keep_order(active, view, focus)
        shown, hidden = self._shown, self._hidden
        seconds = self.budget * self.interval
        dear: list[str] = []
        focused = focus is not None and focus in active
        if focus is not None and focused:
            dear.append(focus)
        turns = self._turns(len(shown) * self.dear.per_domain, seconds)
        self._view_turn += 1
        dear += shown[self._view_turn % turns :: turns]
        left = max(0.0, seconds - len(dear) * self.dear.per_domain)

        # First the CPU of all others, then, with what is left, the dear figures of some.
        cheap: list[str] = []
        if self._view_turn % HIDDEN_CPU_TICKS == 1:
            # All in one call rather than a part with each tick: a call costs too.
            chosen = set(dear)
            others = [u for u in self._order if u not in chosen]
            cheap = self._in_turn(others, int(0.7 * left / self.cheap.per_domain), "_cheap_turn")
            left = max(0.0, left - len(cheap) * self.cheap.per_domain)
        background = self._in_turn(
            hidden,
            min(int(left / self.dear.per_domain), -(-len(hidden) // HIDDEN_ALL_TICKS)),
            "_dear_turn",
        )
        self.background_age_s = (
            self.interval * -(-len(hidden) // len(background)) if background else 0.0
        )
        dear += background
        cheap = [u for u in cheap if u not in background]

        asks = []
        if dear:
            groups = DEAR
            unknown = bool(fresh) and not fresh.isdisjoint(dear)
            if focused or unknown:
                groups |= VCPU
            # Those that are asked with every tick are there whenever its turn comes.
            by_turns = background if turns == 1 else dear
            if self._is_memorys_turn(by_turns) or unknown or focused:
                groups |= BALLOON
            self._note(by_turns, bool(groups & BALLOON))
            asks.append(Ask(tuple(dear), groups))
        if cheap:
            asks.append(Ask(tuple(cheap), CHEAP))
        return asks

    def expected(self, ask: Ask) -> float:
        """Wall seconds that a call is expected to take at the daemon."""
        return (self.dear if ask.dear else self.cheap).per_domain * len(ask.uuids)

    def learn(self, ask: Ask, seconds: float, answered: int) -> None:
        """Take in what a call cost: wall seconds without the line's own delay."""
        (self.dear if ask.dear else self.cheap).learn(seconds, answered)

    def spent(self, seconds: float) -> None:
        """Take in what all calls of a tick cost together."""
        self.share += 0.3 * (seconds / self.interval - self.share)

    @staticmethod
    def _turns(cost: float, seconds: float) -> int:
        """Over how many ticks the view is spread when even it is beyond the budget: at most 4."""
        return min(4, max(1, round(cost / seconds + 0.25))) if seconds > 0 else 4

    def _is_memorys_turn(self, dear: Sequence[str]) -> bool:
        """Whether the balloon's time has come, or one of these was passed over too often.

        It comes every so many ticks, and so do those out of view: of them half might never meet.
        """
        ticks = max(1, round(BALLOON_EVERY_S / self.interval))
        self._balloon_in -= 1
        if self._balloon_in > 0 and all(self._passed.get(u, 0) < ticks for u in dear):
            return False
        self._balloon_in = ticks
        return True

    def _note(self, dear: Sequence[str], memory: bool) -> None:
        """That these are asked for their figures, and whether for their memory too."""
        passed = self._passed
        for uuid in dear:
            if not memory:
                passed[uuid] = passed.get(uuid, 0) + 1
            elif uuid in passed:
                del passed[uuid]

    def _keep_order(self, active: Sequence[str], view: frozenset[str], focus: str | None) -> None:
        """Whose turn comes when. To go through a thousand names a tick would cost the more for
        their not having been touched for seconds."""
        if active is not self._ordered:
            self._ordered = active
            everything = set(active)
            kept = [u for u in self._order if u in everything]
            self._order = kept + sorted(everything.difference(kept))
            self._passed = {u: n for u, n in self._passed.items() if u in everything}
        if self._split_by != (self._order, view, focus):
            self._split_by = (self._order, view, focus)
            self._shown = [u for u in self._order if u in view and u != focus]
            self._hidden = [u for u in self._order if u not in view and u != focus]

    def _in_turn(self, uuids: Sequence[str], count: int, turn: str) -> list[str]:
        """The next ``count`` (at least one) of ``uuids``, going round."""
        if not uuids:
            return []
        count = min(len(uuids), max(1, count))
        start = getattr(self, turn) % len(uuids)
        setattr(self, turn, start + count)
        return [uuids[(start + n) % len(uuids)] for n in range(count)]
