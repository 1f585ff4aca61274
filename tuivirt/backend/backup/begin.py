"""A backup is begun, whichever way its blocks go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..lifecycle import Progress, domain_to_change
from ..model.finding import Plan
from ..snapshots.judge import refuse
from ..storage.place import seen
from . import order as ordering

if TYPE_CHECKING:
    from ..host import Host


def plan_for(host: Host, uuid: str, values: Mapping[str, Any]) -> Plan:
    """What would be taken and where it would go. Raises BadInput, TuivirtError."""
    return ordering.settle(host, uuid, values).plan


def begin(
    host: Host,
    uuid: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
    tell: Callable[[str], None] | None = None,
) -> str:
    """Back up; a sentence of what lies where. ``tell`` hears where disks are offered.

    Raises Aborted, BadInput, TuivirtError.
    """
    domain = domain_to_change(host, uuid)
    order = ordering.settle(host, uuid, values)
    refuse(order.plan, f"cannot back up {domain.name()}", force)
    if order.mode == "pull":
        from .pull import pull

        return pull(
            host,
            uuid,
            order,
            detached=bool(values.get("detached")),
            aborted=aborted,
            progress=progress,
            tell=tell,
        )
    from .push import push

    said = push(host, uuid, order, aborted=aborted, progress=progress)
    if order.pool is None:
        return said
    return said + seen(host, order.pool, aborted, progress)
