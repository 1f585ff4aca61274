"""A domain that is off, started for its hypervisor's work on its images: it runs nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import TuivirtError, from_libvirt
from ..lifecycle import force_off, touch

if TYPE_CHECKING:
    from ..host import Host


@contextlib.contextmanager
def awake(host: Host, domain: Any, what: str) -> Iterator[None]:
    """Have the domain there, paused, and off again at the end, if it was off.

    libvirt ends it by itself when this connection does, so that it never stays so. Raises
    TuivirtError. Source: virDomainCreateWithFlags with START_PAUSED and START_AUTODESTROY.
    """
    uuid = domain.UUIDString()
    try:
        was_off = not domain.isActive()
        if was_off:
            flags = libvirt.VIR_DOMAIN_START_PAUSED | libvirt.VIR_DOMAIN_START_AUTODESTROY
            domain.createWithFlags(flags)
    except libvirt.libvirtError as error:
        why = f"{what}: it has to be started for that, without running"
        raise from_libvirt(error, why) from error
    finally:
        touch(host, uuid)
    if not was_off:
        yield
        return
    try:
        yield
    except BaseException as error:
        _off(host, uuid, error if isinstance(error, TuivirtError) else TuivirtError(what))
        raise
    force_off(host, uuid)


def _off(host: Host, uuid: str, first: TuivirtError) -> None:
    """Force it off after an error, which is the one to be told."""
    try:
        force_off(host, uuid)
    except TuivirtError as error:
        first.done = "; ".join(
            part for part in (first.done, f"it is paused still: {error}") if part
        )
