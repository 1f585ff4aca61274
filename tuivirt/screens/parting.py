"""What loses its host when a connection is ended: tasks and consoles, each named."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tuivirt.actions.registry import ACTIONS
from tuivirt.backend.model.console import ConsoleSession, ConsoleState
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.task import Task
from tuivirt.widgets.text import age, plain

from .waiting import OPEN


def interrupted(
    hosts: Collection[str], fleet: Fleet, sessions: Sequence[ConsoleSession]
) -> list[str]:
    """Sentences of what is under way on these hosts; none where nothing is."""
    tasks = [t for t in fleet.tasks if t.state in OPEN and t.target.host in hosts]
    open_ = [s for s in sessions if s.ref.host in hosts and s.status.state is ConsoleState.OPEN]
    lines = []
    if tasks:
        lines.append(
            "Under way there, and no longer followed when the connection ends: "
            + ", ".join(map(_task, tasks))
            + "."
        )
    if open_:
        names = ", ".join(f"{plain(session.name)} {session.device}" for session in open_)
        lines.append(f"Open there, and cut off when the connection ends: the console of {names}.")
    return lines


def _task(task: Task) -> str:
    action = ACTIONS.get(task.action)
    title = action.title if action is not None else task.action
    return f"{title} {plain(task.target_name)} (for {age(task.so_far_s())})"
