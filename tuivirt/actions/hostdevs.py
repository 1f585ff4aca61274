"""Host devices handed to a domain and taken back.

What carries it out is imported when it is done: the list of domains shall not hold it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.when import When
from tuivirt.backend.settling import LET_GO_S

from .plans import DRY_RUN, FORCE, told
from .registry import Option, Run, action, text_or_pending

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.model.passthrough import Plan

_WHEN = Annotated[When, Option("which configuration: the running one, the saved one, or both")]
_DEVICE = Annotated[
    str,
    Option(
        "libvirt's name of it, a PCI address (04:00.0), or a USB device's bus and number"
        " (002:003) or vendor and product (1234:abcd)",
        positional=True,
    ),
]


def _plan(host: Host, key: str, values: Mapping[str, Any]) -> Plan:
    from tuivirt.backend.passthrough import hand_over

    wish = hand_over.Wish(
        values["device"],
        values.get("when") or When.AUTO,
        bool(values.get("alone")),
        bool(values.get("by_identity")),
    )
    return hand_over.plan_for(host, key, wish)


@action(
    "domain",
    title="Hand a host device over",
    virsh="virsh nodedev-detach {device}; virsh attach-device {name} HOSTDEV.xml {when}",
    api="virNodeDeviceDetachFlags, virDomainAttachDeviceFlags",
    bulk=False,
    plan=_plan,
)
def attach_hostdev(
    run: Run,
    domain: Domain,
    *,
    device: _DEVICE,
    when: _WHEN = When.AUTO,
    alone: Annotated[
        bool, Option("without the functions that belong to it, such as a GPU's sound")
    ] = False,
    by_identity: Annotated[
        bool, Option("a USB device by its vendor and product, whichever port it is in")
    ] = False,
    dry_run: DRY_RUN = False,
    force: FORCE = False,
) -> str:
    """Hand a device of the host to a domain, with what belongs to it."""
    from tuivirt.backend.passthrough import hand_over

    wish = hand_over.Wish(device, when, alone, by_identity)
    if dry_run:
        plan = hand_over.plan_for(run.host, domain.uuid, wish)
        return told(plan, f"{domain.name} would not be given {plan.given[0].name}", force=force)
    return hand_over.hand_over(
        run.host, domain.uuid, wish, force=force, progress=run.progress, aborted=run.aborted
    )


@action(
    "domain",
    title="Take a host device back",
    virsh="virsh detach-device {name} HOSTDEV.xml {when}; virsh nodedev-reattach {device}",
    api="virDomainDetachDeviceFlags, virNodeDeviceReAttach",
    destructive=True,
    confirm="Take a host device back from {name}? What the guest is doing with it ends.",
    bulk=False,
)
def detach_hostdev(
    run: Run,
    domain: Domain,
    *,
    device: _DEVICE,
    when: _WHEN = When.AUTO,
    alone: Annotated[
        bool, Option("without the functions that were given with it, such as a GPU's sound")
    ] = False,
    keep: Annotated[
        bool, Option("leave it bound to vfio-pci, for another guest; not back to the host's driver")
    ] = False,
    timeout: Annotated[
        float, Option("seconds to wait for the guest to let go", label="Wait, seconds", minimum=0)
    ] = LET_GO_S,
) -> str:
    """Take a host device from a domain, and give it back to the host's driver."""
    from tuivirt.backend.passthrough import take_back

    outcome = take_back.take_back(
        run.host,
        domain.uuid,
        device,
        when,
        alone=alone,
        keep=keep,
        timeout_s=timeout,
        progress=run.progress,
        aborted=run.aborted,
        chose=lambda chosen: run.chose(when=chosen),
    )
    return text_or_pending(outcome)
