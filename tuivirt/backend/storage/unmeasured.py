"""QEMU that could not measure the processor, which it does before it encrypts anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import libvirt

T = TypeVar("T")

SAYS = "accurate cpu usage"
"""Of QEMU's ``Unable to get accurate CPU usage``, seen with 7.2 (qemu-img create -f luks)."""
TRIES = 10
"""Where the kernel counts a thread's time by ticks, one in three fails on a quick processor."""


def until_measured(call: Callable[[], T]) -> T:
    """What ``call`` gives, tried again where QEMU found that its measurement took no time at all.

    It has made nothing by then, and libvirt takes away what it had begun. Raises libvirtError.
    """
    for _ in range(TRIES - 1):
        try:
            return call()
        except libvirt.libvirtError as error:
            if not is_unmeasured(error):
                raise
    return call()


def is_unmeasured(error: libvirt.libvirtError) -> bool:
    """Whether it failed of nothing else."""
    return SAYS in (error.get_error_message() or "").lower()
