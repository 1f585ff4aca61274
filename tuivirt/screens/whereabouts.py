"""What is said of a domain that is not on its host any more."""

from __future__ import annotations

from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.ref import Ref


def where_it_went(ref: Ref, known: Domain | None, fleet: Fleet) -> str:
    """In a sentence or two; ``known``: as it was when it was there last."""
    name = known.name if known else ref.key
    below = " Below is what was known last." if known else ""
    host = fleet.hosts.get(ref.host)
    if host is None or host.link not in (Link.CONNECTED, Link.STALLED):
        return f"{ref.host} is not connected.{below}"
    there = [h for h in fleet.hosts.values() if h.link is Link.CONNECTED and ref.key in h.domains]
    # Where it runs is where it is; of one that is off an older copy may have been left anywhere.
    there.sort(key=lambda host: not host.domains[ref.key].active)
    if not there:
        return f"{name} is gone.{below}"
    now = there[0].domains[ref.key]
    if now.active:
        return f"{now.name} is on {there[0].name} now, and no longer on {ref.host}.{below}"
    return f"{name} is no longer on {ref.host}; {there[0].name} has it, off.{below}"
