"""Lists in sentences: so many of their words are said, and the rest is counted."""

from __future__ import annotations

from collections.abc import Iterable


def at_most(most: int, words: Iterable[str], *, before: str = "", after: str = "") -> list[str]:
    """Each word once, or so many and then how many more there are, as in ``4 more``.

    Of a single one too many its name is no longer than that.
    """
    said = list(dict.fromkeys(words))
    rest = len(said) - most
    return [*said[:most], f"{before}{rest} more{after}"] if rest > 1 else said
