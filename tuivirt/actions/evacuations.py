"""A host emptied: each of its running domains is moved, as a task of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from tuivirt.backend.errors import Aborted, BadInput, TuivirtError
from tuivirt.backend.host import MOVES_AT_ONCE
from tuivirt.backend.migration.options import check
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.model.host import HostSnapshot
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.task import TaskState

from .migrations import OPTIONS
from .plans import DRY_RUN, FORCE, told
from .registry import Option, Run, action

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.model.finding import Planned
    from tuivirt.backend.model.migration import EvacuationPlan, Going

_SINGLE = frozenset({"dname", "desturi", "live", "offline"})
"""Options that make sense for one domain alone."""
_WAIT_S = 0.2


def _plan(host: Host, _key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.migration import evacuate as emptying

    given = {
        name: value
        for name, value in values.items()
        if name not in ("to", "limit", "dry_run", "force")
    }
    limit = int(values.get("limit") or MOVES_AT_ONCE)
    return emptying.plan_for(host, values.get("to"), given, limit=limit)


@action(
    "host",
    title="Evacuate",
    virsh="",
    api="virDomainMigrate3, virDomainMigrateToURI3",
    bulk=False,
    plan=_plan,
    check=check,
    other="to",
    more=tuple(each for each in OPTIONS if each.name not in _SINGLE),
)
def evacuate(
    run: Run,
    host: HostSnapshot,
    *,
    to: Annotated[
        str | None,
        Option("hosts to go to, with commas between; all others that are connected unless given"),
    ] = None,
    limit: Annotated[
        int, Option("how many go at the same time", label="At the same time", minimum=1)
    ] = MOVES_AT_ONCE,
    dry_run: DRY_RUN = False,
    force: FORCE = False,
    **options: Any,
) -> str:
    """Move everything that runs on a host to others, each to the one with the most room.

    Who goes where is planned first (--dry-run shows it, and fails when one would stay). Each
    domain is a task of its own; an abort stops those under way and begins no other. What cannot
    go stays, and is told.
    """
    from tuivirt.backend.migration import evacuate as emptying
    from tuivirt.backend.migration.migrate import refuse

    run.progress("looking at all hosts")
    plan = emptying.plan_for(run.host, to, options, limit=limit)
    what = f"cannot evacuate {host.name}"
    if dry_run:
        return _told(plan, force)
    refuse(plan, what, force)
    return _carry_out(run, plan, options)


def _told(plan: EvacuationPlan, force: bool) -> str:
    """The plan as text. Raises BadInput where it would be refused, or would leave a domain."""
    said = told(plan, f"{plan.host} would not be evacuated", force=force)
    if plan.staying:
        raise BadInput(f"{plan.host} would not be empty", f"\n{said}")
    return said


def _carry_out(run: Run, plan: EvacuationPlan, options: Mapping[str, Any]) -> str:
    waiting = list(plan.leaving)
    under_way: dict[str, Any] = {}
    ended: list[tuple[Going, TaskState, str]] = []
    run.host.moves.widen(plan.limit)
    goings = {going.uuid: going for going in plan.goings}
    while under_way or (waiting and not run.aborted.is_set()):
        while waiting and len(under_way) < plan.limit and not run.aborted.is_set():
            going = waiting.pop(0)
            # Its risks were shown and taken; where there were none, none is taken.
            risky = going.plan is not None and bool(going.plan.of(Weight.RISK))
            values = {**options, "dest": going.target, "force": risky}
            under_way[going.uuid] = run.begin(
                "migrate", Ref(plan.host, Kind.DOMAIN, going.uuid), going.name, values
            )
        if run.aborted.is_set():
            for each in under_way.values():
                each.stop()
        names = ", ".join(goings[uuid].name for uuid in under_way)
        run.progress(
            f"{len(ended)} of {len(plan.leaving)} done, now {names}",
            len(ended) / len(plan.leaving),
        )
        for uuid, each in list(under_way.items()):
            if each.rested.wait(_WAIT_S / len(under_way)):
                ended.append((goings[uuid], each.task.state, each.task.text))
                del under_way[uuid]
    return _outcome(plan, ended, waiting, aborted=run.aborted.is_set())


def _outcome(
    plan: EvacuationPlan,
    ended: list[tuple[Going, TaskState, str]],
    waiting: list[Going],
    *,
    aborted: bool,
) -> str:
    """A line for each domain. Raises Aborted or TuivirtError unless all have gone."""
    gone = [going for going, state, _text in ended if state is TaskState.DONE]
    lines = [text for _going, state, text in ended if state is not TaskState.DONE]
    lines += [f"{going.name} was not begun, and runs on {plan.host}" for going in waiting]
    lines += [f"{going.name} stays on {plan.host}: {going.why}" for going in plan.staying]
    # What needs somebody comes first: a long list is cut at its end.
    lines += [text for _going, state, text in ended if state is TaskState.DONE]
    said = f"{len(gone)} of {len(plan.goings)} domains have left {plan.host}"
    if len(gone) == len(plan.goings):
        return "\n".join([said, *lines])
    if aborted:
        raise Aborted(f"evacuating {plan.host} was aborted", "\n".join([said, *lines]))
    raise TuivirtError(f"{plan.host} is not empty", "\n".join([said, *lines]))
