"""How much memory a domain has: what its balloon leaves it, and the most it can have.

Each function is for the host's actions lane and returns what is true when it ends.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import libvirt

from .errors import Aborted, BadInput, TuivirtError, from_libvirt
from .following import Following
from .lifecycle import Progress, domain_to_change, touch
from .model.processors import Memory
from .model.when import When
from .processors import Halves, read_halves, read_live
from .settling import LET_GO_S, Outcome
from .sides import affecting, verify
from .sizes import amount, read_size
from .vcpus import NEXT_BOOT, saved_alone
from .waiters import Waiter, domain_event

if TYPE_CHECKING:
    from .host import Host

LEAST_KIB = 1024
"""With less no guest lives: a number without its unit was meant."""
GIB_KIB = 1 << 20
SLACK_KIB = 1024
"""The balloon takes whole pages, and the hypervisor rounds."""
_NO_MORE = "a guest keeps what it cannot do without; at its next boot it has what is saved"
_NO_BALLOON = (
    "the guest's memory changes once its balloon driver runs; at its next boot it has what is saved"
)


def kib_of(text: str) -> int:
    """``2GiB``, ``512M``, ``1.5 G`` or, as virsh has it, a bare number of KiB. Raises BadInput."""
    size = read_size(text)
    if size is None:
        raise BadInput(f"{text!r} is no amount of memory", advice="give it as 2GiB or 512MiB")
    kib = size // 1024
    if kib < LEAST_KIB:
        raise BadInput(
            f"{text} is {kib} KiB, with which no guest lives",
            advice="give a unit, as in 2GiB or 512MiB",
        )
    return kib


def set_memory(
    host: Host,
    uuid: str,
    size: str,
    when: str = When.AUTO,
    *,
    timeout_s: float = LET_GO_S,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Have the balloon leave a guest ``size``; pending while the guest has not done its part.

    Raises BadInput with nothing changed, where it is more than the domain can have.
    Source: virDomainSetMemoryFlags, and the event BALLOON_CHANGE.
    """
    kib = kib_of(size)
    domain = domain_to_change(host, uuid)
    name, uuid = domain.name(), domain.UUIDString()
    what = f"cannot give {name} {amount(kib)}"
    before = read_halves(domain, what)
    live, saved = before.sides.choose(when)
    _refuse_too_much(before, live, saved, kib, what)
    if progress is not None:
        progress(f"asking for {amount(kib)}", None)
    look = f"cannot tell how much memory {name} has"
    half = f"its saved configuration has {amount(kib)}" if saved else ""
    with Waiter(host, domain_event(uuid, "balloon-change", "lifecycle")) as waiter:
        try:
            domain.setMemoryFlags(kib, affecting(live, saved))
        except libvirt.libvirtError as error:
            raise from_libvirt(error, what) from error
        finally:
            touch(host, uuid)
        after = read_halves(domain, look)
        verify(
            f"there is not {amount(kib)}",
            name,
            live_bad=False,
            saved_bad=saved and (after.saved is None or not _near(after.saved.memory, kib)),
            live=live,
        )

        def reached() -> bool:
            return _near(read_live(domain, look).memory, kib)

        config = before.live if live else before.saved
        was = came = config.memory.now_kib if config is not None else kib
        try:
            done = not live or waiter.until(reached, timeout_s, aborted=aborted)
            if not done:
                came = read_live(domain, look).memory.now_kib
        except Aborted:
            done = False
        except TuivirtError as error:
            error.done = error.done or half
            raise
    ending = f"{name} has {amount(kib)} ({amount(was)} before){before.sides.words(live, saved)}"
    if done:
        return Outcome(ending)
    moved = abs(came - was) >= SLACK_KIB
    text = f"the guest's balloon has not come to {amount(kib)} yet"
    if moved:
        text += f", but to {amount(came)}"
    return Following(
        host,
        domain,
        "; ".join(filter(None, (text, half))),
        _NO_MORE if moved else _NO_BALLOON,
        lambda handle: ending if _near(read_live(handle, look).memory, kib) else "",
    )


def set_max_memory(host: Host, uuid: str, size: str, when: str = When.AUTO) -> str:
    """Set how much memory a domain has at its start, from its next boot on.

    What its balloon leaves it is made to fit where that would be more. Raises BadInput with
    nothing changed. Source: virDomainSetMemoryFlags with VIR_DOMAIN_MEM_MAXIMUM.
    """
    kib = kib_of(size)
    domain = domain_to_change(host, uuid)
    name = domain.name()
    what = f"cannot let {name} have up to {amount(kib)}"
    before = read_halves(domain, what)
    memory = saved_alone(before, when, what, "the most memory").memory
    if memory.cells:
        raise BadInput(
            what,
            f"its memory is shared out to {memory.cells} NUMA cells of the guest",
            "change the cells in its XML",
        )
    if memory.limit_kib and kib > memory.limit_kib:
        raise BadInput(
            what,
            f"with its memory devices it may have {amount(memory.limit_kib)} (maxMemory)",
            "raise that in its XML first",
        )
    try:
        domain.setMemoryFlags(
            kib, libvirt.VIR_DOMAIN_AFFECT_CONFIG | libvirt.VIR_DOMAIN_MEM_MAXIMUM
        )
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    finally:
        touch(host, domain.UUIDString())
    after = read_halves(domain, f"cannot tell how much memory {name} can have").saved
    verify(
        f"the most memory is not {amount(kib)}",
        name,
        live_bad=False,
        saved_bad=after is None or abs(after.memory.max_kib - kib) >= SLACK_KIB,
        live=False,
    )
    assert after is not None
    then = before.sides.words(False, True)
    text = f"{name} can have up to {amount(kib)} ({amount(memory.max_kib)} before){then}"
    if after.memory.now_kib < after.memory.max_kib:
        text += f"; its balloon leaves it {amount(after.memory.now_kib)}, which setmem changes"
    info = host.snapshot.info
    if info is not None and 0 < info.memory_kib < after.memory.max_kib:
        # No refusal: with swap, or a balloon, it may be meant.
        text += f"; host {host.name} itself has {info.memory_kib / GIB_KIB:.1f} GiB"
    return text


def _refuse_too_much(before: Halves, live: bool, saved: bool, kib: int, what: str) -> None:
    now = before.live.memory if before.live is not None else None
    if live and now is not None:
        if kib > now.max_kib:
            later = before.saved is not None and kib <= before.saved.memory.max_kib
            raise BadInput(
                what, f"while it runs it can have {amount(now.max_kib)}", more(now, later)
            )
        if now.balloon == "none":
            raise BadInput(what, "it has no balloon", NEXT_BOOT if before.saved is not None else "")
    then = before.saved.memory if before.saved is not None else None
    if saved and then is not None and kib > then.max_kib:
        raise BadInput(
            what,
            f"its saved configuration lets it have {amount(then.max_kib)}",
            "raise that first: setmaxmem",
        )


def more(now: Memory, later: bool) -> str:
    """What to do for more than a running guest can have."""
    ways = []
    if now.slots > now.devices:
        ways.append("plug in a memory device (attach-memory)")
    ways.append(NEXT_BOOT if later else "raise the most it can have (setmaxmem) and start it anew")
    return ", or ".join(ways)


def _near(memory: Memory, kib: int) -> bool:
    return abs(memory.now_kib - kib) < SLACK_KIB
