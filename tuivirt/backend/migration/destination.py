"""The host that a domain is moved to: one of this program's, or one that a URI names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import BadInput, TuivirtError
from ..inquiry import passed_on
from ..model.host import Link
from ..uri import shown

if TYPE_CHECKING:
    from ..host import Host

ANSWER_S = 30.0
"""How long a target may take to answer for the first time."""


@contextlib.contextmanager
def destination(source: Host, word: str) -> Iterator[Host]:
    """The host that ``word`` means: the name of one of this program's, or a URI.

    A host that is opened for it is closed again. Raises BadInput for one that is not known, or
    that is the source itself; TuivirtError when it does not answer.
    """
    host = known(source, word)
    if host is not None:
        host.wait_filled(ANSWER_S)
        yield host
        return
    if "://" not in word:
        names = ", ".join(sorted(each.name for each in source.started() if each is not source))
        raise BadInput(
            f"there is no host {word!r} to move to",
            f"there are {names}" if names else "no other host is open",
            "name one that was given with -c, or a URI",
        )
    from ..host import Host

    opened = Host(_name(word), word, publish=passed_on(source), sampling=False)
    opened.start(aside=True)
    try:
        opened.wait_filled(ANSWER_S)
        yield opened
    finally:
        opened.close()


def known(source: Host, word: str) -> Host | None:
    """The open host of that name or URI. Raises BadInput for the source itself."""
    named = [each for each in source.started() if word in (each.name, each.uri)]
    found = next((each for each in named if each is not source), None)
    if found is None and (named or shown(word) == source.uri):
        raise BadInput(f"{shown(word)} is the host that it is on already")
    return found


def others(source: Host) -> list[Host]:
    """The other hosts that are open, by name; of those that were lost as well."""
    gone = (Link.CLOSED, Link.FAILED)
    return sorted(
        (e for e in source.started() if e is not source and e.snapshot.link not in gone),
        key=lambda each: each.name,
    )


def offered(source: Host) -> list[tuple[str, str]]:
    """The other hosts by name, and what there is to say of each: its URI, its memory, its state."""
    found = []
    for each in others(source):
        now = each.snapshot
        words = [each.uri]
        if now.link is not Link.CONNECTED:
            words.append(str(now.link))
        if each.readonly:
            words.append("read-only")
        stats = now.stats
        if stats is not None and stats.memory_total_kib is not None:
            free = stats.memory_total_kib - (stats.memory_used_kib or 0)
            words.append(f"{free / (1 << 20):.1f} GiB free")
        found.append((each.name, ", ".join(words)))
    return found


def address_of(uri: str) -> str:
    """The host in a connection's URI; empty: a socket of this machine."""
    try:
        return urlsplit(uri).hostname or ""
    except ValueError as error:
        raise TuivirtError(f"{shown(uri)} is no URI", str(error)) from error


def _name(uri: str) -> str:
    return address_of(uri) or shown(uri)
