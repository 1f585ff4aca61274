"""Text that is safe to draw, cut to a width in cells, and figures that do not jump.

Names, descriptions and log lines come from guests and from other hosts: whatever they hold, the
operator's terminal must draw it and never interpret it.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

UNKNOWN = "?"
"""A figure that ought to be there and is not known (yet)."""
NONE = "–"
"""A figure that does not exist here: the rate of a guest that is off, a rate of nothing."""

_MARKS = "·×–…‹›←↑→↓↯↻⏎─│└├┤▁▂▃▄▅▆▇█▉▊▋▌▍▎▏░■▲▸▼▾◆●◦♪⚠✓✗“”"
_NARROW = frozenset((*map(chr, range(0x20, 0x7F)), *_MARKS))
"""One cell each. Rich looks that up in a table that takes 0.4 MiB, which only other texts need."""

_HIDDEN = "·"
"""Stands for a character that draws nothing itself, or that would turn the text around."""


_spelled: dict[int, str] = {}


def spell_out(on: bool) -> None:
    """Write marks that ASCII has no one character for in several (the others: widgets.ascii)."""
    global _spelled
    _spelled = {ord("⏎"): "enter", ord("…"): "..."} if on else {}
    _plain.cache_clear()


def _harmless(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    category = unicodedata.category(char)
    if category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return _HIDDEN
    if category == "Zs" and char != " ":
        return " "
    return char


def plain(text: str) -> str:
    """``text`` with every control, escape, bidirectional and invisible character made visible.

    Control characters become their pictures (␛, ␊), format characters and unassigned ones a
    middle dot, odd spaces a space. A combining mark with nothing to stand on is dropped to a dot
    as well, so that it cannot climb onto a neighbouring cell.
    """
    if text.isascii() and text.isprintable():
        return text
    return _plain(text)


@lru_cache(4096)
def _plain(text: str) -> str:
    shown = "".join(map(_harmless, text))
    if shown and unicodedata.combining(shown[0]):
        shown = _HIDDEN + shown[1:]
    return shown.translate(_spelled) if _spelled else shown


def width_of(text: str) -> int:
    """How many cells ``text`` takes; ``text`` is plain already."""
    return len(text) if text.isascii() or _NARROW.issuperset(text) else cell_len(text)


def fit(text: str, width: int, align: str = "left", *, pad: bool = True) -> str:
    """``text`` made plain and exactly ``width`` cells wide, cut with … where it is longer.

    ``align`` is left, right or center. With ``pad=False`` a short text stays short.
    """
    if width <= 0:
        return ""
    text = plain(text)
    taken = width_of(text)
    if taken > width:
        return set_cell_size(text, width - 1) + "…" if width > 1 else "…"
    if taken == width or not pad:
        return text
    if align == "right":
        return " " * (width - taken) + text
    if align == "center":
        left = (width - taken) // 2
        return " " * left + text + " " * (width - taken - left)
    return text + " " * (width - taken)


def chars_within(text: str, width: int) -> int:
    """How many characters of ``text`` fit into ``width`` cells."""
    for number, char in enumerate(text):
        width -= width_of(char)
        if width < 0:
            return number
    return len(text)


def wrap_text(text: str, width: int) -> list[str]:
    """``text``, made plain, in lines of at most ``width`` cells; its own line ends hold."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in plain(paragraph).split(" "):
            while len(word) > 1 and width_of(word) > width:
                if line:
                    lines.append(line)
                    line = ""
                # A character that is wider than the line stands on a line of its own.
                head = word[: max(1, chars_within(word, width))]
                lines.append(head)
                word = word[len(head) :]
            if line and width_of(line) + 1 + width_of(word) > width:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        lines.append(line)
    return lines


def number(value: float) -> str:
    """At most three digits and, under ten, one decimal: ``0``, ``1.9``, ``12``, ``300``."""
    if value < 9.95 and value >= 0.05:
        text = f"{value:.1f}"
        return text[:-2] if text.endswith(".0") else text
    return f"{value:.0f}"


_STEPS = ("", "k", "M", "G", "T", "P", "E")


def _scaled(value: float, base: float) -> tuple[str, str]:
    step = 0
    while value >= 999.5 and step < len(_STEPS) - 1:
        value /= base
        step += 1
    return number(value), _STEPS[step]


def rate(bytes_per_s: float | None, *, off: bool = False) -> str:
    """Bytes per second as in ``12 M/s``; less than one is –, unknown is ?.

    ``off`` says that there can be no rate (the guest does not run).
    """
    if off:
        return NONE
    if bytes_per_s is None:
        return UNKNOWN
    if bytes_per_s < 1:
        return NONE
    figure, step = _scaled(bytes_per_s, 1000)
    return f"{figure} {step or 'B'}/s"


def per_second(count: float | None) -> str:
    """Events per second as in ``412/s`` or ``1.9 k/s``."""
    if count is None:
        return UNKNOWN
    figure, step = _scaled(count, 1000)
    return f"{figure} {step}/s" if step else f"{figure}/s"


def size(kib: float | None) -> str:
    """KiB as in ``512 M`` or ``1.9 G`` (binary steps)."""
    if kib is None:
        return UNKNOWN
    figure, step = _scaled(kib * 1024, 1024)
    return f"{figure} {step or 'B'}"


def size_bytes(count: float | None) -> str:
    """Bytes as in ``512 M`` (binary steps)."""
    return size(None if count is None else count / 1024)


def share(used_kib: float | None, total_kib: float | None) -> str:
    """Used of total in one unit, as in ``1.9/4 G``; an unknown half is ?."""
    if total_kib is None:
        return UNKNOWN if used_kib is None else f"{size(used_kib).replace(' ', f'/{UNKNOWN} ')}"
    figure, step = _scaled(total_kib * 1024, 1024)
    unit = 1024 ** _STEPS.index(step)
    used = UNKNOWN if used_kib is None else number(used_kib * 1024 / unit)
    return f"{used}/{figure} {step or 'B'}"


def percent(value: float | None) -> str:
    """A rounded figure without its sign, as in ``83``; the column's title says %."""
    return UNKNOWN if value is None else f"{value:.0f}"


def age(seconds: float) -> str:
    """A span of time in at most two units: ``41 s``, ``3 min``, ``4 h``, ``12 d 4 h``."""
    whole = int(max(0.0, seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h"
    hours = whole % 86400 // 3600
    return f"{whole // 86400} d {hours} h" if hours else f"{whole // 86400} d"


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """A sort key by which ``web-2`` comes before ``web-10``, capital letters as small ones."""
    return _natural(text)


@lru_cache(65536)
def _natural(text: str) -> tuple[tuple[int, int | str], ...]:
    parts: list[tuple[int, int | str]] = []
    digits = ""
    word = ""
    for char in text.casefold():
        if char in "0123456789":
            if word:
                parts.append((1, word))
                word = ""
            digits += char
        else:
            if digits:
                parts.append((0, int(digits)))
                digits = ""
            word += char
    if word:
        parts.append((1, word))
    elif digits:
        parts.append((0, int(digits)))
    return tuple(parts)
