"""What to do next: an error's advice in the words of where it is read.

The backend advises in the command line's options, as in ``give --keep-nvram``. Who types a verb
gets it completed by `in_options`, who fills in a form gets the form's words by `in_labels`.
"""

from __future__ import annotations

import re

from tuivirt.backend.model.when import When

from .registry import Action

_WHEN = {"for the next boot": "--config", "now only": "--live"}
"""How a configuration is told in an advice, and how it is asked for."""

_NAMED = re.compile(r"\((\w+)\)")
_TIMES = re.compile("|".join(_WHEN))
_OPTION = re.compile(r"--[a-z]+(?:-[a-z]+)*")

_NAMES = frozenset(("libvirt", "libvirtd", "qemu", "ssh", "systemctl", "tuivirt", "virsh"))
"""Written small wherever they stand."""


def sentence(text: str) -> str:
    """``text`` as it stands after a full stop: with a capital letter, unless it is a name."""
    first = text.partition(" ")[0].rstrip(",;:.?")
    is_word = first.isalpha() and first.islower() and first not in _NAMES
    return text[:1].upper() + text[1:] if is_word else text


def in_options(advice: str, action: Action) -> str:
    """The advice in the options of the action's verb.

    ``(force)`` becomes ``(--force)``, and what is said of when a change holds is completed.
    """
    flags = {p.name: p.flag for p in action.parameters if not p.positional and p.type is not When}
    told = _NAMED.sub(lambda m: f"({flags.get(m[1], m[1])})", advice)
    if any(p.type is When for p in action.parameters):
        told = _TIMES.sub(lambda m: f"{m[0]} ({_WHEN[m[0]]})", told)
    return told


def in_labels(advice: str, action: Action | None) -> str:
    """The advice with the command line's options as the form of the action calls them."""
    labels = {p.flag: p.label for p in action.parameters} if action is not None else {}
    return _OPTION.sub(lambda m: f"“{labels[m[0]]}”" if m[0] in labels else m[0], advice)
