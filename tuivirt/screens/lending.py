"""The terminal is handed to an action, and taken back when that has ended."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from textual.app import App

from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.registry import Action


@dataclass(frozen=True, slots=True)
class Lent:
    """What an action is given that runs on the screen's own thread, in place of a task."""

    host: Any
    aborted: threading.Event = field(default_factory=threading.Event)

    def progress(self, text: str, fraction: float | None = None) -> None:
        """Nobody looks: the terminal is the action's own."""


def lend(
    app: App[Any], action: Action, host: Any, thing: Any, values: Mapping[str, Any]
) -> str | TuivirtError:
    """Run ``action`` on ``thing`` with the terminal its own; returns how it ended.

    Raises Textual's SuspendNotSupported where the terminal cannot be handed on, and what the
    action raised if nobody expected that.
    """
    ended: str | Exception
    with app.suspend():
        # Nothing may be raised in here: Textual takes the terminal back only when this block
        # ends by itself.
        try:
            ended = action.function(Lent(host), thing, **action.convert(values))
        except Exception as error:
            ended = error
    if isinstance(ended, Exception) and not isinstance(ended, TuivirtError):
        raise ended
    return ended
