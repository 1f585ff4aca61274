"""What a job that was broken off has left: tuivirt, libvirtd or the hypervisor was killed."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import NotFound, TuivirtError, from_libvirt
from ..events import Noticed
from ..model.block_job import Begun, Chain
from ..model.record import record
from ..model.ref import Kind, Ref
from .images import down_from, is_there
from .journal import begun_of
from .read import chains_of, jobs_of

if TYPE_CHECKING:
    from ..host import Host

AWAKE = "awake"
"""Noted of no disk: a domain that was off and is started, paused, for work on its images."""


@record(frozen=True, slots=True)
class Left:
    """Something that is there since."""

    target: str
    """The disk; '': it is about the whole domain."""
    text: str
    """What is there, a sentence without its end."""
    advice: str = ""
    """What can be done about it."""
    spoilt: str = ""
    """An image that is not what it was, nor yet what it shall be."""


def incomplete(path: str) -> str:
    """What is to be said of a copy that has not come to its end."""
    if path.startswith("/dev/"):
        return f"what is in {path} is not complete, and of no use"
    return f"{path} is left, and not complete: delete it"


def left_of(host: Host, domain: Any) -> tuple[Left, ...]:
    """What jobs that were begun from here have left on this domain, of those that run no more.

    Raises TuivirtError.
    """
    begun = begun_of(domain)
    if not begun:
        return ()
    running = {job.target for job in jobs_of(domain)}
    try:
        active = bool(domain.isActive())
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot tell whether {domain.name()} runs") from error
    chains = chains_of(domain, saved=not active)
    found = [
        _left(host, domain.name(), each, _paths(host, chains.get(each.target), active))
        for each in begun
        if each.target not in running and each.kind != AWAKE
    ]
    if active and not running:
        found += [_awake(domain) for each in begun if each.kind == AWAKE and not _goes_on(each)]
    return tuple(each for each in found if each is not None)


def tell(host: Host, uuid: str) -> None:
    """Have the operator know what broken jobs have left on a domain, and the ways out."""
    known = host.snapshot.domains.get(uuid)
    if known is not None and known.stalled_since is not None:
        # Those that answer are not to wait for it.
        said = f"whether jobs on disks of {known.name} were broken off cannot be told now, as it"
        text = f"{said} does not answer: see tuivirt blockjob {known.name}"
        host.tell(Noticed(host=host.name, text=text, target=known.ref))
        return
    try:
        domain = host.domain(uuid)
        name = domain.name()
        texts = [f"{name}: {each.text}: {each.advice}" for each in left_of(host, domain)]
    except NotFound:
        return  # Gone meanwhile, and what was noted of it with it.
    except TuivirtError as error:
        texts = [f"whether jobs on disks were broken off cannot be told: {error}"]
    for text in texts:
        target = Ref(host.name, Kind.DOMAIN, uuid)
        host.tell(Noticed(host=host.name, text=" ".join(text.splitlines()), target=target))


def by_us() -> str:
    """This process, as it is noted: so that nobody takes for broken off what goes on."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _goes_on(begun: Begun) -> bool:
    where, _colon, number = begun.source.rpartition(":")
    return where == socket.gethostname() and os.path.exists(f"/proc/{number}")


def _awake(domain: Any) -> Left | None:
    try:
        paused = domain.state(0)[0] == libvirt.VIR_DOMAIN_PAUSED
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot tell whether {domain.name()} runs") from error
    if not paused:
        return None
    name = domain.name()
    return Left(
        "",
        f"{name} was started, paused, for its snapshots to be merged, and that was broken off; it "
        "has run nothing yet",
        f"merge again, then force it off: tuivirt destroy {name}",
    )


def _paths(host: Host, chain: Chain | None, active: bool) -> tuple[str, ...]:
    if chain is None:
        return ()
    return chain.paths if active else down_from(host, chain.source)


def _left(host: Host, name: str, begun: Begun, now: tuple[str, ...]) -> Left | None:
    """None where it had come to its end."""
    target = begun.target
    if begun.kind == "copy":
        if not now or begun.other in now or is_there(host, begun.other) is False:
            return None
        device = begun.other.startswith("/dev/")
        useless = f"what is in {begun.other}: " if device else f"{begun.other}: delete it, or "
        return Left(
            target,
            f"a copy of {target} to {begun.other} was broken off; {target} is on {now[0]} as "
            f"before, and {begun.other} is not complete",
            f"nothing needs {useless}copy again: tuivirt blockcopy {name} {target} "
            f"--dest {begun.other} --{'blockdev' if device else 'reuse-external'}",
        )
    still = [path for path in begun.merged if path in now]
    if not still:
        return None
    if begun.kind == "pull":
        return Left(
            target,
            f"a pull into {now[0]} was broken off; the guest sees the same as before, and "
            f"{', '.join(still)} {'is' if len(still) == 1 else 'are'} still needed",
            f"do it again while {name} runs: tuivirt blockpull {name} {target}"
            + (f" --base {begun.other}" if begun.other else ""),
        )
    top = "" if begun.kind == "active commit" else f" --top {still[0]}"
    pivot = " --pivot" if begun.kind == "active commit" else ""
    return Left(
        target,
        f"a commit of {', '.join(still)} into {begun.other} was broken off; the guest sees the "
        f"same as before, as the chain is whole, but {begun.other} holds a part of what was "
        "written since: alone it is no state to go back to",
        f"finish it while {name} runs: tuivirt blockcommit {name} {target}{top} --base "
        f"{begun.other}{pivot}",
        spoilt=begun.other,
    )
