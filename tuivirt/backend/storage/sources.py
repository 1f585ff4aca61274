"""What there is on a host, or on a server that it asks, to make storage pools of."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import libvirt

from ..errors import BadInput, TuivirtError, from_libvirt
from ..lifecycle import Progress
from ..xml.errors import XmlError
from ..xml.new_pool import found_sources, source_to_find
from .slow import call_for_pool

if TYPE_CHECKING:
    from ..host import Host

PATIENCE_S = 30.0
"""A server that answers at all does so within that."""


def find_sources(
    host: Host,
    kind: str,
    server: str,
    port: str,
    initiator: str,
    *,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """What there is to make pools of, a line each. Source: virConnectFindStoragePoolSources.

    A server that is dead is asked for minutes. Raises Aborted, BadInput, TuivirtError.
    """
    place = f"{server}:{port}" if server and port else server
    found = sources(host, kind, place, initiator, aborted=aborted, progress=progress)
    if not found:
        return f"{host.name} finds nothing for a pool of the type {kind}"
    return "\n".join(
        "  ".join(f"{'--' + word.replace('_', '-')} {value}" for word, value in each.items())
        for each in found
    )


def found_in_time(
    host: Host, kind: str, server: str = "", initiator: str = ""
) -> Sequence[Mapping[str, str]]:
    """As `sources`, for who stands before a form meanwhile. Raises Aborted after PATIENCE_S."""
    given_up = threading.Event()
    timer = threading.Timer(PATIENCE_S, given_up.set)
    timer.daemon = True
    timer.start()
    try:
        return sources(host, kind, server, initiator, aborted=given_up)
    finally:
        timer.cancel()


def sources(
    host: Host,
    kind: str,
    server: str,
    initiator: str,
    *,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> Sequence[Mapping[str, str]]:
    """What there is, each by the names of virsh's options. ``server`` may have a port.

    Raises Aborted, BadInput, TuivirtError.
    """
    what = f"cannot look for sources of pools of the type {kind}"
    if kind in ("netfs", "iscsi", "iscsi-direct") and not server:
        raise BadInput(what, "a server is missing", "name the one that is to be asked")
    spec = source_to_find(server, initiator=initiator)
    try:
        conn, asked = host.conn, server or "the host"
        xml = call_for_pool(
            lambda: conn.findStoragePoolSources(kind, spec or None, 0),
            f"the look for sources of pools of the type {kind}",
            f"asking {asked}",
            aborted,
            progress,
        )
        return found_sources(str(xml))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error
