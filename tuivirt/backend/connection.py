"""Opening a connection: a libvirt URI, or a scheme of ours such as the demo's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libvirt

Opener = Callable[[str, bool], Any]
"""(uri, readonly) → something with the methods of libvirt.virConnect; raises libvirtError."""

_openers: dict[str, Opener] = {}


def register_scheme(scheme: str, opener: Opener) -> None:
    """Let URIs of this scheme be opened by ``opener`` in libvirt's place."""
    _openers[scheme] = opener


def open_connection(uri: str, readonly: bool) -> Any:
    """A libvirt connection (libvirt.virConnect, or the demo's that behaves as one).

    May block for as long as the transport does. Raises libvirt.libvirtError.
    """
    scheme = uri.partition(":")[0]
    opener = _openers.get(scheme)
    if opener is not None:
        return opener(uri, readonly)
    return libvirt.openReadOnly(uri) if readonly else libvirt.open(uri)
