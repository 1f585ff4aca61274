"""Storage pools: start, stop, refresh, autostart."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import TuivirtError, from_libvirt, is_gone
from .events import Event, PoolEvent
from .lifecycle import CONFIRM_TIMEOUT_S
from .model.ref import Kind, Ref
from .waiters import Waiter

if TYPE_CHECKING:
    from .host import Host


def start(host: Host, uuid: str) -> str:
    """Start a pool. Source: virStoragePoolCreate."""
    pool = _pool(host, uuid)
    name = pool.name()
    _act(host, pool, f"cannot start pool {name}", lambda: pool.create(0), active=True)
    return f"pool {name} is active"


def stop(host: Host, uuid: str) -> str:
    """Stop a pool; its volumes stay as they are. Source: virStoragePoolDestroy."""
    pool = _pool(host, uuid)
    name = pool.name()
    _act(host, pool, f"cannot stop pool {name}", pool.destroy, active=False)
    return f"pool {name} is stopped"


def refresh(host: Host, uuid: str) -> str:
    """Have libvirt look again at what is in the pool; blocks until it has.

    Source: virStoragePoolRefresh.
    """
    pool = _pool(host, uuid)
    name = pool.name()
    try:
        pool.refresh(0)
        count = pool.numOfVolumes()
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot refresh pool {name}") from error
    finally:
        _touch(host, pool)
    return f"pool {name} is refreshed: {count} volume{'' if count == 1 else 's'}"


def autostart(host: Host, uuid: str, on: bool) -> str:
    """Have the pool started with the host, or not. Source: virStoragePoolSetAutostart."""
    pool = _pool(host, uuid)
    name = pool.name()
    try:
        pool.setAutostart(1 if on else 0)
        now = bool(pool.autostart())
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot change the autostart of pool {name}") from error
    finally:
        _touch(host, pool)
    if now != on:
        raise TuivirtError(f"the autostart of pool {name} has not changed")
    return f"pool {name} {'starts' if on else 'does not start'} with the host"


def _pool(host: Host, uuid: str) -> Any:
    host.require_write()
    return host.pool(uuid)


def _touch(host: Host, pool: Any) -> None:
    host.touch(Ref(host.name, Kind.POOL, pool.UUIDString()))


def _act(host: Host, pool: Any, what: str, call: Callable[[], object], *, active: bool) -> None:
    uuid = pool.UUIDString()

    def told(event: Event) -> bool:
        return isinstance(event, PoolEvent) and event.key == uuid

    with Waiter(host, told) as waiter:
        try:
            call()
        except libvirt.libvirtError as error:
            raise from_libvirt(error, what) from error
        finally:
            _touch(host, pool)

        def is_true() -> bool:
            try:
                return bool(pool.isActive()) == active
            except libvirt.libvirtError as error:
                if is_gone(error):
                    return not active  # A transient pool that stopped is gone.
                raise from_libvirt(error, what) from error

        if not waiter.until(is_true, CONFIRM_TIMEOUT_S):
            raise TuivirtError(what, "libvirt took the call, but it has not happened")
