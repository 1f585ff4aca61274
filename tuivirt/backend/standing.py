"""Guests that stand still over a disk that could not be written to: told, with the way out.

QEMU pauses a guest whose image cannot grow. Nothing of it is lost: it goes on where it was, once
there is room and somebody resumes it. Nobody sees that from the word ``paused``.

That it stands still is told at once. Which disk it is only its monitor knows, and that may hang
with the storage, of many guests at the same time: it is told afterwards, and no look-up waits.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import NotFound, TuivirtError, from_libvirt, is_gone
from .events import DomainEvent, LibvirtEvent, Noticed
from .model.ref import Kind, Ref

if TYPE_CHECKING:
    from .host import Host

_STOPPED = (libvirt.VIR_DOMAIN_EVENT_SUSPENDED, libvirt.VIR_DOMAIN_EVENT_SUSPENDED_IOERROR)
_STANDS = [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_IOERROR]
_AND_THEN = "then resume it: it goes on where it stopped"
_ITS_STORAGE = "See to its storage (dmesg on the host tells)"


def heed(host: Host, event: LibvirtEvent) -> None:
    """Of an event, on libvirt's event thread: tell of a guest that has stopped so."""
    if not isinstance(event, DomainEvent) or event.family != "lifecycle":
        return
    if (event.detail.get("event"), event.detail.get("detail")) == _STOPPED:
        _say(host, _plainly(event.name), event.ref)
        _have_told(host, (event.key,))


def tell_all(host: Host) -> None:
    """Tell of those that stand still as the host is listed."""
    still = [each for each in host.snapshot.domains.values() if each.stands_still]
    if len(still) == 1:
        _say(host, _plainly(still[0].name), still[0].ref)
    elif still:
        from .owners.usage import some

        names = ", ".join(some(sorted(each.name for each in still)))
        _say(
            host,
            f"{len(still)} domains stand still, as a disk of each could not be read or written: "
            f"{names}. See to their storage (dmesg on the host tells), then resume them: they go "
            "on where they stopped",
        )
    if still:
        _have_told(host, [each.uuid for each in still])


def _plainly(name: str) -> str:
    return f"{name} stands still: a disk could not be read or written. {_ITS_STORAGE}, {_AND_THEN}"


def _say(host: Host, text: str, target: Ref | None = None) -> None:
    host.tell(Noticed(host=host.name, text=text, severity="error", target=target))


def _have_told(host: Host, uuids: Iterable[str]) -> None:
    """Have those told of again with their disks; one that hangs keeps none of the others."""
    with contextlib.suppress(RuntimeError):  # The host is being closed: nobody looks any more.
        for uuid in uuids:
            host.remarks.submit(partial(tell, host, uuid), uuid)


def tell(host: Host, uuid: str) -> None:
    """Have the operator know which disk a domain stands still over, and what to do."""
    domain = host.snapshot.domains.get(uuid)
    if domain is not None and domain.stalled_since is not None:
        return  # Its monitor does not answer: those that do are not to wait for it.
    try:
        text = said(host.domain(uuid))
    except NotFound:
        return  # It has ended, and is transient.
    except TuivirtError as error:
        text = f"a domain has stopped over an I/O error, and cannot be asked which: {error}"
    if text:
        _say(host, text, Ref(host.name, Kind.DOMAIN, uuid))


def said(domain: Any) -> str:
    """Which disks it stands still over, and the way out; '' where that is not to be told.

    It may have gone on since, or been ended: nothing is said of what is over.
    Source: virDomainGetState, virDomainGetDiskErrors. Raises TuivirtError.
    """
    from .block_jobs.read import chains_of  # Seldom there: the start need not wait for it.

    name = domain.name()
    errors: dict[str, int] = {}
    try:
        if domain.state(0) == _STANDS:
            errors = domain.diskErrors()
        if not errors or domain.state(0) != _STANDS:
            return ""
    except libvirt.libvirtError as error:
        if is_gone(error):
            raise NotFound(f"{name} is gone") from error
        raise from_libvirt(error, f"cannot ask which disk of {name} failed") from error
    chains = chains_of(domain)

    def where(target: str) -> str:
        source = chains[target].source if target in chains else ""
        return f"{source} ({target})" if source else target

    no_room = libvirt.VIR_DOMAIN_DISK_ERROR_NO_SPACE
    full = [where(target) for target, why in errors.items() if why == no_room]
    failed = [where(target) for target, why in errors.items() if why != no_room]
    if full and not failed:
        return (
            f"{name} stands still: no room is left for {', '.join(full)}. "
            f"Make room there, {_AND_THEN}"
        )
    what = ", ".join(failed + full)
    return f"{name} stands still: {what} could not be read or written. {_ITS_STORAGE}, {_AND_THEN}"
