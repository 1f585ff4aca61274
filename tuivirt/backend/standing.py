"""Guests that stand still over a disk that could not be written to: told, with the way out.

QEMU pauses a guest whose image cannot grow. Nothing of it is lost: it goes on where it was, once
there is room and somebody resumes it. Nobody sees that from the word ``paused``.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import NotFound, TuivirtError, from_libvirt, is_gone
from .events import DomainEvent, LibvirtEvent, Noticed
from .model.ref import Kind, Ref

if TYPE_CHECKING:
    from .host import Host

_STOPPED = (libvirt.VIR_DOMAIN_EVENT_SUSPENDED, libvirt.VIR_DOMAIN_EVENT_SUSPENDED_IOERROR)
_AND_THEN = "then resume it: it goes on where it stopped"


def heed(host: Host, event: LibvirtEvent) -> None:
    """Of an event, on libvirt's event thread: have a guest that has stopped so told of."""
    if not isinstance(event, DomainEvent) or event.family != "lifecycle":
        return
    if (event.detail.get("event"), event.detail.get("detail")) == _STOPPED:
        _have_told(host, event.key)


def tell_all(host: Host) -> None:
    """Have those told of that stand still as the host is listed."""
    for uuid, domain in host.snapshot.domains.items():
        if domain.stands_still:
            _have_told(host, uuid)


def _have_told(host: Host, uuid: str) -> None:
    with contextlib.suppress(RuntimeError):  # The host is being closed: nobody looks any more.
        host.lookups.submit(partial(tell, host, uuid))


def tell(host: Host, uuid: str) -> None:
    """Have the operator know why a domain stands still, and what to do."""
    try:
        text = said(host.domain(uuid))
    except NotFound:
        return  # It has ended, and is transient.
    except TuivirtError as error:
        text = f"a domain has stopped over an I/O error, and cannot be asked which: {error}"
    target = Ref(host.name, Kind.DOMAIN, uuid)
    host.tell(Noticed(host=host.name, text=text, severity="error", target=target))


def said(domain: Any) -> str:
    """Why it stands still, and the way out. Source: virDomainGetDiskErrors. Raises TuivirtError."""
    from .block_jobs.read import chains_of  # Seldom there: the start need not wait for it.

    name = domain.name()
    try:
        errors: dict[str, int] = domain.diskErrors()
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
    what = ", ".join(failed + full) or "a disk"
    return (
        f"{name} stands still: {what} could not be read or written. "
        f"See to its storage (dmesg on the host tells), {_AND_THEN}"
    )
