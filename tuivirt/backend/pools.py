"""Storage pools: start, stop, refresh, autostart."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import libvirt

from .errors import from_libvirt
from .lifecycle import Progress
from .model.ref import Kind
from .storage.slow import call_for_pool
from .storage.slow import refresh as look_again
from .switching import Switch

if TYPE_CHECKING:
    from .host import Host


def start(
    host: Host,
    uuid: str,
    *,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Start a pool; it may hang with its server. Source: virStoragePoolCreate. Raises Aborted."""
    pool = _pool(host, uuid)
    named = f"the start of {pool.label}"

    def create() -> None:
        call_for_pool(lambda: pool.handle.create(0), named, "starting it", aborted, progress)

    pool.turn(f"cannot start {pool.label}", create, active=True)
    return f"{pool.label} is active"


def stop(host: Host, uuid: str) -> str:
    """Stop a pool; its volumes stay as they are. Source: virStoragePoolDestroy."""
    pool = _pool(host, uuid)
    label = pool.label
    pool.turn(f"cannot stop {label}", pool.handle.destroy, active=False)
    return f"{label} is stopped"


def refresh(
    host: Host,
    uuid: str,
    *,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Have libvirt look again at what is in the pool, and wait until it has.

    It may hang with its server. Source: virStoragePoolRefresh. Raises Aborted.
    """
    pool = _pool(host, uuid)
    try:
        look_again(host, pool.handle, aborted, progress)
        count = pool.handle.numOfVolumes()
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot refresh {pool.label}") from error
    finally:
        pool.touch()
    return f"{pool.label} is refreshed: {count} volume{'' if count == 1 else 's'}"


def autostart(host: Host, uuid: str, on: bool) -> str:
    """Have the pool started with the host, or not. Source: virStoragePoolSetAutostart."""
    return _pool(host, uuid).autostart(on)


def _pool(host: Host, uuid: str) -> Switch:
    host.require_write()
    return Switch(host, Kind.POOL, host.pool(uuid))
