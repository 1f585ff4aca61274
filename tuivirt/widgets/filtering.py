"""What ``/`` takes: a regular expression, ``!`` its inverse, and among its words #tag and @host."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from tuivirt.backend.model.record import record

_BARE = ("", "!", "#", "!#", "@", "!@")
"""Nothing yet, or the beginning of a word that is still being typed."""
_MARKED = ("#", "@", "!#", "!@")
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


def parse_filter(expression: str) -> Filter | None:
    """The filter for what was typed after ``/``, or None when that is empty.

    Small letters match capital ones too, unless a capital letter was typed. An ``!`` inverts what
    follows it up to the next one, so that ``!@srv1 !@srv2`` leaves both out. Raises BadFilter.
    """
    if expression in _BARE:
        return None
    if expression.startswith("!") and len(parts := _NEXT_INVERSE.split(expression)) > 1:
        each = [found.match for part in parts if (found := parse_filter(part)) is not None]
        return Filter(expression, lambda text, tags: all(match(text, tags) for match in each))
    inverse = expression[0] == "!"
    source = expression[1:] if inverse else expression
    if any(word.startswith(_MARKED) for word in source.split(" ")):
        match = _of_words(source)
    else:
        match = _of_text(source)
    if inverse:
        return Filter(expression, lambda text, tags: not match(text, tags))
    return Filter(expression, match)


def _pattern(source: str) -> re.Pattern[str]:
    try:
        return re.compile(source, 0 if any(map(str.isupper, source)) else re.IGNORECASE)
    except re.error as error:
        raise BadFilter(f"/{source} is not a regular expression: {error}") from error


def _of_text(source: str) -> Match:
    search = _pattern(source).search
    return lambda text, _tags: search(text) is not None


def _of_host(source: str) -> Match:
    """The whole name: ``@srv1`` is not srv10, and what a note says of a host counts for nothing."""
    fits = _pattern(source).fullmatch
    return lambda text, _tags: fits(text.rpartition(" @")[2]) is not None


def _of_words(source: str) -> Match:
    """``#web``, ``#web #prod`` for both, ``@srv1 nginx`` and ``nginx @srv1`` with an expression.

    A host is what the text ends with, ``@srv1``: each kind of row has it there. It is an expression
    too, for its whole name. An ``!`` at the beginning of such a word, or where no expression has
    begun yet, inverts all that follows.
    """
    wanted: set[str] = set()
    hosts: list[Match] = []
    words: list[str] = []
    other: Filter | None = None
    left = source.split(" ")
    while left:
        word = left[0]
        begun = any(words)
        if word.startswith(("!#", "!@") if begun else "!"):
            other = parse_filter(" ".join(left))
            break
        del left[0]
        if not word.startswith(_MARKED):
            words.append(word)
        elif word in _BARE:
            continue  # One that is still being typed.
        elif word[0] == "#":
            wanted.add(word[1:].casefold())
        else:
            hosts.append(_of_host(word[1:]))
    expression = " ".join(words).strip(" ")
    rest = [*hosts, *([_of_text(expression)] if expression else [])]
    if other is not None:
        rest.append(other.match)

    def match(text: str, tags: Iterable[str]) -> bool:
        if wanted and not wanted <= {tag.casefold() for tag in tags}:
            return False
        return all(each(text, tags) for each in rest)

    return match
