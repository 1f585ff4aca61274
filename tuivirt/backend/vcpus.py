"""How many vCPUs a domain has: now, at the next boot, and at most.

Each function is for the host's actions lane and returns what is true when it ends.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import libvirt

from .capabilities import machine
from .errors import Aborted, BadInput, TuivirtError, from_libvirt
from .following import Following
from .lifecycle import Progress, domain_to_change, touch
from .model.cpuset import write_cpuset
from .model.processors import Processors
from .model.when import When
from .processors import Halves, read_halves, read_live
from .settling import LET_GO_S, Outcome
from .sides import affecting, verify
from .waiters import Waiter, domain_event

if TYPE_CHECKING:
    from .host import Host

MOST_VCPUS = 16384
"""More than any hypervisor has, where a host does not tell how many a machine can have."""
NEXT_BOOT = "do it for the next boot"
_HOTPLUGGABLE: int = libvirt.VIR_DOMAIN_VCPU_HOTPLUGGABLE
_KEPT = "it is the guest that gives a vCPU up; at its next boot it has as many as are saved"


def set_vcpus(
    host: Host,
    uuid: str,
    count: int,
    when: str = When.AUTO,
    *,
    hotpluggable: bool = False,
    timeout_s: float = LET_GO_S,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Give a domain ``count`` vCPUs; pending while the guest has not given up what it is to.

    ``hotpluggable``: those that the saved configuration gets can be taken away while it runs.
    Raises BadInput with nothing changed. Source: virDomainSetVcpusFlags.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    what = f"cannot give {name} {counted(count)}"
    before = read_halves(domain, what)
    live, saved = before.sides.choose(when)
    _refuse_too_many(before, live, saved, count, what)
    fewer = live and before.live is not None and before.live.count > count
    if fewer and before.live is not None:
        _refuse_not_pluggable(before.live, count, what, saved=before.saved is not None)
    if progress is not None:
        progress(f"setting {counted(count)}", None)
    flag = _HOTPLUGGABLE if hotpluggable else 0
    ending = _has(before, live, saved, count, name)
    try:
        if fewer:
            # The saved half is libvirt's alone; the running one is the guest's to do.
            return _take_away(host, domain, before, count, saved, flag, ending, timeout_s, aborted)
        domain.setVcpusFlags(count, affecting(live, saved) | flag)
    except libvirt.libvirtError as error:
        told = from_libvirt(error, what)
        told.done = _done_of_it(domain, before, name)
        raise told from error
    finally:
        touch(host, domain.UUIDString())
    after = read_halves(domain, f"cannot tell how many vCPUs {name} has")
    _verify(after, live, saved, count)
    return Outcome(ending)


def _done_of_it(domain: Any, before: Halves, name: str) -> str:
    """What is done of a change that failed: libvirt plugs one vCPU after the other."""
    if before.live is None:
        return ""
    try:
        now = read_live(domain, f"cannot tell how many vCPUs {name} has").count
    except TuivirtError:
        return ""  # The change's own error tells more.
    return f"the running {name} has {counted(now)} now" if now != before.live.count else ""


def set_most_vcpus(host: Host, uuid: str, count: int, when: str = When.AUTO) -> str:
    """Let a domain have up to ``count`` vCPUs from its next boot on.

    Raises BadInput with nothing changed, where its topology makes another number.
    Source: virDomainSetVcpusFlags with VIR_DOMAIN_VCPU_MAXIMUM.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    what = f"cannot let {name} have up to {counted(count)}"
    before = read_halves(domain, what)
    saved = saved_alone(before, when, what, "the most vCPUs")
    topology = saved.topology
    if topology is not None and topology.vcpus != count:
        raise BadInput(
            what,
            f"its topology, {topology}, makes {topology.vcpus}",
            f"set-topology with --maximum sets both at once, as in {count} sockets of 1 core",
        )
    refuse_beyond(host, before, count, what)
    lost = lost_pins(saved, count)
    try:
        domain.setVcpusFlags(
            count, libvirt.VIR_DOMAIN_AFFECT_CONFIG | libvirt.VIR_DOMAIN_VCPU_MAXIMUM
        )
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    finally:
        touch(host, domain.UUIDString())
    after = read_halves(domain, f"cannot tell how many vCPUs {name} can have").saved
    verify(
        f"the most vCPUs are not {count}",
        name,
        live_bad=False,
        saved_bad=after is None or after.most != count,
        live=False,
    )
    assert after is not None
    then = before.sides.words(False, True)
    return f"{name} can have up to {counted(count)}{then}; it starts with {after.count}{lost}"


def counted(count: int) -> str:
    """``1 vCPU``, ``2 vCPUs``."""
    return f"{count} vCPU{'' if count == 1 else 's'}"


def saved_alone(before: Halves, when: str, what: str, thing: str) -> Processors:
    """The saved configuration, for what only that can change. Raises BadInput."""
    if when in (When.NOW, When.BOTH):
        raise BadInput(what, f"{thing} cannot be changed while it runs", NEXT_BOOT)
    before.sides.choose(When.NEXT_BOOT)
    assert before.saved is not None
    return before.saved


def refuse_beyond(host: Host, before: Halves, count: int, what: str) -> None:
    """Raises BadInput for more vCPUs than the host offers to such a machine.

    libvirt takes any number, and makes room for each at once: a billion of them cost its daemon
    20 GB, and its life.
    """
    assert before.sides.saved is not None
    told = machine(host, before.sides.saved).capabilities
    most = told.vcpus if told is not None and told.vcpus is not None else MOST_VCPUS
    if count > most:
        raise BadInput(what, f"host {host.name} lets such a machine have up to {most}")


def lost_pins(saved: Processors, most: int) -> str:
    """What is said of the pins that go when vCPUs from ``most`` on go; '' when there are none."""
    gone = [
        f"vCPU {vcpu.number} to CPU {write_cpuset(vcpu.pinned)}"
        for vcpu in saved.vcpus[most:]
        if vcpu.pinned is not None
    ]
    return f"; gone with them: the pins of {', '.join(gone)}" if gone else ""


def _refuse_too_many(before: Halves, live: bool, saved: bool, count: int, what: str) -> None:
    if count < 1:
        raise BadInput(what, "a domain has at least one vCPU")
    now = before.live
    if live and now is not None and count > now.most:
        later = before.saved is not None and before.saved.most >= count
        raise BadInput(
            what,
            f"while it runs it can have {now.most}",
            NEXT_BOOT
            if later
            else "set the maximum first (--maximum); it holds from the next boot",
        )
    then = before.saved
    if saved and then is not None and count > then.most:
        raise BadInput(
            what,
            f"its saved configuration lets it have {then.most}",
            "set the maximum first (--maximum)",
        )


def _refuse_not_pluggable(now: Processors, count: int, what: str, *, saved: bool) -> None:
    """Those that it was started with cannot be taken from a running guest."""
    there = [vcpu for vcpu in now.vcpus if vcpu.online]
    if any(vcpu.hotpluggable is None for vcpu in there):
        return  # Not told one by one: libvirt knows.
    able = sum(vcpu.hotpluggable is True for vcpu in there)
    if len(there) - count > able:
        raise BadInput(
            what,
            f"of its {len(there)} only {able} can be taken away while it runs",
            NEXT_BOOT if saved else "",
        )


def _take_away(
    host: Host,
    domain: Any,
    before: Halves,
    count: int,
    saved: bool,
    flag: int,
    ending: str,
    timeout_s: float,
    aborted: threading.Event | None,
) -> Outcome:
    """Take vCPUs away from a running guest. Raises libvirtError, TuivirtError."""
    name, uuid = domain.name(), domain.UUIDString()
    done, why = "", ""
    until = time.monotonic() + timeout_s
    if saved:
        domain.setVcpusFlags(count, affecting(False, True) | flag)
        done = f"its saved configuration has {counted(count)}"
    with Waiter(host, domain_event(uuid)) as waiter:
        try:
            # libvirt's call itself waits for the guest, up to 5 s.
            domain.setVcpusFlags(count, affecting(True, False))
        except libvirt.libvirtError as error:
            told = from_libvirt(error, f"cannot take vCPUs away from the running {name}")
            told.done = done
            if told.code != libvirt.VIR_ERR_OPERATION_TIMEOUT:
                told.advice = told.advice or NEXT_BOOT
                raise told from error
            why = f" ({told.why})"
        look = f"cannot tell how many vCPUs {name} has"

        try:
            gone = waiter.until(
                lambda: read_live(domain, look).count == count,
                max(0.0, until - time.monotonic()),
                aborted=aborted,
            )
        except Aborted:
            gone = False
        except TuivirtError as error:
            error.done = error.done or done
            raise
    after = read_halves(domain, look)
    if gone:
        _verify(after, True, saved, count)
        return Outcome(ending)
    now = after.live.count if after.live is not None else count
    many = now - count
    text = f"{many} of its {now} vCPUs {'is' if many == 1 else 'are'} not gone yet{why}"
    return Following(
        host,
        domain,
        f"{text}; {done}" if done else text,
        _KEPT,
        lambda handle: ending if read_live(handle, look).count == count else "",
    )


def _verify(after: Halves, live: bool, saved: bool, count: int) -> None:
    verify(
        f"there are not {counted(count)}",
        after.sides.name,
        live_bad=live and (after.live is None or after.live.count != count),
        saved_bad=saved and (after.saved is None or after.saved.count != count),
        live=live,
    )


def _has(before: Halves, live: bool, saved: bool, count: int, name: str) -> str:
    was = before.live if live else before.saved
    changed = was is not None and was.count != count
    words = f" ({was.count} before)" if was is not None and changed else ""
    return f"{name} has {counted(count)}{words}{before.sides.words(live, saved)}"
