"""The life of a domain: start, shut down, reboot, suspend, autostart.

Each function blocks until libvirt's event or a re-read says that it is done, and then returns a
sentence of what is true now; or it raises a TuivirtError. They are for the host's actions lane.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import libvirt

from . import listening
from .errors import Aborted, BadInput, TuivirtError, from_libvirt, is_gone
from .model.domain import DomainState
from .model.ref import Kind, Ref
from .settling import SHUTDOWN_TIMEOUT_S
from .waiters import Waiter, domain_event, lifecycle

if TYPE_CHECKING:
    from .host import Host

Progress = Callable[[str, float | None], None]
"""(what is being done, how far from 0 to 1 or None)."""

STOP_TOLD_S = 2.0
"""For how long the event of a domain that is off already is waited for."""
CONFIRM_TIMEOUT_S = 10.0
"""How long a call that already returned may take to show in a re-read."""


class ShutdownMode(StrEnum):
    """How the guest is asked; the values are virsh's words."""

    DEFAULT = "default"
    """What the hypervisor prefers: ACPI for QEMU, or the agent when it is there."""
    ACPI = "acpi"
    AGENT = "agent"
    INITCTL = "initctl"
    SIGNAL = "signal"
    PARAVIRT = "paravirt"


_SHUTDOWN_FLAGS = {
    ShutdownMode.DEFAULT: 0,
    ShutdownMode.ACPI: libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
    ShutdownMode.AGENT: libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT,
    ShutdownMode.INITCTL: libvirt.VIR_DOMAIN_SHUTDOWN_INITCTL,
    ShutdownMode.SIGNAL: libvirt.VIR_DOMAIN_SHUTDOWN_SIGNAL,
    ShutdownMode.PARAVIRT: libvirt.VIR_DOMAIN_SHUTDOWN_PARAVIRT,
}
# The reboot flags have the same numbers; libvirt's headers keep them apart only by name.


def domain_to_change(host: Host, uuid: str) -> Any:
    """The virDomain, to be changed. Raises ReadOnly, NotFound or NotConnected."""
    host.require_write()
    return host.domain(uuid)


def touch(host: Host, uuid: str) -> None:
    """Have the host read this domain again, so that the screen follows at once."""
    host.touch(Ref(host.name, Kind.DOMAIN, uuid))


def state_of(domain: Any) -> DomainState | None:
    """What libvirt says now; None when the domain exists no more."""
    try:
        return DomainState(domain.state(0)[0])
    except libvirt.libvirtError as error:
        if is_gone(error):
            return None
        raise


def start(host: Host, uuid: str, *, paused: bool = False, force_boot: bool = False) -> str:
    """Start a domain that is off. ``force_boot`` throws a managed save away.

    One whose console is open in this program is kept paused until the console listens again:
    what the firmware says first would be lost. Raises BadInput where a disk holds a part of an
    upload. Source: virDomainCreateWithFlags.
    """
    from .storage.half_disks import refuse_start

    domain = domain_to_change(host, uuid)
    name, uuid = domain.name(), domain.UUIDString()
    refuse_start(host, domain, afresh=force_boot)
    listeners = [] if paused else listening.waiting(host, uuid)
    if listeners:
        start(host, uuid, paused=True, force_boot=force_boot)
        listening.wait_until_open(listeners)
        try:
            return resume(host, uuid)
        except TuivirtError as error:
            error.done = f"{name} was started, and is paused"
            raise
    flags = libvirt.VIR_DOMAIN_START_PAUSED if paused else 0
    flags |= libvirt.VIR_DOMAIN_START_FORCE_BOOT if force_boot else 0
    wanted = (DomainState.PAUSED,) if paused else (DomainState.RUNNING, DomainState.BLOCKED)
    seen = _act(
        host,
        domain,
        f"cannot start {name}",
        lambda: domain.createWithFlags(flags),
        lambda state: state in wanted,
        # A paused start tells `started` and `suspended`; a guest may also end at once.
        happened=(libvirt.VIR_DOMAIN_EVENT_STARTED,),
    )
    if seen is None or not seen.active:
        raise TuivirtError(
            f"{name} started but has already stopped again",
            advice="its log says why: open the domain and look at its events",
        )
    return f"{name} is {'started, and paused' if paused else 'running'}"


def shutdown(
    host: Host,
    uuid: str,
    *,
    mode: str = ShutdownMode.DEFAULT,
    timeout_s: float = SHUTDOWN_TIMEOUT_S,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Ask the guest to shut down, and wait up to ``timeout_s`` seconds until it has.

    Aborting stops the waiting only: the guest has been asked. Source: virDomainShutdownFlags.
    """
    domain = domain_to_change(host, uuid)
    name, uuid = domain.name(), domain.UUIDString()
    flags = _SHUTDOWN_FLAGS[_mode(mode)]
    with Waiter(host, domain_event(uuid, "lifecycle")) as waiter:
        try:
            domain.shutdownFlags(flags)
        except libvirt.libvirtError as error:
            raise from_libvirt(
                error, f"cannot shut down {name}", _agentless(error, mode)
            ) from error
        if progress is not None:
            progress("it has been asked to shut down", None)

        def is_off() -> bool:
            state = _state(domain, f"cannot tell whether {name} has shut down")
            return (
                state is None or not state.active or _told(waiter, libvirt.VIR_DOMAIN_EVENT_STOPPED)
            )

        try:
            off = waiter.until(is_off, timeout_s, aborted=aborted)
        except Aborted as error:
            raise Aborted(
                f"no longer waiting for {name} to shut down",
                "it has been asked, and may still do so",
            ) from error
        finally:
            touch(host, uuid)
        if off and _has_left(waiter, domain):
            raise TuivirtError(
                f"{name} has not shut down on {host.name}",
                "it was moved to another host meanwhile, and may run on there",
                advice="look at it there, and ask it again",
            )
    if not off:
        raise TuivirtError(
            f"{name} has not shut down after {timeout_s:g} s",
            "the guest has been asked but does not react",
            advice="wait longer (--timeout), or force it off",
        )
    heard = _told(waiter, libvirt.VIR_DOMAIN_EVENT_STOPPED)
    if not heard and _state(domain, f"cannot tell where {name} is") is None:
        # How it went was not heard: the line was cut meanwhile.
        return f"{name} is not on {host.name} any more"
    return f"{name} is off"


def reboot(host: Host, uuid: str, *, mode: str = ShutdownMode.DEFAULT) -> str:
    """Ask the guest to reboot. Whether it does is up to the guest: the `reboot` event tells.

    Source: virDomainReboot.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    try:
        domain.reboot(_SHUTDOWN_FLAGS[_mode(mode)])
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot reboot {name}", _agentless(error, mode)) from error
    touch(host, domain.UUIDString())
    return f"{name} has been asked to reboot"


def reset(host: Host, uuid: str) -> str:
    """Press the reset button: the guest boots anew, not shut down. Source: virDomainReset."""
    domain = domain_to_change(host, uuid)
    name = domain.name()
    try:
        domain.reset(0)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot reset {name}") from error
    touch(host, domain.UUIDString())
    return f"{name} has been reset"


def force_off(host: Host, uuid: str, *, graceful: bool = False) -> str:
    """Pull the plug. ``graceful``: do not kill a hypervisor that does not end when asked to.

    Source: virDomainDestroyFlags.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    flags = libvirt.VIR_DOMAIN_DESTROY_GRACEFUL if graceful else 0
    _act(
        host,
        domain,
        f"cannot force off {name}",
        lambda: domain.destroyFlags(flags),
        lambda state: state is None or not state.active,
        happened=(libvirt.VIR_DOMAIN_EVENT_STOPPED,),
        advice="without --graceful its process is killed" if graceful else "",
    )
    return f"{name} is off"


def suspend(host: Host, uuid: str) -> str:
    """Pause the guest's CPUs; it keeps its memory. Source: virDomainSuspend."""
    domain = domain_to_change(host, uuid)
    name = domain.name()
    _act(
        host,
        domain,
        f"cannot suspend {name}",
        domain.suspend,
        lambda state: state is DomainState.PAUSED,
    )
    return f"{name} is paused"


def resume(host: Host, uuid: str) -> str:
    """Let a paused guest go on, or wake one that sleeps.

    Source: virDomainResume, virDomainPMWakeup.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    asleep = _state(domain, f"cannot resume {name}") is DomainState.PMSUSPENDED
    _act(
        host,
        domain,
        f"cannot {'wake' if asleep else 'resume'} {name}",
        (lambda: domain.pMWakeup(0)) if asleep else domain.resume,
        lambda state: state in (DomainState.RUNNING, DomainState.BLOCKED),
    )
    return f"{name} is running"


def autostart(host: Host, uuid: str, on: bool) -> str:
    """Have the domain started with the host, or not; a disk with a part of an upload is told.

    Source: virDomainSetAutostart.
    """
    from .storage.half_disks import told

    domain = domain_to_change(host, uuid)
    name = domain.name()
    try:
        domain.setAutostart(1 if on else 0)
        now = bool(domain.autostart())
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot change the autostart of {name}") from error
    finally:
        touch(host, domain.UUIDString())
    if now != on:
        raise TuivirtError(f"the autostart of {name} has not changed")
    if not on:
        return f"{name} does not start with the host"
    # libvirtd starts it whatever its disks hold.
    return f"{name} starts with the host{told(host, domain)}"


def _mode(mode: str) -> ShutdownMode:
    try:
        return ShutdownMode(mode)
    except ValueError as error:
        raise BadInput(
            f"there is no way to shut down called {mode!r}", f"one of {', '.join(ShutdownMode)}"
        ) from error


def _agentless(error: libvirt.libvirtError, mode: str) -> str:
    """What to do where the domain has no guest agent's channel; else nothing of its own."""
    unsupported = error.get_error_code() == libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED
    if mode != ShutdownMode.AGENT or not unsupported:
        return ""
    return "give the domain a channel for the agent, or ask by the power button (--mode acpi)"


def _told(waiter: Waiter, *numbers: int) -> bool:
    return any(lifecycle(event, *numbers) for event in waiter.events)


def _has_left(waiter: Waiter, domain: Any) -> bool:
    """Whether a domain that is off here went to another host.

    Of one that is not even defined any more only its event tells.
    """
    waiter.until(lambda: _told(waiter, libvirt.VIR_DOMAIN_EVENT_STOPPED), STOP_TOLD_S)
    stopped, moved = libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_MIGRATED
    if _told(waiter, stopped):
        return any(lifecycle(event, stopped, detail=moved) for event in waiter.events)
    try:
        state, reason = domain.state(0)
    except libvirt.libvirtError as error:
        if is_gone(error):
            return False
        raise from_libvirt(error, "cannot tell whether it has moved") from error
    return (state, reason) == (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_MIGRATED)


def _state(domain: Any, what: str) -> DomainState | None:
    try:
        return state_of(domain)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error


def _act(
    host: Host,
    domain: Any,
    what: str,
    call: Callable[[], object],
    reached: Callable[[DomainState | None], bool],
    *,
    happened: tuple[int, ...] = (),
    advice: str = "",
) -> DomainState | None:
    """Make a call and wait until a re-read shows the state, or an event told that it was there.

    Returns the state last read. ``happened``: lifecycle events that say it was reached even if
    it has changed again since.
    """
    uuid = domain.UUIDString()
    seen: DomainState | None = None
    with Waiter(host, domain_event(uuid, "lifecycle")) as waiter:
        try:
            call()
        except libvirt.libvirtError as error:
            raise from_libvirt(error, what, advice) from error
        finally:
            touch(host, uuid)

        def is_true() -> bool:
            nonlocal seen
            seen = _state(domain, what)
            return reached(seen) or bool(happened and _told(waiter, *happened))

        if not waiter.until(is_true, CONFIRM_TIMEOUT_S):
            raise TuivirtError(
                what,
                f"libvirt took the call, but the domain is {seen.word if seen else 'gone'}",
                advice,
            )
    return seen
