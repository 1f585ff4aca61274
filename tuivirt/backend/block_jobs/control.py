"""The jobs on a domain's disks, whoever began them: told, ended, gone over, held back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import BadInput, TuivirtError, from_libvirt
from ..lifecycle import domain_to_change, touch
from ..model.block_job import BlockJob, told
from ..model.finding import Finding, Plan
from .commit import failed
from .config import follows
from .follow import End, Followed
from .journal import begun_of, forget_all
from .judge import NOTE, REFUSED
from .left import incomplete, left_of
from .read import chain_of, jobs_of

if TYPE_CHECKING:
    from ..host import Host


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options exclude one another."""
    asked = [word for word in ("abort", "pivot", "bandwidth") if values.get(word)]
    if len(asked) > 1:
        raise BadInput(f"{' and '.join(asked)} exclude one another")
    if values.get("bandwidth") and not values.get("path"):
        raise BadInput("of which disk, is not said", advice="name it: vda")


def report(host: Host, uuid: str, path: str = "") -> str:
    """The jobs on a domain's disks and what broken ones have left, a line each and advice below.

    Raises TuivirtError.
    """
    domain = host.domain(uuid)
    name = domain.name()
    target = _target(domain, path)
    lines = []
    for job in _jobs(domain, target):
        lines.append(f"{job.target}: {job.kind}{_to(job)}, {told(job)}")
        if job.ready:
            lines.append(f"   the guest goes over: tuivirt blockjob {name} {job.target} --pivot")
            lines.append(f"   it stays: tuivirt blockjob {name} {job.target} --abort")
    for left in left_of(host, domain):
        if not target or left.target == target:
            lines += [f"{left.target or name}: {left.text}", f"   {left.advice}"]
            disk = f" {left.target}" if left.target else ""
            lines.append(f"   to hear no more of it: tuivirt blockjob {name}{disk} --abort")
    of = f"{target} of {name}" if target else name
    return "\n".join(lines) or f"no block job runs on {of}"


def plan_for(host: Host, uuid: str, values: Mapping[str, Any]) -> Plan:
    """What an abort or going over would do, or what there is. Raises TuivirtError."""
    check(values)
    domain = host.domain(uuid)
    target = _target(domain, str(values.get("path") or ""))
    jobs = _jobs(domain, target)
    steps, findings = [], []
    for job in jobs:
        stays = f"the guest stays on {chain_of(domain, job.target).source}"
        if values.get("abort"):
            kept = f"; {_worth(job)}" if job.other else ""
            steps.append(f"The {job.kind} on {job.target} is ended: {stays}{kept}.")
        elif values.get("pivot") and not job.ready:
            findings.append(_not_ready(job))
        elif values.get("pivot"):
            steps.append(f"The guest goes over to {job.other} with {job.target}.")
        else:
            steps.append(f"{job.target}: {job.kind}{_to(job)}, {told(job)}")
    lost = [each for each in left_of(host, domain) if not target or each.target == target]
    findings += [Finding(NOTE, each.text, each.advice) for each in lost]
    if not jobs and not lost:
        of = f"{target} of {domain.name()}" if target else domain.name()
        findings.append(Finding(REFUSED, f"no block job runs on {of}"))
    return Plan(domain.name(), tuple(steps), tuple(findings))


def abort(host: Host, uuid: str, path: str = "") -> str:
    """End the job of a disk, or all of a domain's; a sentence of what is left. Raises TuivirtError.

    Of one that was broken off before it is heard no more. Source: virDomainBlockJobAbort.
    """
    domain = domain_to_change(host, uuid)
    target = _target(domain, path)
    jobs = _jobs(domain, target)
    known = {begun.target for begun in begun_of(domain) if not target or begun.target == target}
    forgotten = sorted(known - {job.target for job in jobs})
    if not jobs and not forgotten:
        raise BadInput(f"no block job runs on {target + ' of ' if target else ''}{domain.name()}")
    said: list[str] = []
    for job in jobs:
        said.append(_aborted(host, domain, job, said))
    for each in forgotten:
        forget_all(host, domain, each)
        said.append(f"what was begun on {each or 'it'} is forgotten; nothing was deleted")
    return "; ".join(said)


def _aborted(host: Host, domain: Any, job: BlockJob, before: list[str]) -> str:
    what = f"cannot end the {job.kind} on {job.target} of {domain.name()}"
    with Followed(host, domain, job.target, saying="ending it") as followed:
        try:
            followed.cancel(what)
        except TuivirtError as error:
            error.done = "; ".join(before)
            raise
    if job.kind == "pull" or (job.kind == "copy" and job.ready):
        forget_all(host, domain, job.target)
    kept = f", and {_worth(job)}" if job.other else ""
    return f"the {job.kind} on {job.target} of {domain.name()} is ended: the guest stays{kept}"


def pivot(host: Host, uuid: str, path: str = "") -> str:
    """Have the guest go over to the other image of its job; a sentence of what is true then.

    Source: virDomainBlockJobAbort with PIVOT. Raises BadInput where none is ready, TuivirtError.
    """
    domain = domain_to_change(host, uuid)
    name, target = domain.name(), _target(domain, path)
    jobs = [job for job in _jobs(domain, target) if target or job.ready]
    if not jobs:
        raise BadInput(f"no block job of {target + ' of ' if target else ''}{name} is ready")
    said: list[str] = []
    for job in jobs:
        what = f"cannot have {job.target} of {name} go over"
        if not job.ready:
            finding = _not_ready(job)
            raise BadInput(what, finding.text, finding.advice)
        before = chain_of(domain, job.target).source
        with Followed(host, domain, job.target, saying="going over") as followed:
            try:
                end = followed.pivot(what)
                now = chain_of(domain, job.target).source
                if end is not End.COMPLETED and now != job.other:
                    raise failed(what, end, f"the guest is on {now}")
            except TuivirtError as error:
                error.done = "; ".join(said)
                raise
        forget_all(host, domain, job.target)
        said.append(f"{job.target} of {name} is on {now}{follows(domain, job.target, before, now)}")
    return "; ".join(said)


def set_bandwidth(host: Host, uuid: str, path: str, mib_per_s: int) -> str:
    """Limit how fast the job on a disk works, in MiB/s. Source: virDomainBlockJobSetSpeed."""
    domain = domain_to_change(host, uuid)
    name, target = domain.name(), _target(domain, path)
    if not _jobs(domain, target):
        raise BadInput(f"no block job runs on {target} of {name}")
    try:
        domain.blockJobSetSpeed(target, mib_per_s, 0)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot limit the job on {target} of {name}") from error
    finally:
        touch(host, domain.UUIDString())
    return f"the job on {target} of {name} works at {mib_per_s} MiB/s at most"


def _target(domain: Any, path: str) -> str:
    return chain_of(domain, path).target if path else ""


def _jobs(domain: Any, target: str) -> list[BlockJob]:
    return [job for job in jobs_of(domain) if not target or job.target == target]


def _not_ready(job: BlockJob) -> Finding:
    if job.kind in ("copy", "active commit"):
        text = f"the {job.kind} on {job.target} is not ready: {told(job)}"
        return Finding(REFUSED, text, "wait until both are equal")
    text = f"the guest cannot go over by a {job.kind} on {job.target}: it ends by itself"
    return Finding(REFUSED, text)


def _to(job: BlockJob) -> str:
    words = {"copy": "to", "active commit": "into"}
    return f" {words[job.kind]} {job.other}" if job.other and job.kind in words else ""


def _worth(job: BlockJob) -> str:
    """What the other image is worth once the job is ended."""
    if job.kind == "copy":
        whole = f"{job.other} is a copy as of then"
        return whole if job.ready else incomplete(job.other)
    return f"{job.other} holds what was written since, or a part of it: do it again to finish it"
