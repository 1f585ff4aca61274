"""``tuivirt actions``: what can be done, from the registry."""

from __future__ import annotations

from typing import Any

from tuivirt.actions.catalog import everything
from tuivirt.actions.registry import Action, Parameter
from tuivirt.actions.template import synopsis

from .output import DONE, listing, say, to_json


def print_actions(*, as_json: bool) -> int:
    """Print every action; the exit status."""
    records = [action_record(action) for action in everything().values()]
    if as_json:
        say(to_json(records))
    else:
        columns = (("NAME", "name"), ("OBJECT", "object"), ("KEY", "key"), ("VIRSH", "virsh"))
        say(listing(records, columns))
    return DONE


def action_record(action: Action) -> dict[str, Any]:
    return {
        "name": action.name,
        "object": str(action.object),
        "key": action.key,
        "title": action.title,
        "help": action.help,
        "virsh": synopsis(action.virsh),
        "api": action.api,
        "changes": action.changes,
        "bulk": action.bulk,
        "destructive": action.destructive,
        "parameters": [_parameter_record(p) for p in action.parameters],
    }


def _parameter_record(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "type": parameter.type.__name__.lower(),
        "help": parameter.help,
        "required": parameter.required,
        "default": parameter.default,
        "choices": list(parameter.choices),
        "positional": parameter.positional,
    }
