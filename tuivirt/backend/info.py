"""What a connection tells of its host, once."""

from __future__ import annotations

from typing import Any

from .errors import if_offered
from .model.host import HostInfo
from .uri import is_local, shown


def _version(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"


def read_info(conn: Any, readonly: bool) -> HostInfo:
    """Versions and size of a host. Five calls.

    Source: virConnectGetLibVersion, virConnectGetVersion, virConnectGetHostname,
    virNodeGetInfo, virConnectGetURI.
    """
    uri = conn.getURI()
    model, memory_mib, cpus, *_ = if_offered(conn.getInfo, ("", 0, 0, 0, 0, 0, 0, 0))
    return HostInfo(
        uri=shown(uri),
        hostname=conn.getHostname(),
        hypervisor=conn.getType(),
        libvirt_version=_version(conn.getLibVersion()),
        hypervisor_version=_version(if_offered(conn.getVersion, 0)),
        cpus=cpus,
        arch=model,
        memory_kib=memory_mib * 1024,
        readonly=readonly,
        local=is_local(uri),
        demo=uri.startswith("demo:"),
    )
