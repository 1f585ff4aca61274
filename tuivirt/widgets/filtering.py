"""What ``/`` takes: a regular expression, ``!`` its inverse, ``#`` a tag."""

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
    if expression in ("", "!", "#"):
        return None
    if expression[0] == "#":
        tag = expression[1:].casefold()
        return Filter(expression, lambda _text, tags: any(t.casefold() == tag for t in tags))
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
