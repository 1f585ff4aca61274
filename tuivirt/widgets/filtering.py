"""What ``/`` takes: a regular expression, ``!`` its inverse, and among its words #tag and @host."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from tuivirt.backend.model.record import record

_BARE = ("", "!", "#", "!#", "@", "!@")
"""Nothing yet, or the beginning of a word that is still being typed."""
_MARKED = ("#", "@")
"""How a word begins that is no part of the expression."""

_NEXT_INVERSE = re.compile(" +(?=!)")

Match = Callable[[str, Iterable[str]], bool]
"""Given the text that is searched and the tags."""


class BadFilter(ValueError):
    """The expression is not a regular expression; the text says where."""


@record(frozen=True, slots=True)
class Filter:
    """A compiled filter; ``expression`` is what was typed."""

    expression: str
    match: Match


def parse_filter(expression: str, *, typing: bool = False) -> Filter | None:
    """The filter for what was typed after ``/``, or None when that is empty.

    Small letters match capital ones too, unless a capital letter was typed. An ``!`` at the
    beginning of a word inverts what follows it up to the next one, so that ``!@srv1 !@srv2``
    leaves both out. ``typing``: of a host that it ends with, the beginning will do. Raises
    BadFilter.
    """
    if expression in _BARE:
        return None
    *before, last = _NEXT_INVERSE.split(expression)
    each = [_of_part(part) for part in before if part not in _BARE]
    if last not in _BARE:
        each.append(_of_part(last, typing))
    if len(each) == 1:
        return Filter(expression, each[0])
    return Filter(expression, lambda text, tags: all(match(text, tags) for match in each))


def _of_part(part: str, typing: bool = False) -> Match:
    """What stands between two ``!``, with its own."""
    inverse = part[0] == "!"
    source = part[1:] if inverse else part
    if any(word.startswith(_MARKED) for word in source.split(" ")):
        match = _of_words(source, typing)
    else:
        match = _of_text(source)
    return (lambda text, tags: not match(text, tags)) if inverse else match


def _pattern(source: str) -> re.Pattern[str]:
    try:
        return re.compile(source, 0 if any(map(str.isupper, source)) else re.IGNORECASE)
    except re.error as error:
        short = f"{source[:19]}…" if len(source) > 20 else source
        raise BadFilter(f"/{short} is not a regular expression: {error}") from error


def _of_text(source: str) -> Match:
    search = _pattern(source).search
    return lambda text, _tags: search(text) is not None


def _of_host(source: str, typing: bool) -> Match:
    """The whole name: ``@srv1`` is not srv10, and what a note says of a host counts for nothing.

    It stands at the end of what is searched. Where there is none, the ``@`` is one like others.
    """
    pattern = _pattern(source)
    fits = pattern.match if typing else pattern.fullmatch
    anywhere = _pattern(f"@{source}").search

    def match(text: str, _tags: Iterable[str]) -> bool:
        _, at, host = text.rpartition(" @")
        return (fits(host) if at and " " not in host else anywhere(text)) is not None

    return match


def _of_words(source: str, typing: bool) -> Match:
    """``#web``, ``#web #prod`` for both, ``@srv1 nginx`` and ``nginx @srv1`` with an expression.

    A host is an expression too, for its whole name.
    """
    wanted: set[str] = set()
    rest: list[Match] = []
    words: list[str] = []
    *before, last = source.split(" ")
    for word, is_begun in [*((word, False) for word in before), (last, typing)]:
        if not word.startswith(_MARKED):
            words.append(word)
        elif word in _BARE:
            continue  # One that is still being typed.
        elif word[0] == "#":
            wanted.add(word[1:].casefold())
        else:
            rest.append(_of_host(word[1:], is_begun))
    expression = " ".join(words).strip(" ")
    if expression:
        rest.append(_of_text(expression))

    def match(text: str, tags: Iterable[str]) -> bool:
        if wanted and not wanted <= {tag.casefold() for tag in tags}:
            return False
        return all(each(text, tags) for each in rest)

    return match
