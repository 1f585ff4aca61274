"""What a connection tells of its host, once."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import libvirt

from .errors import is_unsupported
from .model.host import HostInfo


def _version(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"


def _ask(call: Any, otherwise: Any) -> Any:
    try:
        return call()
    except libvirt.libvirtError as error:
        if is_unsupported(error):
            return otherwise
        raise


def is_local(uri: str) -> bool:
    """Whether the daemon behind a URI runs on this machine, as far as the URI tells."""
    parts = urlsplit(uri)
    if parts.scheme.startswith(("test", "demo")):
        return False  # Their paths are made up.
    if parts.hostname:
        return False
    # A socket may be forwarded from anywhere; its paths are then not ours.
    return not ("+unix" in parts.scheme and "socket" in parse_qs(parts.query))


def read_info(conn: Any, uri: str, readonly: bool) -> HostInfo:
    """Versions and size of a host. Five calls.

    Source: virConnectGetLibVersion, virConnectGetVersion, virConnectGetHostname,
    virNodeGetInfo, virConnectGetURI.
    """
    model, memory_mib, cpus, *_ = _ask(conn.getInfo, ("", 0, 0, 0, 0, 0, 0, 0))
    return HostInfo(
        uri=re.sub(r"://([^/@]*):[^/@]*@", r"://\1@", conn.getURI()),
        hostname=conn.getHostname(),
        hypervisor=conn.getType(),
        libvirt_version=_version(conn.getLibVersion()),
        hypervisor_version=_version(_ask(conn.getVersion, 0)),
        cpus=cpus,
        arch=model,
        memory_kib=memory_mib * 1024,
        readonly=readonly,
        local=is_local(uri),
        demo=uri.startswith("demo:"),
    )
