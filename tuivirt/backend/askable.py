"""Which domains can be asked for figures, found out anew only when something about it changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .model.domain import Domain


class Askable:
    """The running domains of one connection."""

    def __init__(self) -> None:
        self.active: dict[str, int] = {}
        """By UUID: the run (libvirt's id) of each domain that runs; a new one when that changes."""
        self.uuids: list[str] = []
        """Those that can be asked; the same list until that changes."""
        self._complete: dict[str, int] = {}
        """By UUID: the run in which sizes and memory were once asked for."""
        self._fresh: frozenset[str] | None = None
        self._domains: Mapping[str, Domain] = {}
        self._handles: Mapping[str, Any] = {}
        self._avoid: frozenset[str] = frozenset()

    def update(
        self, domains: Mapping[str, Domain], handles: Mapping[str, Any], avoid: frozenset[str]
    ) -> None:
        """Take in what there is now; ``avoid`` are those that are not to be asked."""
        changed = handles is not self._handles or avoid != self._avoid
        if domains is not self._domains:
            changed = True
            self._domains = domains
            self.active = {u: d.id for u, d in domains.items() if d.id is not None}
            self._complete = {
                u: run for u, run in self._complete.items() if self.active.get(u) == run
            }
        if changed:
            self._handles, self._avoid = handles, avoid
            self.uuids = [u for u in self.active if u in handles and u not in avoid]
            self._fresh = None

    @property
    def fresh(self) -> frozenset[str]:
        """Those whose sizes and memory were not asked for in this run yet."""
        if self._fresh is None:
            self._fresh = frozenset(self.uuids).difference(self._complete)
        return self._fresh

    def complete(self, uuid: str, run: int) -> None:
        """Its sizes and memory are known."""
        if self._complete.get(uuid) != run:
            self._complete[uuid] = run
            self._fresh = None
