"""Opening a connection: a libvirt URI, or a scheme of ours such as the demo's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import libvirt

from .opening import Line, cut, forget

if TYPE_CHECKING:
    from .families import Registrations
    from .traffic import Traffic

Opener = Callable[[str, bool], Any]
"""(uri, readonly) → something with the methods of libvirt.virConnect; raises libvirtError."""

_CREDENTIALS = range(libvirt.VIR_CRED_USERNAME, libvirt.VIR_CRED_REALM + 1)
"""All that a person can answer; what is left out (external) is an agent's."""
_openers: dict[str, Opener] = {}


def register_scheme(scheme: str, opener: Opener) -> None:
    """Let URIs of this scheme be opened by ``opener`` in libvirt's place."""
    _openers[scheme] = opener


Answer = Callable[[list[list[Any]], Any], int]
"""libvirt's callback for credentials: fills in the list, returns 0, or -1 for none."""


def open_connection(uri: str, readonly: bool, answer: Answer) -> Any:
    """A libvirt connection (libvirt.virConnect, or the demo's that behaves as one).

    May block for as long as the transport does; ``answer`` is called meanwhile, on this thread,
    for what the transport or SASL want to know. Raises libvirt.libvirtError.
    """
    scheme = uri.partition(":")[0]
    opener = _openers.get(scheme)
    if opener is not None:
        return opener(uri, readonly)
    auth = [list(_CREDENTIALS), answer, None]
    return libvirt.openAuth(uri, auth, libvirt.VIR_CONNECT_RO if readonly else 0)


CALLS_END_S = 60.0
"""For how long a closed connection is held for calls that are under way on it."""


def let_go(
    conn: Any,
    registrations: Registrations | None,
    traffic: Traffic,
    line: Line | None = None,
    silent: bool = False,
) -> None:
    """Close a connection that is not needed, or not there, any more; ``silent``: nor answers."""
    held = None
    with suppress(libvirt.libvirtError):
        # libvirt frees it beneath a call that another thread has under way; a stream holds it.
        held = conn.newStream(0)
    if silent and not traffic.rest(0):
        cut(line)
    if registrations is not None:
        registrations.deregister_all()
    for call in (conn.unregisterCloseCallback, conn.close):
        # Of a connection that is gone nothing can be asked, and nothing is owed.
        with suppress(libvirt.libvirtError):
            call()
    traffic.rest(CALLS_END_S)
    forget(line)
    del held
