"""Storage pools: start, stop, refresh, autostart."""

from __future__ import annotations

from typing import Annotated

from tuivirt.backend.model.resources import Pool

from .registry import Option, Run, action


def _is_active(pool: Pool) -> str:
    return f"pool {pool.name} is active already" if pool.active else ""


def is_inactive(pool: Pool) -> str:
    return "" if pool.active else f"pool {pool.name} is not active"


def _is_transient(pool: Pool) -> str:
    return "" if pool.persistent else f"pool {pool.name} is transient"


def _lost_with_pool(pool: Pool) -> str:
    if pool.persistent:
        return "Its volumes stay."
    return "It is transient: its configuration is lost; its volumes stay."


@action(
    "pool",
    title="Start",
    key="s",
    virsh="virsh pool-start {name}",
    api="virStoragePoolCreate",
    unavailable=_is_active,
)
def pool_start(run: Run, pool: Pool) -> str:
    """Start a storage pool that is not active."""
    from tuivirt.backend import pools as verbs

    return verbs.start(run.host, pool.uuid, aborted=run.aborted, progress=run.progress)


@action(
    "pool",
    title="Stop",
    key="ctrl+k",
    virsh="virsh pool-destroy {name}",
    api="virStoragePoolDestroy",
    destructive=True,
    confirm="Stop {name}? Guests that have disks in it cannot be started until it is back.",
    losses=_lost_with_pool,
    unavailable=is_inactive,
)
def pool_destroy(run: Run, pool: Pool) -> str:
    """Stop a storage pool; the volumes in it stay as they are."""
    from tuivirt.backend import pools as verbs

    return verbs.stop(run.host, pool.uuid)


@action(
    "pool",
    title="Refresh",
    key="r",
    virsh="virsh pool-refresh {name}",
    api="virStoragePoolRefresh",
    unavailable=is_inactive,
)
def pool_refresh(run: Run, pool: Pool) -> str:
    """Have libvirt look again at what is in the pool."""
    from tuivirt.backend import pools as verbs

    return verbs.refresh(run.host, pool.uuid, aborted=run.aborted, progress=run.progress)


@action(
    "pool",
    title="Start with the host",
    key="o",
    virsh="virsh pool-autostart {name}[disable? --disable]",
    api="virStoragePoolSetAutostart",
    unavailable=_is_transient,
)
def pool_autostart(
    run: Run,
    pool: Pool,
    *,
    disable: Annotated[bool, Option("do not start it with the host any more")] = False,
) -> str:
    """Have the pool started with the host, or no longer."""
    from tuivirt.backend import pools as verbs

    return verbs.autostart(run.host, pool.uuid, not disable)
