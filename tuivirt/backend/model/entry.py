"""What the operator's settings say of a host, and what may be said there."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from .record import record

COLOURS = (
    "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
    "bright-black", "bright-red", "bright-green", "bright-yellow", "bright-blue",
    "bright-magenta", "bright-cyan", "bright-white",
)  # fmt: skip
"""The terminal's own sixteen, by name."""
LONGEST_NAME = 64

_NAME = re.compile(r"[^\s@/,#:-][^\s@/,#]*")
_TAG = re.compile(r"[^\s,#]+")


@record(frozen=True, slots=True)
class HostEntry:
    """A host of the settings."""

    name: str
    uri: str
    """Whole, or without its password where it is shown."""
    group: str = ""
    tags: tuple[str, ...] = ()
    readonly: bool = False
    colour: str = ""
    """One of COLOURS, or empty."""
    connect: bool = True
    """At the start."""


def wrong_name(name: str) -> str:
    """Why a host cannot be called that, or ''.

    A name stands behind ``@`` and after ``-c``, where a URI may stand as well.
    """
    if not name:
        return "it is empty"
    if len(name) > LONGEST_NAME:
        return f"it is longer than {LONGEST_NAME} characters"
    if not _NAME.fullmatch(name) or not name.isprintable():
        return "it may hold no blank and none of @ / , # and may not begin with - or :"
    return ""


def wrong_uri(uri: str) -> str:
    """Why this cannot be a libvirt URI, or ''; whether libvirt takes it shows when it is opened."""
    if not uri.strip():
        return "it is empty"
    if not uri.isprintable() or " " in uri:
        return "it holds a blank or a control character"
    try:
        parts = urlsplit(uri)
        _ = parts.hostname, parts.port
    except ValueError as error:
        return f"its host or port cannot be read: {_without(uri, str(error))}"
    words = (word for word in parts.query.split("&") if "=" not in word)
    if parts.netloc and any("@" in part for part in (parts.path, *words, parts.fragment)):
        return "a /, ? or # stands before its @, where it ends the host's name"
    return ""


def _without(uri: str, said: str) -> str:
    """What Python says, without what was typed: a password may be in that."""
    return "its port is no number" if "port" in said.lower() else said.replace(uri, "…")


def wrong_group(group: str) -> str:
    """Why a group cannot be called that, or ''."""
    return "" if group.isprintable() else "it holds a control character"


def wrong_tag(tag: str) -> str:
    """Why that cannot be a tag, or ''."""
    if not _TAG.fullmatch(tag) or not tag.isprintable():
        return "a tag is a word without blanks, commas and #"
    return ""


def wrong_colour(colour: str) -> str:
    """Why that cannot be a colour, or ''."""
    return "" if colour in ("", *COLOURS) else f"it is one of {', '.join(COLOURS)}"
