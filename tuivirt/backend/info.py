"""What a connection tells of its host, once."""

from __future__ import annotations

from typing import Any

from .errors import if_offered
from .inventory import Together, in_turn
from .model.host import HostInfo
from .uri import is_local, shown


def _version(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"


def read_info(conn: Any, readonly: bool, together: Together = in_turn) -> HostInfo:
    """Versions and size of a host. Five calls.

    Source: virConnectGetLibVersion, virConnectGetVersion, virConnectGetHostname,
    virNodeGetInfo, virConnectGetURI.
    """
    uri = conn.getURI()
    size, hostname, hypervisor, library, version = together(
        (
            lambda: if_offered(conn.getInfo, ("", 0, 0, 0, 0, 0, 0, 0)),
            conn.getHostname,
            conn.getType,
            conn.getLibVersion,
            lambda: if_offered(conn.getVersion, 0),
        )
    )
    model, memory_mib, cpus, *_ = size
    return HostInfo(
        uri=shown(uri),
        hostname=hostname,
        hypervisor=hypervisor,
        libvirt_version=_version(library),
        hypervisor_version=_version(version),
        cpus=cpus,
        arch=model,
        memory_kib=memory_mib * 1024,
        readonly=readonly,
        local=is_local(uri),
        demo=uri.startswith("demo:"),
    )
