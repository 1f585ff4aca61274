"""A host emptied of what runs there: who goes where, by the room that there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import BadInput, TuivirtError
from ..model.domain import Domain, DomainState
from ..model.finding import Finding, Weight
from ..model.host import Link
from ..model.migration import EvacuationPlan, Going, MigrationPlan
from ..uri import shown
from .destination import known, others
from .plan import make_plan

if TYPE_CHECKING:
    from ..host import Host


def targets_of(host: Host, to: str | None) -> list[Host]:
    """The hosts that may be gone to: those named (with commas), or all others that are connected.

    Raises BadInput.
    """
    if to:
        found = []
        for word in (part.strip() for part in to.split(",")):
            target = known(host, word)
            if target is None:
                names = ", ".join(each.name for each in others(host))
                raise BadInput(
                    f"there is no host {shown(word)!r} to go to", f"there are {names or 'none'}"
                )
            if target not in found:
                found.append(target)
        return found
    found = [e for e in others(host) if e.snapshot.link is Link.CONNECTED and not e.readonly]
    if not found:
        raise BadInput(
            f"{host.name} has nowhere to go",
            "no other host is connected that may be changed",
            "open another one as well (-c URI)",
        )
    return found


def plan_for(
    host: Host, to: str | None, values: Mapping[str, Any], *, limit: int
) -> EvacuationPlan:
    """Who would go where; nothing is changed. Raises BadInput, TuivirtError.

    The largest first, each to the target that then has the most room, if nothing else speaks
    against it there. One that crashed and was kept (``on_crash``) does not run, and stays.
    """
    targets = targets_of(host, to)
    room = {target.name: _free_kib(target) for target in targets}
    active = [domain for domain in host.snapshot.domains.values() if domain.active]
    crashed = sorted(each.name for each in active if each.state is DomainState.CRASHED)
    running = [domain for domain in active if domain.state is not DomainState.CRASHED]
    running.sort(key=lambda domain: (-_memory(domain), domain.name))
    goings = tuple(_going(host, domain, targets, room, values) for domain in running)
    findings = []
    for going in goings:
        if going.plan is not None:
            findings += [
                Finding(each.weight, f"{going.name}: {each.text}", each.advice)
                for each in going.plan.of(Weight.RISK)
            ]
    findings += [Finding(Weight.NOTE, f"{name} has crashed, and stays") for name in crashed]
    if not goings:
        findings.append(Finding(Weight.REFUSED, f"nothing runs on {host.name}"))
    elif not any(going.target for going in goings):
        text = f"none of what runs on {host.name} can go"
        findings.append(Finding(Weight.REFUSED, f"{text}; {goings[0].name}: {goings[0].why}"))
    return EvacuationPlan(host.name, goings, limit, tuple(dict.fromkeys(findings)))


def _going(
    host: Host,
    domain: Domain,
    targets: Sequence[Host],
    room: dict[str, int],
    values: Mapping[str, Any],
) -> Going:
    memory = _memory(domain)
    risky: tuple[MigrationPlan, Host] | None = None
    reasons = []
    for target in sorted(targets, key=lambda each: -room[each.name]):
        try:
            plan = make_plan(host, target, domain.uuid, values)
        except TuivirtError as error:
            reasons.append(f"{target.name}: {error}")
            continue
        refused = plan.of(Weight.REFUSED)
        if refused:
            reasons.append(f"{target.name}: {'; '.join(each.text for each in refused)}")
        elif memory > room[target.name]:
            reasons.append(
                f"{target.name}: {room[target.name] >> 10} MiB are free, it may use {memory >> 10}"
            )
        elif plan.of(Weight.RISK):
            risky = risky or (plan, target)
        else:
            return _goes(domain, memory, target, plan, room)
    if risky is not None:
        return _goes(domain, memory, risky[1], risky[0], room)
    return Going(domain.uuid, domain.name, memory, "", why="; ".join(reasons))


def _goes(
    domain: Domain, memory: int, target: Host, plan: MigrationPlan, room: dict[str, int]
) -> Going:
    room[target.name] -= memory
    return Going(domain.uuid, domain.name, memory, target.name, plan)


def _memory(domain: Domain) -> int:
    return domain.memory_max_kib or domain.memory_kib or 0


def _free_kib(host: Host) -> int:
    """What guests could have; a host that does not tell has no limit that is known."""
    from .gather import ask, free_kib

    free = ask(host, lambda: free_kib(host))
    return 1 << 60 if free is None else free
