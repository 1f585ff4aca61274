"""Opening a connection: a libvirt URI, or a scheme of ours such as the demo's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libvirt

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
