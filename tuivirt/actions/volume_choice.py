"""The volumes of a host, to choose from: thousands of them by their names alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.model.resources import Volume

from . import lookups
from .volumes import names

if TYPE_CHECKING:
    from tuivirt.backend.host import Host

MANY = 500
"""From so many of a pool on their names are told before the rest is read: 10,000 take 2 to 3 s."""


def volumes_to_choose(host: Host) -> tuple[Sequence[Volume], Mapping[str, str]]:
    """The volumes of a host's active pools, and by pool why others are not known."""
    found: list[Volume] = []
    problems: dict[str, str] = {}
    for pool in sorted(host.snapshot.pools.values(), key=lambda pool: pool.name):
        if not pool.active:
            continue
        try:
            named = names(host, pool.uuid)
            many = len(named) >= MANY
            found += named if many else lookups.volumes(host, pool.uuid, None, True)
        except TuivirtError as error:
            problems[pool.name] = str(error)
    return found, problems
