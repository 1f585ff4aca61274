"""The words of the command line, as far as they are understood without a parser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

BUILT_IN = {
    "list": "list hosts, domains, networks, pools, volumes, devices or interfaces",
    "stats": "print live figures, a line (or table) with every tick",
    "log": "print what was recorded of a guest's console; no host need answer",
    "actions": "print every action: object, key, virsh equivalent, parameters",
}


_FLAGS = ("--readonly", "--demo", "--ascii", "--slow")


class ScreenOptions(NamedTuple):
    """How the screen is asked for."""

    connect: Sequence[str] = ()
    readonly: bool = False
    demo: bool = False
    ascii: bool = False
    slow: bool = False


WISHES = ScreenOptions._fields
"""What the parser calls them as well."""


def split(argv: Sequence[str]) -> tuple[list[str], str | None, list[str]]:
    """(options before the verb, the verb, what follows it)."""
    place = 0
    while place < len(argv):
        word = argv[place]
        if word in ("-c", "--connect"):
            place += 2
        elif word.startswith("-") and word != "-":
            place += 1
        else:
            return list(argv[:place]), word, list(argv[place + 1 :])
    return list(argv), None, []


def screen_options(words: Sequence[str]) -> ScreenOptions | None:
    """What ``words`` ask of the screen; None where the parser has to tell what they mean.

    To import argparse and make that parser takes 5 ms of the start and 0.9 MiB of memory.
    """
    connect: list[str] = []
    flags: dict[str, bool] = {}
    given = iter(words)
    for word in given:
        if word in ("-c", "--connect"):
            uri = next(given, "")
            if not uri.strip() or uri.startswith("-"):
                return None
            connect.append(uri)
        elif word in _FLAGS:
            flags[word[2:]] = True
        else:
            return None
    return ScreenOptions(connect, **flags)
