"""The terminal is handed to an action, and taken back when that has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import App

from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.here import run_here
from tuivirt.actions.registry import Action
from tuivirt.backend.model.ref import Ref


def lend(
    app: App[Any], action: Action, host: Any, ref: Ref, values: Mapping[str, Any]
) -> str | TuivirtError:
    """Run ``action`` on ``ref`` with the terminal its own; returns how it ended.

    Raises Textual's SuspendNotSupported where the terminal cannot be handed on, and what the
    action raised if nobody expected that.
    """
    ended: str | Exception
    with app.suspend():
        # Nothing may be raised in here: Textual takes the terminal back only when this block
        # ends by itself.
        try:
            ended = run_here(action, host, ref, values)
        except Exception as error:
            ended = error
    if isinstance(ended, Exception) and not isinstance(ended, TuivirtError):
        raise ended
    return ended
