"""What speaks against giving a domain an image: who has it, and what snapshots keep, on all hosts.

Of the own host's running domains libvirt's own word is read just before (see disks.refuse_used).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..here import is_here
from ..model.finding import Finding, Weight
from .finder import Finder
from .usage import Usage, Use, risks, some

if TYPE_CHECKING:
    from ..host import Host

_LINKS = ("/dev/disk/by-path", "/dev/disk/by-id")
"""Where a device has the names that other machines have for it too."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a domain is to get."""

    uuid: str
    """The domain that would get it."""
    path: str
    """Where the image lies on the host, by the name that it was given; '' where nobody can tell."""
    pool: str = ""
    volume: str = ""
    reads_only: bool = False
    shareable: bool = False


def refuse_using(host: Host, wish: Wish, what: str, *, force: bool = False) -> None:
    """Raise BadInput where another has it, or a snapshot would be spoilt.

    A risk that ``force`` takes is none. Raises TuivirtError where the host cannot tell.
    """
    from ..images.judge import refuse_found

    # Alone, and not writing, there is nothing to be found that the host itself has not told.
    if wish.path and not (wish.reads_only and set(host.started()) <= {host}):
        refuse_found(_against(host, wish), what, force=force)


def _against(host: Host, wish: Wish) -> list[Finding]:
    finder = Finder(host, overlays=False)
    found = [
        finder.of(path, pool=wish.pool, volume=wish.volume) for path in _names(host, wish.path)
    ]
    uses = list(dict.fromkeys(use for usage in found for use in usage.domains))
    said = _against_users(wish, [use for use in uses if not _is_own(wish, use)])
    if wish.reads_only:
        # It spoils nothing of others, and an installer's disc is not held up by a host that is
        # away.
        return said
    return said + _against_spoiling(wish, uses) + risks(_away(found))


def _names(host: Host, path: str) -> list[str]:
    """Of a device of this machine all that others may know it by; its own name comes first."""
    if not path.startswith("/dev/") or not is_here(host):
        return [path]
    real = os.path.realpath(path)
    links = [str(link) for folder in _LINKS for link in sorted(Path(folder).glob("*"))]
    return list(dict.fromkeys([path, *(each for each in links if os.path.realpath(each) == real)]))


def _away(found: Iterable[Usage]) -> list[str]:
    """Once for each host: it is not asked by one name only."""
    first: dict[str, str] = {}
    for usage in found:
        for said in usage.away:
            first.setdefault(said.partition(":")[0], said)
    return list(first.values())


def _is_own(wish: Wish, use: Use) -> bool:
    return use.uuid == wish.uuid and not use.host


def _against_users(wish: Wish, others: list[Use]) -> list[Finding]:
    """Those that run, wherever; and of those that are off what other machines have.

    On one machine QEMU's lock keeps two from running with one image. That of a file on a server
    may hold as far as its mounts do, and that of a block device holds on its own machine alone.
    No lock keeps what lies on an image from being spoilt while it is off, nor is that needed where
    the domain itself was moved from that machine.
    """
    having = [use for use in others if not use.snapshot and not _agree(wish, use)]
    runs = [use for use in having if use.running]
    away = [use for use in having if use.host and use.uuid != wish.uuid]
    off = [use for use in having if not use.running and (use.below or use in away)]
    said = []
    for weight, uses, how in (
        (Weight.REFUSED, [use for use in runs if not use.below], "is in use by"),
        (Weight.REFUSED, [use for use in runs if use.below], "lies below"),
        (Weight.RISK, [use for use in off if not use.below], "is"),
        (Weight.RISK, [use for use in off if use.below], "lies below"),
    ):
        if uses:
            names = ", ".join(some(use.phrase for use in uses))
            advice = _BELOW if uses[0].below else _SHARED
            said.append(Finding(weight, f"{wish.path} {how} {names}", advice))
    return said


_SHARED = (
    "two guests that write to one disk destroy it; mark it shareable in both (--mode shareable)"
    " if they can"
)
_BELOW = "writing to it destroys that disk; attach it read-only (--mode readonly), or a copy of it"


def _agree(wish: Wish, use: Use) -> bool:
    return (use.shareable and wish.shareable) or (use.reads_only and wish.reads_only)


def _against_spoiling(wish: Wish, uses: list[Use]) -> list[Finding]:
    kept = [use for use in uses if use.frozen]
    own = [use for use in kept if _is_own(wish, use)]
    others = [use for use in kept if use not in own]
    # A domain that has it anyway may have been given it past its snapshots, as by a block commit
    # of another program, which leaves their records as they were.
    found = [(Weight.REFUSED, others), (Weight.RISK, own)]
    return [_spoilt(weight, uses, wish.path) for weight, uses in found if uses]


def _spoilt(weight: Weight, uses: list[Use], path: str) -> Finding:
    names = some(use.said for use in uses)
    return Finding(
        weight,
        f"{', '.join(names)} {'keeps' if len(uses) == 1 else 'keep'} {path}: once it is written "
        "to, there is no going back to it",
        "attach it read-only (--mode readonly), or a copy of it; "
        f"{uses[0].letting_go} lets go of it",
    )
