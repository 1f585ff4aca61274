"""What can be done to a device of a host itself."""

from __future__ import annotations

from typing import Annotated

from tuivirt.backend.model.resources import NodeDevice

from .registry import Option, Run, action


def _without_functions(device: NodeDevice) -> str:
    return "" if device.virtual_most is not None else "it has no virtual functions (SR-IOV)"


def _lost(device: NodeDevice) -> str:
    count = len(device.virtual_functions)
    return f"The {count} that there are go first, and are made anew." if count else ""


@action(
    "device",
    title="Set its virtual functions",
    virsh="",
    api="sriov_numvfs of the kernel",
    destructive=True,
    confirm="Set the number of virtual functions of {name}?",
    losses=_lost,
    unavailable=_without_functions,
    bulk=False,
)
def set_functions(
    run: Run,
    device: NodeDevice,
    *,
    count: Annotated[
        int, Option("how many; 0 takes all away", label="How many", positional=True, minimum=0)
    ],
    force: Annotated[
        bool, Option("though a domain that is off, or the host, has one of them")
    ] = False,
) -> str:
    """Set how many virtual functions a device shows (SR-IOV); on this machine, as root."""
    from tuivirt.backend.passthrough import functions

    return functions.set_functions(run.host, device.name, count, force=force, progress=run.progress)
