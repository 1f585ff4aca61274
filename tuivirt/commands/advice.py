"""What to do next, said to somebody who types commands."""

from __future__ import annotations

import re

from tuivirt.actions.registry import Action
from tuivirt.backend.model.when import When

_WHEN = {"for the next boot": "--config", "now only": "--live"}
"""How a configuration is told in an advice, and how it is asked for."""

_NAMED = re.compile(r"\((\w+)\)")
_TIMES = re.compile("|".join(_WHEN))


def in_options(advice: str, action: Action) -> str:
    """The advice in the options of the action's verb.

    ``(force)`` becomes ``(--force)``, and what is said of when a change holds is completed.
    """
    flags = {p.name: p.flag for p in action.parameters if not p.positional and p.type is not When}
    told = _NAMED.sub(lambda m: f"({flags.get(m[1], m[1])})", advice)
    if any(p.type is When for p in action.parameters):
        told = _TIMES.sub(lambda m: f"{m[0]} ({_WHEN[m[0]]})", told)
    return told
