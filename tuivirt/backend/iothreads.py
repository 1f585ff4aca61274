"""I/O threads of a domain, added and removed: now, at the next boot, or both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import libvirt

from .errors import BadInput, from_libvirt
from .lifecycle import domain_to_change, touch
from .model.cpuset import write_cpuset
from .model.when import When
from .processors import Halves, read_halves
from .sides import affecting, verify

if TYPE_CHECKING:
    from .host import Host

MOST_NUMBER = (1 << 31) - 1
"""libvirt's call keeps 32 bits of a larger one, and so adds a thread of another number."""


def add_iothread(
    host: Host,
    uuid: str,
    number: int | None = None,
    when: str = When.AUTO,
    *,
    chose: Callable[[int], None] | None = None,
) -> str:
    """Add an I/O thread; of the next free number unless one is given, which ``chose`` is told.

    Raises BadInput with nothing changed. Source: virDomainAddIOThread.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    what = f"cannot add an I/O thread to {name}"
    if number is not None and not 1 <= number <= MOST_NUMBER:
        raise BadInput(
            what, f"{number} is no number of one", f"give one from 1 to {MOST_NUMBER}, or none"
        )
    before = read_halves(domain, what)
    live, saved = before.sides.choose(when)
    # Also the numbers of the other configuration: one number is to mean one thread.
    taken = {t.number for config in before.chosen(True, True) for t in config.iothreads}
    if number is None:
        number = next(n for n in range(1, len(taken) + 2) if n not in taken)
        if chose is not None:
            chose(number)
    for config in before.chosen(live, saved):
        if config.iothread(number) is not None:
            raise BadInput(what, f"it has an I/O thread {number}", "leave the number out")
    try:
        domain.addIOThread(number, affecting(live, saved))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    finally:
        touch(host, domain.UUIDString())
    _verify(host, uuid, f"I/O thread {number} is not added", number, True, live, saved)
    return f"{name} has I/O thread {number}{before.sides.words(live, saved)}"


def remove_iothread(
    host: Host,
    uuid: str,
    number: int,
    when: str = When.AUTO,
    *,
    chose: Callable[[When], None] | None = None,
) -> str:
    """Remove an I/O thread that serves no disk and no controller.

    ``chose`` is told which configurations it is taken from. Raises BadInput with nothing
    changed. Source: virDomainDelIOThread.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    what = f"cannot remove I/O thread {number} from {name}"
    before = read_halves(domain, what)
    live, saved = before.sides.choose(when)
    if when == When.AUTO:
        # What only one of the two has is taken from that one.
        live = live and _has(before, number, live=True)
        saved = saved and _has(before, number, live=False)
        if not live and not saved:
            raise BadInput(what, _none_such(before))
        if chose is not None:
            chose(When.BOTH if live and saved else When.NOW if live else When.NEXT_BOOT)
    for config, where in ((before.live, "running"), (before.saved, "saved")):
        if config is None or not (live if where == "running" else saved):
            continue
        thread = config.iothread(number)
        if thread is None:
            raise BadInput(what, f"the {where} configuration has none of that number")
        if thread.users:
            raise BadInput(
                what,
                f"{', '.join(thread.users)} of the {where} configuration uses it",
                "give that another I/O thread first, or none: it is a field of the device",
            )
    gone = [t.pinned for c in before.chosen(live, saved) if (t := c.iothread(number))]
    pins = next((pinned for pinned in gone if pinned is not None), None)
    try:
        domain.delIOThread(number, affecting(live, saved))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    finally:
        touch(host, domain.UUIDString())
    _verify(host, uuid, f"I/O thread {number} is not removed", number, False, live, saved)
    lost = f"; its pin to CPU {write_cpuset(pins)} went with it" if pins is not None else ""
    return f"I/O thread {number} is gone from {name}{before.sides.words(live, saved)}{lost}"


def _has(before: Halves, number: int, *, live: bool) -> bool:
    config = before.live if live else before.saved
    return config is not None and config.iothread(number) is not None


def _none_such(before: Halves) -> str:
    has = sorted({t.number for config in before.chosen(True, True) for t in config.iothreads})
    return f"it has {', '.join(map(str, has))}" if has else "it has none"


def _verify(
    host: Host, uuid: str, what: str, number: int, there: bool, live: bool, saved: bool
) -> None:
    after = read_halves(host.domain(uuid), f"cannot tell: {what}")
    verify(
        what,
        after.sides.name,
        live_bad=live and _has(after, number, live=True) != there,
        saved_bad=saved and _has(after, number, live=False) != there,
        live=live,
    )
