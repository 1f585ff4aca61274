"""Which guests answer the daemon, as far as the bulk stats' records tell.

A NOWAIT call never waits for a guest whose job lock another call holds; its record then lacks
all that the guest's monitor would have said. Once is a guest that was busy. For longer than the
limit it is one that does not answer, whoever holds it: us, another client, or a long job.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import libvirt

from .model.domain import Domain

_BALLOON = libvirt.VIR_DOMAIN_STATS_BALLOON
_BLOCK = libvirt.VIR_DOMAIN_STATS_BLOCK


def answered(record: Mapping[str, Any], groups: int) -> bool | None:
    """Whether the guest's monitor was heard; None when the record cannot tell."""
    if groups & _BALLOON:
        return "balloon.rss" in record
    if groups & _BLOCK and record.get("block.count"):
        return "block.0.rd.bytes" in record or any(
            f"block.{n}.rd.bytes" in record for n in range(1, record["block.count"])
        )
    return None


class Silence:
    """Guests that were asked and did not answer, since when, and which of them were told of."""

    def __init__(self, limit_s: float, expected: bool, domains: Mapping[str, Domain]) -> None:
        """Those of ``domains`` that are told to be silent are so until they are heard.

        On a connection that follows another nobody else would tell that they answer again.
        """
        self._limit_s = limit_s
        self._expected = expected
        """Every guest is expected to answer; else only one that did so before."""
        self._heard: dict[str, int] = {}
        since = {uuid: each.stalled_since for uuid, each in domains.items()}
        self._since = {uuid: at for uuid, at in since.items() if at is not None}
        self._told = set(self._since)
        self._active: Mapping[str, Any] | None = None
        """Those that were active when it was last looked who is not any more."""

    @property
    def silent(self) -> frozenset[str]:
        """The UUIDs of those that did not answer the last time."""
        return frozenset(self._since)

    def note(self, uuid: str, run: int, record: Mapping[str, Any], groups: int, at: float) -> None:
        """Take in a record of a domain: ``run`` is its id, ``at`` monotonic seconds."""
        heard = answered(record, groups)
        if heard:
            if self._heard.get(uuid) != run:
                self._heard[uuid] = run
            if self._since:
                self._since.pop(uuid, None)
        elif heard is False and (self._expected or self._heard.get(uuid) == run):
            self._since.setdefault(uuid, at)

    def changes(self, now: float, active: Mapping[str, Any]) -> dict[str, float | None]:
        """What is to be told: since when a guest is silent, or None that it is no more.

        ``active`` are all that run; another mapping when there is any change in it.
        """
        if active is not self._active:
            self._active = active
            for known in (self._since, self._heard):
                for uuid in known.keys() - active.keys():
                    del known[uuid]
        if not self._since and not self._told:
            return {}
        news: dict[str, float | None] = {}
        for uuid in self._told - self._since.keys():
            self._told.discard(uuid)
            news[uuid] = None
        for uuid, since in self._since.items():
            if uuid not in self._told and now - since >= self._limit_s:
                self._told.add(uuid)
                news[uuid] = since
        return news
