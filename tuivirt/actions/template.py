"""The equivalent virsh command as a template: ``virsh start {name}[paused? --paused]``.

``{word}`` is the object's name or a parameter's value, quoted for a shell; ``{word|OTHER}``
shows OTHER when it is unset. A part in square brackets goes when any parameter named in it is
unset, or, in the form ``[word? text]``, when that one is; ``[kind=external,!memory? text]`` stays
where both hold. ``{word*TEXT}`` is TEXT for each word of a list, with that in place of ``%``.
``{when}`` becomes virsh's flags; in ``{when|OTHER}`` AUTO is shown as OTHER, for commands that have
no ``--persistent``.

Beside ``virsh``, wherever it begins a command, comes ``-c`` with the URI where that is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tuivirt.backend.model.when import When

_WORD = re.compile(r"\{(\w+)(?:([|*])([^}]*))?\}")
_PART = re.compile(r"\[([^\[\]]*)\]")
_COMMAND = re.compile(r"(?:^|; )virsh\b")
_CONDITION = re.compile(r"((?:!?\w+(?:=\w+)?,)*!?\w+(?:=\w+)?)\?")
TOLD = "its_"
"""What the action tells of itself when it runs, by ``Run.chose``: no parameter has such a name."""
URI = f"{TOLD}uri"
"""What whoever runs it tells of its host, where virsh would not get there by itself."""

_FLAGS = {
    When.AUTO: "--persistent",
    When.NOW: "--live",
    When.NEXT_BOOT: "--config",
    When.BOTH: "--live --config",
}
"""AUTO does what virsh's --persistent does: both while the domain runs, else the saved one."""


def fill(template: str, name: str, values: Mapping[str, Any]) -> str:
    """The command with its words filled in, each quoted where a shell needs it."""
    from shlex import quote

    known = {**values, "name": name}

    def word(match: re.Match[str]) -> str:
        value = known.get(match[1])
        if match[2] == "*":
            words = re.split(r"[\s,]+", value) if isinstance(value, str) else value or ()
            return " ".join(match[3].replace("%", quote(each)) for each in words if each)
        other = match[3]
        if isinstance(value, When):
            return other if value is When.AUTO and other else _FLAGS[value]
        if _unset(value) and other is not None:
            return other
        return quote(str(value))

    def part(match: re.Match[str]) -> str:
        text = match[1]
        condition = _CONDITION.match(text)
        if condition:
            true = all(_holds(each, known) for each in condition[1].split(","))
            return text[condition.end() :] if true else ""
        return "" if any(_unset(known.get(w[1])) for w in _WORD.finditer(text)) else text

    if known.get(URI):
        template = _COMMAND.sub(rf"\g<0> -c {{{URI}}}", template)
    # Brackets and spaces first: a value may hold either of its own.
    return _WORD.sub(word, re.sub(r"  +", " ", _PART.sub(part, template)).strip())


def synopsis(template: str) -> str:
    """The command as a manual has it: ``virsh start NAME [--paused]``."""

    def word(match: re.Match[str]) -> str:
        if match[1] == "when":
            return "[--live] [--config]" + ("" if match[3] else " [--persistent]")
        named = match[1].removeprefix(TOLD).upper()
        return f"{match[3].replace('%', named)} ..." if match[2] == "*" else named

    def part(match: re.Match[str]) -> str:
        return f" [{_CONDITION.sub('', match[1], count=1).strip()}]"

    return _WORD.sub(word, _PART.sub(part, template)).strip()


def fill_words(template: str, name: str) -> str:
    """A sentence with the object's name filled in as it is."""
    return template.replace("{name}", name)


def check_template(action: str, template: str, parameters: set[str]) -> None:
    """Raise TypeError when ``template`` names a word that is neither ``name`` nor a parameter."""
    used = {match[1] for match in _WORD.finditer(template)}
    for part in _PART.finditer(template):
        condition = _CONDITION.match(part[1])
        if condition:
            used |= set(re.findall(r"(?:^|,)!?(\w+)", condition[1]))
    unknown = {each for each in used if not each.startswith(TOLD)} - parameters - {"name"}
    if unknown:
        raise TypeError(f"action {action}: {template!r} names {', '.join(sorted(unknown))}")


def _holds(condition: str, known: Mapping[str, Any]) -> bool:
    """``word``: it is set; ``!word``: it is not; ``word=value``: it is that."""
    word, equals, value = condition.partition("=")
    if equals:
        return str(known.get(word)) == value
    return _unset(known.get(word.removeprefix("!"))) is word.startswith("!")


def _unset(value: Any) -> bool:
    return value is None or value is False or value in ("", ())
