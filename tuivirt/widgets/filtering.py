"""What ``/`` takes: a regular expression, ``!`` its inverse, and before it tags with ``#``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from tuivirt.backend.model.record import record


class BadFilter(ValueError):
    """The expression is not a regular expression; the text says where."""


@record(frozen=True, slots=True)
class Filter:
    """A compiled filter; ``expression`` is what was typed."""

    expression: str
    match: Callable[[str, Iterable[str]], bool]
    """Given the text that is searched and the tags."""


def parse_filter(expression: str) -> Filter | None:
    """The filter for what was typed after ``/``, or None when that is empty.

    Small letters match capital ones too, unless a capital letter was typed. Raises BadFilter.
    """
    if expression in ("", "!", "#", "!#"):
        return None
    if expression.startswith(("#", "!#")):
        return _of_tags(expression)
    inverse = expression[0] == "!"
    source = expression[1:] if inverse else expression
    try:
        pattern = re.compile(source, 0 if any(map(str.isupper, source)) else re.IGNORECASE)
    except re.error as error:
        raise BadFilter(f"/{expression} is not a regular expression: {error}") from error
    search = pattern.search
    if inverse:
        return Filter(expression, lambda text, _tags: search(text) is None)
    return Filter(expression, lambda text, _tags: search(text) is not None)


def _of_tags(expression: str) -> Filter:
    """``#web``, ``#web #prod`` for both, ``#web @srv1`` with an expression after them.

    An ``!`` before all of it shows the others.
    """
    inverse = expression[0] == "!"
    wanted = set()
    rest = expression.removeprefix("!")
    while rest.startswith("#"):
        word, _, rest = rest[1:].partition(" ")
        wanted.add(word.casefold())
        rest = rest.lstrip(" ")
    wanted.discard("")  # One that is still being typed.
    other = parse_filter(rest)

    def match(text: str, tags: Iterable[str]) -> bool:
        has = wanted <= {tag.casefold() for tag in tags} if wanted else True
        return (has and (other is None or other.match(text, tags))) is not inverse

    return Filter(expression, match)
