"""What a question has to say of what is under way: with its objects, or with hosts that go."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tuivirt.actions.registry import ACTIONS
from tuivirt.backend.model.console import ConsoleSession, ConsoleState
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.backend.model.ref import Ref
from tuivirt.backend.model.task import Task
from tuivirt.widgets.text import age, plain

from .waiting import OPEN


def ended_by(
    things: Sequence[object],
    values: Mapping[str, Any] | None,
    fleet: Fleet,
    sessions: Sequence[ConsoleSession],
) -> list[str]:
    """`interrupted`, for these hosts; with ``values`` for those that connect anew with them."""
    from tuivirt.actions.hosts import connects_anew

    hosts = [each for each in things if isinstance(each, HostSnapshot)]
    names = {h.name for h in hosts if values is None or connects_anew(h, values)}
    return interrupted(names, fleet, sessions)


def interrupted(
    hosts: Collection[str], fleet: Fleet, sessions: Sequence[ConsoleSession]
) -> list[str]:
    """Sentences of what is under way on these hosts; none where nothing is."""
    # With one that is closed nothing is under way.
    there = [fleet.hosts[name] for name in hosts if name in fleet.hosts]
    ended = [host for host in there if host.link is not Link.CLOSED]
    tasks = [task for task in fleet.tasks if task.state in OPEN and _needs_any(task, ended)]
    open_ = [s for s in sessions if s.ref.host in hosts and s.status.state is ConsoleState.OPEN]
    lines = []
    by_fate: dict[str, list[Task]] = {}
    for task in tasks:
        by_fate.setdefault(_fate(task, hosts), []).append(task)
    for fate, some in by_fate.items():
        lines.append(f"Under way there, and {fate}: {', '.join(map(_task, some))}.")
    if open_:
        names = ", ".join(f"{plain(session.name)} {session.device}" for session in open_)
        lines.append(f"Open there, and cut off when the connection ends: the console of {names}.")
    return lines


def under_way(refs: Collection[Ref], fleet: Fleet) -> list[str]:
    """A sentence of the tasks with these objects that have not ended; none where there are none."""
    tasks = [task for task in fleet.tasks if task.state in OPEN and task.target in refs]
    named = [_task(task, f" to {plain(task.other)}" if task.other else "") for task in tasks]
    return [f"Under way already: {', '.join(named)}."] if named else []


def has_begun(task: Task) -> bool:
    """Whether libvirt was asked for a move: only then is it known how, and told."""
    return not {"--live", "--offline"}.isdisjoint(task.virsh.split())


def _needs_any(task: Task, hosts: Collection[HostSnapshot]) -> bool:
    """Whether it works with one of these hosts, or may yet."""
    names = {name for host in hosts for name in (host.name, host.uri)}
    if task.action == "evacuate" and not task.other:
        # To all others that may be changed.
        return task.target.host in names or not all(
            h.info is not None and h.info.readonly for h in hosts
        )
    return not {task.target.host, *map(str.strip, task.other.split(","))}.isdisjoint(names)


def _fate(task: Task, hosts: Collection[str]) -> str:
    """What becomes of it when the connection ends, to one of its hosts."""
    if task.action == "evacuate" and task.target.host not in hosts:
        return "sending no guest there when the connection ends: what was to go there stays"
    if task.action == "evacuate":
        return "beginning no other move when the connection ends"
    if task.action != "migrate":
        return "no longer followed when the connection ends"
    if has_begun(task):
        # It holds the connections until it has ended (migrate._Move.run).
        return "going on when the connection ends, but what is there then is not looked at"
    return "still being prepared, so it may fail when the connection ends and leave images"


def _task(task: Task, where: str = "") -> str:
    action = ACTIONS.get(task.action)
    title = action.title if action is not None else task.action
    return f"{title} {plain(task.target_name)}{where} (for {age(task.so_far_s())})"
