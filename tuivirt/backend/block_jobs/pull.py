"""What lies below a running domain's image is read into it: it then stands alone, or on less."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import Aborted, BadInput
from ..lifecycle import Progress, domain_to_change
from ..model.block_job import Begun, Chain
from ..model.finding import Finding, Plan
from ..snapshots.judge import refuse
from ..snapshots.read import snapshots_of
from . import judge
from .commit import failed, place_of
from .follow import End, Followed, stop
from .images import taken_by
from .journal import forget, noted
from .judge import NOTE, REFUSED
from .read import chain_of, running

if TYPE_CHECKING:
    from ..host import Host


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options cannot be right together."""
    if values.get("keep_relative") and not values.get("base"):
        raise BadInput("keep-relative is about a base that stays", advice="--base")


def plan_for(host: Host, uuid: str, values: Mapping[str, Any]) -> Plan:
    """What would be read into what, and what speaks against it. Raises TuivirtError."""
    return _settled(host, uuid, values)[2]


def pull(
    host: Host,
    uuid: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Pull; a sentence of what is true then. Source: virDomainBlockRebase, virDomainBlockPull.

    An abort ends the job: the chain is as before. Raises Aborted, BadInput, TuivirtError.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    chain, base, plan = _settled(host, uuid, values)
    target = chain.target
    what = f"cannot pull into {target} of {name}"
    refuse(plan, what, force)
    below = chain.paths[1:base]
    begun = Begun(target, "pull", chain.source, "".join(chain.paths[base : base + 1]), below)
    limit = int(values.get("bandwidth") or 0)
    flags = libvirt.VIR_DOMAIN_BLOCK_REBASE_RELATIVE if values.get("keep_relative") else 0

    def call() -> None:
        if base < len(chain.layers):
            domain.blockRebase(target, chain.name_of(base), limit, flags)
        else:
            domain.blockPull(target, limit, 0)

    left = f"{target} is {' on '.join(chain.paths)} as before, all of which it still needs"
    saying = f"reading into {target}"
    with Followed(host, domain, target, saying=saying, progress=progress) as job:
        with noted(host, domain, begun):
            job.begin(call, what)
        try:
            end = job.wait(aborted)
        except Aborted as error:
            # What is pulled already does no harm: nobody has to hear of it.
            forget(host, domain, begun)
            end = stop(job, error, f"the pull into {target} of {name}", left)
        now = chain_of(domain, target).paths if end is not End.OFF else chain.paths
        if end is not End.COMPLETED and set(below) & set(now):
            raise failed(what, end, left)
        forget(host, domain, begun)
    return f"{target} of {name} is {' on '.join(now)}; it needs {', '.join(below)} no more"


def _settled(host: Host, uuid: str, values: Mapping[str, Any]) -> tuple[Chain, int, Plan]:
    """The chain, the place of what stays below (behind its end: nothing does), and the plan."""
    check(values)
    domain = running(host, uuid, f"cannot pull into a disk of {host.domain(uuid).name()}")
    name, chain = domain.name(), chain_of(domain, str(values["path"]))
    findings = judge.against_any(host, domain, chain) + judge.against_chain(chain, "pull")
    if any(each.weight is REFUSED for each in findings):
        return chain, 0, Plan(name, (), tuple(findings))
    given = str(values.get("base") or "")
    base = place_of(host, chain, given) if given else len(chain.layers)
    if base < 2:
        raise BadInput(
            "there is nothing between the base and what the guest writes to",
            f"{chain.target} is {' on '.join(chain.paths)}",
        )
    below = chain.paths[1:base]
    findings += judge.room_for(
        host, chain.source, taken_by(host, below), judge.capacity_of(domain, chain.target)
    )
    kept = [
        each.name
        for each in snapshots_of(host, uuid)
        if any(d.target == chain.target and d.overlay in chain.paths[:base] for d in each.disks)
    ]
    if kept:
        findings.append(
            Finding(
                NOTE,
                f"the snapshot{'s' * (len(kept) > 1)} {', '.join(kept)} keep what they have of "
                f"{chain.target}, but there is nothing to be merged any more",
                "delete their images yourself once they are not wanted: snapshot-delete --metadata",
            )
        )
    hold = "holds" if len(below) == 1 else "hold"
    steps = [
        f"What {', '.join(below)} {hold} is read into {chain.source}, while the guest goes on.",
        f"{chain.target} of {name} is now {' on '.join(chain.paths)}.",
        f"It is then {' on '.join((chain.source, *chain.paths[base:]))}; no other image changes.",
    ]
    return chain, base, Plan(name, tuple(steps), tuple(findings))
