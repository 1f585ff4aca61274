"""A domain that is off, started for its hypervisor's work on its images: it runs nothing.

libvirt is not told to end it with our connection: whoever has it go on meanwhile would lose a
running guest by that. That it was started is written down instead, and told where it stays so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import libvirt

from ..block_jobs.journal import forget, note
from ..block_jobs.left import AWAKE, by_us
from ..errors import TuivirtError, from_libvirt
from ..lifecycle import force_off, state_of, touch
from ..model.block_job import Begun
from ..model.domain import DomainState
from ..waiters import Waiter, domain_event, lifecycle

if TYPE_CHECKING:
    from ..host import Host


class Awake:
    """How it is at the end."""

    def __init__(self) -> None:
        self.said = ""
        """A clause of what is not as it was before; ''."""


@contextlib.contextmanager
def awake(host: Host, domain: Any, what: str) -> Iterator[Awake]:
    """Have the domain there, paused, and off again at the end, if it was off.

    One that somebody else has go on meanwhile is left to them. Raises TuivirtError. Source:
    virDomainCreateWithFlags with START_PAUSED.
    """
    uuid, end = domain.UUIDString(), Awake()
    begun = Begun("", AWAKE, by_us())
    with Waiter(host, domain_event(uuid, "lifecycle")) as waiter:
        if not _start(host, domain, begun, what):
            yield end
            return
        try:
            yield end
        except BaseException as error:
            _off_after(host, domain, waiter, error)
            raise
        try:
            end.said = _off(host, domain, waiter)
        except TuivirtError as error:
            # What it was started for is done, and is told as done.
            end.said = f"; it was started for that, and may be there still, paused: {error}"
            return
        try:
            forget(host, domain, begun)
        except TuivirtError as error:
            end.said += f"; that it was started for this stays written down ({error})"


def _start(host: Host, domain: Any, begun: Begun, what: str) -> bool:
    """Start it if it is off; whether it was."""
    why = f"{what}: it has to be started for that, without running"
    try:
        if domain.isActive():
            return False
        note(host, domain, begun)
        try:
            domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        except libvirt.libvirtError:
            forget(host, domain, begun)
            raise
    except libvirt.libvirtError as error:
        raise from_libvirt(error, why) from error
    finally:
        touch(host, domain.UUIDString())
    return True


def _off(host: Host, domain: Any, waiter: Waiter) -> str:
    """Force it off, unless it is somebody's; a clause that says so."""
    name = domain.name()
    try:
        state = state_of(domain)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot tell whether {name} runs by now") from error
    if state is None or state is DomainState.SHUTOFF:
        return ""
    resumed = any(lifecycle(each, libvirt.VIR_DOMAIN_EVENT_RESUMED) for each in waiter.events)
    if resumed or state is not DomainState.PAUSED:
        return f"; {name} was resumed by somebody else meanwhile, and is left {state.name.lower()}"
    force_off(host, domain.UUIDString())
    return ""


def _off_after(host: Host, domain: Any, waiter: Waiter, error: BaseException) -> None:
    """The same after an error, which is the one to be told."""
    try:
        said = _off(host, domain, waiter).removeprefix("; ")
    except TuivirtError as second:
        said = f"it may be there still, paused: {second}"
    else:
        try:
            forget(host, domain, Begun("", AWAKE, by_us()))
        except TuivirtError as second:
            noted = f"that it was started for this stays written down ({second})"
            said = "; ".join(each for each in (said, noted) if each)
    if isinstance(error, TuivirtError) and said:
        error.done = "; ".join(each for each in (error.done, said) if each)
