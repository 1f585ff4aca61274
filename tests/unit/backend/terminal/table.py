"""Tables of terminal sequences with the screens that standards have for them.

A file of ``cases`` has a ``source`` and a ``size`` (columns, lines; 10 by 4) for all of its cases.
A case has a ``name``, an ``input`` (UTF-8; ``\\e \\r \\n \\t \\b \\a \\0 \\\\ \\xHH`` are bytes),
and any of: ``rows`` (blank ones at the end left out), ``cursor`` (column, line, from 0),
``answer``, ``styles`` (by column and line), ``title``, ``bells``, ``alternate``, ``visible``,
``shape``, ``blinking``, ``mouse``, ``columns``, ``kept`` (rows, those of the history too), and
``paste`` with what is ``pasted``. ``instead`` holds what the emulator does otherwise, and ``why``
in words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuivirt.backend.model.terminal import Attr, Frame, TextStyle
from tuivirt.backend.terminal.emulator import GhosttyEmulator

FOLDER = Path(__file__).parent / "cases"
_BYTES = {"e": 27, "r": 13, "n": 10, "t": 9, "b": 8, "a": 7, "0": 0, "\\": 92}
_META = ("name", "source", "size", "input", "instead", "paste")
_AS_BYTES = ("answer", "pasted")


@dataclass(frozen=True, slots=True)
class Case:
    """One of them."""

    name: str
    source: str
    size: tuple[int, int]
    input: bytes
    paste: str
    standard: dict[str, Any]
    instead: dict[str, Any]
    why: str


def unescaped(text: str) -> bytes:
    """The bytes that a text of the tables stands for."""

    def byte(match: re.Match[bytes]) -> bytes:
        what = match[1].decode()
        return bytes([int(what[1:], 16) if what[0] == "x" else _BYTES[what]])

    return re.sub(rb"\\(x[0-9a-f]{2}|.)", byte, text.encode())


def _expected(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: unescaped(value) if key in _AS_BYTES else value for key, value in entry.items()}


def load(folder: Path = FOLDER) -> list[Case]:
    """All cases of all files."""
    cases = []
    for path in sorted(folder.glob("*.toml")):
        whole = tomllib.loads(path.read_text(encoding="utf-8"))
        for entry in whole["case"]:
            instead = dict(entry.get("instead", {}))
            why = instead.pop("why", "")
            columns, lines = entry.get("size", whole.get("size", [10, 4]))
            standard = {key: value for key, value in entry.items() if key not in _META}
            cases.append(
                Case(
                    f"{path.stem}: {entry['name']}",
                    entry.get("source", whole["source"]),
                    (columns, lines),
                    unescaped(entry["input"]),
                    entry.get("paste", ""),
                    _expected(standard),
                    _expected(instead),
                    why,
                )
            )
    return cases


def _color(name: str, color: object) -> list[str]:
    return [] if color is None else [f"{name}={color}".replace(" ", "")]


def described(style: TextStyle | None) -> str:
    """A style in words, as in ``bold fg=1 bg=(1,2,3)``."""
    if style is None:
        return ""
    words = [flag.name.lower() for flag in Attr if style.attributes & flag and flag.name]
    words += _color("fg", style.foreground) + _color("bg", style.background)
    return " ".join(words)


def style_at(frame: Frame, x: int, y: int) -> str:
    """The style of a cell."""
    first = 0
    for run in frame.rows.get(y, ()):
        if first <= x < first + run.cells:
            return described(run.style)
        first += run.cells
    return ""


def rows(frame: Frame) -> list[str]:
    """The text of all rows, blank ones at the end left out."""
    texts = ["".join(run.text for run in frame.rows.get(y, ())) for y in range(frame.lines)]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def seen(case: Case, parts: Sequence[bytes]) -> dict[str, Any]:
    """What the emulator has, of all that the case says something about."""
    emulator = GhosttyEmulator(*case.size, least=(1, 1))
    answer = b"".join([emulator.feed(part) for part in parts])
    frame = emulator.frame()
    all_of_it = {
        "rows": rows(frame),
        "cursor": [frame.cursor.x, frame.cursor.y],
        "answer": answer,
        "styles": {
            place: style_at(frame, *map(int, place.split(",")))
            for place in case.standard.get("styles", {})
        },
        "title": frame.title,
        "bells": frame.bells,
        "alternate": frame.alternate,
        "visible": frame.cursor.visible,
        "shape": frame.cursor.shape.value,
        "blinking": frame.cursor.blinking,
        "mouse": frame.mouse.name,
        "columns": frame.columns,
        "kept": frame.scroll.total,
        "pasted": emulator.paste(case.paste),
    }
    emulator.close()
    return {key: all_of_it[key] for key in case.standard}
