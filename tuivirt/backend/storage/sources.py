"""What there is on a host, or on a server that it asks, to make storage pools of."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import libvirt

from ..errors import BadInput, TuivirtError, from_libvirt
from ..lifecycle import Progress
from ..xml.errors import XmlError
from ..xml.new_pool import found_sources, source_to_find
from .slow import call_for_pool

if TYPE_CHECKING:
    from ..host import Host


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
    what = f"cannot look for sources of pools of the type {kind}"
    if kind in ("netfs", "iscsi", "iscsi-direct") and not server:
        raise BadInput(what, "a server is missing", "name the one that is to be asked")
    spec = source_to_find(server, port, initiator)
    try:
        conn, asked = host.conn, server or "the host"
        xml = call_for_pool(
            lambda: conn.findStoragePoolSources(kind, spec or None, 0),
            f"the look for sources of pools of the type {kind}",
            f"asking {asked}",
            aborted,
            progress,
        )
        found = found_sources(str(xml))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error
    if not found:
        return f"{host.name} finds nothing for a pool of the type {kind}"
    return "\n".join(
        "  ".join(f"{'--' + word.replace('_', '-')} {value}" for word, value in each.items())
        for each in found
    )
