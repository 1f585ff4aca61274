"""Runs an action at once, on the caller's own thread: one that needs the terminal, or shows."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.model.ref import Ref

from .registry import Action, Begun, Run
from .runner import find

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.roster import Roster


class _Here:
    """What such an action is given: nobody but itself tells of it."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.aborted = threading.Event()

    @property
    def roster(self) -> Roster:
        raise TypeError("what only shows something changes no hosts")

    def progress(self, text: str, fraction: float | None = None) -> None:
        """Nobody looks: the terminal is the action's own."""

    def tell(self, text: str) -> None:
        """The same."""

    def begin(self, action: str, ref: Ref, name: str, values: Mapping[str, Any]) -> Begun:
        raise TypeError("what only shows something begins nothing")

    def chose(self, **values: Any) -> None:
        """No task shows the equivalent command."""


def run_here(action: Action, host: Host, ref: Ref, values: Mapping[str, Any]) -> str:
    """Do it to ``ref`` and wait; returns what it says, or what it shows.

    Raises BadInput when the values do not fit, ReadOnly when the connection is, NotFound when
    the object is gone, and TuivirtError when it cannot be done or has failed.
    """
    given = action.convert(values)
    if action.changes:
        host.require_write()
    thing = find(host, ref)
    refusal = action.unavailable(thing)
    if refusal:
        raise TuivirtError(f"cannot {action.name} {thing.name}", refusal)
    run: Run = _Here(host)
    return action.function(run, thing, **given)
