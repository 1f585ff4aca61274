"""The hosts of the settings file, as they are read from it.

    [[hosts]]
    name = "srv1"
    uri = "qemu+ssh://root@srv1.example.org/system"
    group = "prod"              # the rest may be left out
    tags = ["web", "ssd"]
    readonly = false
    colour = "green"            # one of the terminal's sixteen
    connect = true              # at the start

What is wrong in one is told; it costs no other host, and the host itself only where it could not
be told apart or reached.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from tuivirt.backend.model.entry import (
    HostEntry,
    wrong_colour,
    wrong_group,
    wrong_name,
    wrong_tag,
    wrong_uri,
)

KNOWN = ("name", "uri", "group", "tags", "readonly", "colour", "connect")


def read_hosts(read: Any, problems: list[str]) -> tuple[HostEntry, ...]:
    """The hosts in what TOML holds under ``hosts``; ``problems`` gets a sentence for each wrong."""
    if not isinstance(read, list) or not all(isinstance(each, dict) for each in read):
        problems.append("hosts is not a list of tables, each begun with [[hosts]]; it has no host")
        return ()
    found: dict[str, HostEntry] = {}
    for number, each in enumerate(read, 1):
        entry = _entry(each, number, problems)
        if entry is None:
            continue
        if entry.name in found:
            problems.append(f"host {number} is called {entry.name} as one before; it is left out")
        else:
            found[entry.name] = entry
    return tuple(found.values())


def _entry(read: dict[str, Any], number: int, problems: list[str]) -> HostEntry | None:
    name, uri = read.get("name"), read.get("uri")
    wrong = _wrong_text(name, wrong_name)
    if wrong:
        problems.append(f"host {number}: the name is {name!r}: {wrong}; it is left out")
        return None
    wrong = _wrong_text(uri, wrong_uri)
    if wrong:
        problems.append(f"host {name}: the uri is not right: {wrong}; it is left out")
        return None
    for key in read:
        if key not in KNOWN:
            near = get_close_matches(key, KNOWN, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            problems.append(f"host {name}: {key} is not a setting of a host{hint}")
    group, colour = (
        _text(read, key, wrong_of, f"host {name}", problems)
        for key, wrong_of in (("group", wrong_group), ("colour", wrong_colour))
    )
    return HostEntry(
        name=str(name),
        uri=str(uri),
        group=group,
        tags=_tags(read.get("tags", []), str(name), problems),
        # Who wrote something there had a reason to be careful.
        readonly=_flag(read, "readonly", False, True, str(name), problems),
        colour=colour,
        connect=_flag(read, "connect", True, True, str(name), problems),
    )


def _wrong_text(value: Any, wrong_of: Callable[[str], str]) -> str:
    if value is None:
        return "it is missing"
    return wrong_of(value) if isinstance(value, str) else "it is not a text"


def _text(
    read: dict[str, Any], key: str, wrong_of: Callable[[str], str], where: str, problems: list[str]
) -> str:
    value = read.get(key, "")
    wrong = _wrong_text(value, wrong_of)
    if not wrong:
        return str(value)
    problems.append(f"{where}: {key} is {value!r}: {wrong}; it has none")
    return ""


def _flag(
    read: dict[str, Any], key: str, default: bool, if_wrong: bool, name: str, problems: list[str]
) -> bool:
    value = read.get(key, default)
    if isinstance(value, bool):
        return value
    holds = str(if_wrong).lower()
    problems.append(f"host {name}: {key} is {value!r}, neither true nor false; {holds} holds")
    return if_wrong


def _tags(read: Any, name: str, problems: list[str]) -> tuple[str, ...]:
    if not isinstance(read, list):
        problems.append(f"host {name}: tags is {read!r}, not a list of words; it has none")
        return ()
    kept: list[str] = []
    for tag in read:
        wrong = _wrong_text(tag, wrong_tag)
        if wrong:
            problems.append(f"host {name}: {tag!r} is no tag: {wrong}")
        elif tag not in kept:
            kept.append(tag)
    return tuple(kept)
