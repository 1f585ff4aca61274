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
"""From so many on their names are told before the rest is read: 10,000 take 2 to 3 s, and over a
line of 50 ms each takes a turn there and back."""


def volumes_to_choose(host: Host) -> tuple[Sequence[Volume], Mapping[str, str]]:
    """The volumes of a host's active pools, and by pool why others are not known.

    Fewer than MANY are read, those of the smaller pools first; of the others the names are told.
    """
    found: dict[str, Sequence[Volume]] = {}
    problems: dict[str, str] = {}
    pools = [pool for pool in host.snapshot.pools.values() if pool.active]
    for pool in pools:
        try:
            found[pool.uuid] = names(host, pool.uuid)
        except TuivirtError as error:
            problems[pool.name] = str(error)
    count = 0
    for pool in sorted(pools, key=lambda pool: len(found.get(pool.uuid, ()))):
        count += len(found.get(pool.uuid, ()))
        if count >= MANY:
            break
        if not found.get(pool.uuid):
            continue
        try:
            found[pool.uuid] = lookups.volumes(host, pool.uuid, None, True)
        except TuivirtError as error:
            del found[pool.uuid]
            problems[pool.name] = str(error)
    pools.sort(key=lambda pool: pool.name)
    return [volume for pool in pools for volume in found.get(pool.uuid, ())], problems
