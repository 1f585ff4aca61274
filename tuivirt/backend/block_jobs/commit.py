"""What overlays of a running domain's disk hold is written into an image below them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import Aborted, BadInput, TuivirtError
from ..lifecycle import Progress, domain_to_change
from ..model.block_job import Begun, Chain
from ..model.finding import Finding, Plan
from ..snapshots.judge import refuse
from . import judge
from .config import follows
from .follow import End, Followed, stop
from .images import is_there, real, taken_by
from .journal import forget, noted
from .judge import REFUSED, RISK
from .read import chain_of, chains_of, running

if TYPE_CHECKING:
    from ..host import Host

SEE = "tuivirt blockjob tells what is left of it, and how it is finished"


@dataclass(frozen=True, slots=True)
class Run:
    """Layers of a chain that go into one below them: from ``top`` down to above ``base``."""

    chain: Chain
    top: int
    base: int

    @property
    def active(self) -> bool:
        """The guest writes to the uppermost of them: it has to go over at the end."""
        return self.top == 0

    @property
    def merged(self) -> tuple[str, ...]:
        return self.chain.paths[self.top : self.base]

    @property
    def into(self) -> str:
        return self.chain.paths[self.base]

    @property
    def then(self) -> tuple[str, ...]:
        """The chain as it will be."""
        return (*self.chain.paths[: self.top], *self.chain.paths[self.base :])


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options exclude one another."""
    if values.get("pivot") and values.get("keep_overlay"):
        raise BadInput("pivot and keep-overlay exclude one another")
    if values.get("base") and values.get("shallow"):
        raise BadInput("base and shallow exclude one another", "shallow: the next one below")
    if values.get("top") and values.get("active"):
        raise BadInput("top and active exclude one another", "active: the one that is written to")
    if values.get("keep_overlay") and values.get("delete"):
        raise BadInput("an overlay that is kept is not deleted")


def plan_for(host: Host, uuid: str, values: Mapping[str, Any]) -> Plan:
    """What would be written where, and what speaks against it. Raises TuivirtError."""
    return _settled(host, uuid, values)[1]


def commit(
    host: Host,
    uuid: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Commit; a sentence of what is true then. Source: virDomainBlockCommit.

    An abort ends the job: the guest stays on its chain, which is whole. Raises Aborted, BadInput,
    TuivirtError.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    run, plan = _settled(host, uuid, values)
    target = str(values["path"]) if run is None else run.chain.target
    what = f"cannot commit {target} of {name}"
    refuse(plan, what, force)
    assert run is not None  # Else the plan was refused.
    flags = libvirt.VIR_DOMAIN_BLOCK_COMMIT_RELATIVE if values.get("keep_relative") else 0
    if values.get("delete"):
        flags |= libvirt.VIR_DOMAIN_BLOCK_COMMIT_DELETE
    done = merge(
        host,
        domain,
        run,
        what,
        flags=flags,
        mib_per_s=int(values.get("bandwidth") or 0),
        pivot=bool(values.get("pivot")),
        keep_overlay=bool(values.get("keep_overlay")),
        aborted=aborted,
        progress=progress,
    )
    if not done:
        return (
            f"{run.into} equals {target} of {name} and is kept so until the guest goes over to it "
            f"(tuivirt blockjob {name} {target} --pivot) or stays (--abort)"
        )
    merged = ", ".join(run.merged)
    if values.get("keep_overlay"):
        return f"what {merged} held is in {run.into} as well; {target} of {name} stays on {merged}"
    said = f"what {merged} held is in {run.into}; {target} of {name} is on {' on '.join(run.then)}"
    if run.active:
        said += follows(domain, target, run.chain.source, run.into)
    if values.get("delete"):
        still = [path for path in run.merged if is_there(host, path)]
        return f"{said}; {merged} {'is' if len(run.merged) == 1 else 'are'} " + (
            f"gone, but for {', '.join(still)}" if still else "deleted"
        )
    return f"{said}; nothing needs {merged} any more"


def merge(
    host: Host,
    domain: Any,
    run: Run,
    what: str,
    *,
    flags: int = 0,
    mib_per_s: int = 0,
    pivot: bool = True,
    keep_overlay: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> bool:
    """Write layers into the one below them; False: they are kept equal, as nobody said how it
    shall end. Raises Aborted, TuivirtError.
    """
    name, target = domain.name(), run.chain.target
    flags |= libvirt.VIR_DOMAIN_BLOCK_COMMIT_ACTIVE if run.active else 0
    kind = "active commit" if run.active else "commit"
    begun = Begun(target, kind, run.chain.source, run.into, run.merged)
    top = run.chain.target if run.active else run.chain.name_of(run.top)
    left = (
        f"{target} stays on {run.chain.source}, and its chain is whole, but {run.into} may hold "
        "a part of what was written since: do it again to finish it"
    )
    saying = f"merging {target} into {run.into}"
    with Followed(host, domain, target, saying=saying, progress=progress) as job:
        with noted(host, domain, begun):
            job.begin(
                lambda: domain.blockCommit(
                    target,
                    run.chain.name_of(run.base),
                    None if run.active else top,
                    mib_per_s,
                    flags,
                ),
                what,
            )
        try:
            end = job.wait(aborted, ready=run.active)
        except Aborted as error:
            end = stop(job, error, f"the commit of {target} of {name}", left)
        if end is End.READY and not (pivot or keep_overlay):
            return False
        if end is End.READY and keep_overlay:
            end = job.cancel(f"{what}: it is written, but the job could not be ended")
            if end in (End.FAILED, End.OFF):  # After both were equal, before it was ended.
                raise failed(what, end, left)
            forget(host, domain, begun)
            return True
        if end is End.READY:
            end = job.pivot(f"{what}: it is written, and kept equal, but the guest cannot go over")
        if end is not End.COMPLETED and not _is_done(domain, run):
            raise failed(what, end, left)
        forget(host, domain, begun)
    return True


def _is_done(domain: Any, run: Run) -> bool:
    """Whether a re-read shows it, where no event has told."""
    try:
        return chain_of(domain, run.chain.target).paths == run.then
    except TuivirtError:
        return False


def failed(what: str, end: End, left: str) -> TuivirtError:
    """The error for a job that has not come to its end."""
    if end is End.OFF:
        return TuivirtError(what, f"the domain has stopped meanwhile; {left}", SEE)
    if end is End.CANCELED:
        return TuivirtError(what, f"somebody else has ended it; {left}", SEE)
    return TuivirtError(
        what,
        f"QEMU ended it with an error; {left}",
        "is there room where the images lie? The log says why: /var/log/libvirt/qemu on the host; "
        + SEE,
    )


def _settled(host: Host, uuid: str, values: Mapping[str, Any]) -> tuple[Run | None, Plan]:
    check(values)
    domain = running(host, uuid, f"cannot commit a disk of {host.domain(uuid).name()}")
    name, chain = domain.name(), chain_of(domain, str(values["path"]))
    findings = judge.against_any(host, domain, chain) + judge.against_chain(chain, "commit")
    if any(each.weight is REFUSED for each in findings):
        return None, Plan(name, (), tuple(findings))
    run = _run(host, chain, values)
    if values.get("delete") and run.active and not values.get("pivot"):
        raise BadInput("what the guest writes to is deleted only once it has gone over", "--pivot")
    findings += against(host, domain, run)
    findings += judge.against_snapshots(host, domain, chain.target, run.into, run.merged)
    steps = [
        (
            f"What {', '.join(run.merged)} hold{'s' * (len(run.merged) == 1)} is written into "
            f"{run.into}, while the guest goes on."
        ),
        f"{chain.target} of {name} is now {' on '.join(chain.paths)}.",
    ]
    if run.active and values.get("keep_overlay"):
        steps.append("It stays so.")
    elif run.active and not values.get("pivot"):
        steps.append(
            f"They are then kept equal until: tuivirt blockjob {name} {chain.target} --pivot, by "
            f"which it is {' on '.join(run.then)}, or --abort."
        )
    else:
        steps.append(f"It is then {' on '.join(run.then)}.")
    if values.get("delete"):
        steps.append(f"Deleted then: {', '.join(run.merged)}.")
    return run, Plan(name, tuple(steps), tuple(findings))


def against(host: Host, domain: Any, run: Run) -> list[Finding]:
    """What speaks against writing these layers into that one: others, room. Raises TuivirtError."""
    said = judge.against_others(host, domain, run.into, run.merged)
    said += _against_own(host, domain, run)
    needed = taken_by(host, run.merged)
    if run.into.startswith("/dev/"):
        return said
    return said + judge.room_for(host, run.into, needed, None)


def _against_own(host: Host, domain: Any, run: Run) -> list[Finding]:
    """Other disks of the domain, and its saved configuration, that need what is merged."""
    named = {real(host, path): path for path in (*run.merged, run.into)}
    said = [
        Finding(REFUSED, f"{named[real(host, path)]} is part of {target} of it as well")
        for target, chain in chains_of(domain).items()
        if target != run.chain.target
        for path in chain.paths
        if real(host, path) in named
    ]
    if domain.isPersistent():
        for target, chain in chains_of(domain, saved=True).items():
            if chain.source == run.chain.source and target == run.chain.target:
                continue  # libvirt has it follow.
            if any(real(host, path) in named for path in chain.paths):
                said.append(
                    Finding(
                        RISK,
                        f"its saved configuration has {target} on {chain.source}, which is "
                        "merged: its next start would not find what is expected there",
                    )
                )
    return said


def _run(host: Host, chain: Chain, values: Mapping[str, Any]) -> Run:
    top = place_of(host, chain, str(values["top"])) if values.get("top") else 0
    if values.get("shallow"):
        base = top + 1
    elif values.get("base"):
        base = place_of(host, chain, str(values["base"]))
    else:
        base = len(chain.layers) - 1
    if not top < base < len(chain.layers):
        raise BadInput(
            "the base does not lie below the top",
            f"{chain.target} is {' on '.join(chain.paths)}",
        )
    return Run(chain, top, base)


def place_of(host: Host, chain: Chain, word: str) -> int:
    """Where in the chain the image is that ``word`` names: its path, or ``vda[3]``.

    Raises BadInput.
    """
    for place, layer in enumerate(chain.layers):
        if word in (layer.path, f"{chain.target}[{layer.index}]"):
            return place
        if word.startswith("/") and real(host, word) == real(host, layer.path):
            return place
    raise BadInput(f"{word} is no image of {chain.target}", f"that is {' on '.join(chain.paths)}")
