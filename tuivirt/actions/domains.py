"""A domain's life: start, shut down, reboot, suspend, save, autostart, undefine; and its labels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.settling import SHUTDOWN_TIMEOUT_S

from .registry import Option, Run, action

_MODES = ("acpi", "agent", "initctl", "signal", "paravirt")
_ASKED = Annotated[
    str | None,
    Option("how the guest is asked; as the hypervisor prefers when not given", choices=_MODES),
]


def is_off(domain: Domain) -> str:
    """Why something that needs a running guest cannot be done."""
    return "" if domain.active else f"{domain.name} is off"


def _is_on(domain: Domain) -> str:
    return f"{domain.name} is on already" if domain.active else ""


def _cannot_suspend(domain: Domain) -> str:
    if domain.state is DomainState.PAUSED:
        return f"{domain.name} is paused already"
    return is_off(domain)


def _cannot_resume(domain: Domain) -> str:
    if domain.active and domain.state not in (DomainState.PAUSED, DomainState.PMSUSPENDED):
        return f"{domain.name} is not paused"
    return is_off(domain)


def is_transient(domain: Domain) -> str:
    """Why something that needs a saved configuration cannot be done."""
    return "" if domain.persistent else f"{domain.name} is transient: it has no saved configuration"


def _cannot_save(domain: Domain) -> str:
    return is_off(domain) or is_transient(domain)


def _has_no_save(domain: Domain) -> str:
    return "" if domain.managed_save else f"{domain.name} has no managed save"


def _lost_with_power(domain: Domain) -> str:
    if domain.persistent:
        return ""
    return "It is transient: its configuration is lost as well."


def _lost_with_configuration(domain: Domain) -> str:
    said = ["Its disks stay."]
    if domain.active:
        said.append("It runs on, and is gone for good once it stops.")
    return " ".join(said)


@action(
    "domain",
    title="Start",
    key="s",
    virsh="virsh start {name}[paused? --paused][force_boot? --force-boot]",
    api="virDomainCreateWithFlags",
    unavailable=_is_on,
)
def start(
    run: Run,
    domain: Domain,
    *,
    paused: Annotated[bool, Option("leave it paused before its first instruction")] = False,
    force_boot: Annotated[
        bool, Option("boot afresh: throw away the memory that a managed save kept")
    ] = False,
) -> str:
    """Start a domain that is off; one with a managed save goes on where it was saved."""
    from tuivirt.backend import lifecycle

    return lifecycle.start(run.host, domain.uuid, paused=paused, force_boot=force_boot)


@action(
    "domain",
    title="Shut down",
    key="x",
    virsh="virsh shutdown {name}[ --mode {mode}]",
    api="virDomainShutdownFlags",
    confirm="Ask {name} to shut down?",
    unavailable=is_off,
)
def shutdown(
    run: Run,
    domain: Domain,
    *,
    mode: _ASKED = None,
    timeout: Annotated[
        float, Option("seconds to wait until it is off", label="Wait, seconds", minimum=0)
    ] = SHUTDOWN_TIMEOUT_S,
) -> str:
    """Ask the guest to shut down, and wait until it has; one that does not react is told."""
    from tuivirt.backend import lifecycle

    return lifecycle.shutdown(
        run.host,
        domain.uuid,
        mode=mode or lifecycle.ShutdownMode.DEFAULT,
        timeout_s=timeout,
        aborted=run.aborted,
        progress=run.progress,
    )


@action(
    "domain",
    title="Reboot",
    key="r",
    virsh="virsh reboot {name}[ --mode {mode}]",
    api="virDomainReboot",
    confirm="Ask {name} to reboot?",
    unavailable=is_off,
)
def reboot(run: Run, domain: Domain, *, mode: _ASKED = None) -> str:
    """Ask the guest to reboot; whether it does is up to the guest."""
    from tuivirt.backend import lifecycle

    return lifecycle.reboot(run.host, domain.uuid, mode=mode or lifecycle.ShutdownMode.DEFAULT)


@action(
    "domain",
    title="Reset",
    key="ctrl+t",
    virsh="virsh reset {name}",
    api="virDomainReset",
    destructive=True,
    confirm="Reset {name} as if by its reset button? What it has not written to disk is lost.",
    unavailable=is_off,
)
def reset(run: Run, domain: Domain) -> str:
    """Press the reset button: the guest boots anew without shutting down."""
    from tuivirt.backend import lifecycle

    return lifecycle.reset(run.host, domain.uuid)


@action(
    "domain",
    title="Force off",
    key="ctrl+k",
    virsh="virsh destroy {name}[graceful? --graceful]",
    api="virDomainDestroyFlags",
    destructive=True,
    confirm="Force off {name} as if its power were cut? What it has not written to disk is lost.",
    losses=_lost_with_power,
    unavailable=is_off,
)
def destroy(
    run: Run,
    domain: Domain,
    *,
    graceful: Annotated[
        bool, Option("give up rather than kill a hypervisor process that does not end by itself")
    ] = False,
) -> str:
    """Pull the plug: the domain is off at once. Nothing of it is deleted."""
    from tuivirt.backend import lifecycle

    return lifecycle.force_off(run.host, domain.uuid, graceful=graceful)


@action(
    "domain",
    title="Suspend",
    key="p",
    virsh="virsh suspend {name}",
    api="virDomainSuspend",
    confirm="Suspend {name}? Until it is resumed it does nothing, and its network seems dead.",
    unavailable=_cannot_suspend,
)
def suspend(run: Run, domain: Domain) -> str:
    """Pause the guest; it keeps its memory and its devices."""
    from tuivirt.backend import lifecycle

    return lifecycle.suspend(run.host, domain.uuid)


@action(
    "domain",
    title="Resume",
    key="u",
    virsh="virsh resume {name}",
    api="virDomainResume",
    unavailable=_cannot_resume,
)
def resume(run: Run, domain: Domain) -> str:
    """Let a paused guest go on, or wake one that sleeps."""
    from tuivirt.backend import lifecycle

    return lifecycle.resume(run.host, domain.uuid)


@action(
    "domain",
    title="Save and stop",
    key="m",
    virsh="virsh managedsave {name}[bypass_cache? --bypass-cache]",
    api="virDomainManagedSave",
    confirm="Save the memory of {name} on the host and stop it? Its next start goes on from there.",
    unavailable=_cannot_save,
)
def managedsave(
    run: Run,
    domain: Domain,
    *,
    bypass_cache: Annotated[bool, Option("write past the host's page cache")] = False,
) -> str:
    """Save the guest's memory on the host and stop it; its next start goes on from there."""
    from tuivirt.backend import managed_save as saving

    return saving.managed_save(
        run.host,
        domain.uuid,
        bypass_cache=bypass_cache,
        aborted=run.aborted,
        progress=run.progress,
    )


@action(
    "domain",
    title="Throw its saved memory away",
    virsh="virsh managedsave-remove {name}",
    api="virDomainManagedSaveRemove",
    destructive=True,
    confirm="Throw away the saved memory of {name}? Its next start boots afresh; what it had "
    "in memory is lost.",
    unavailable=_has_no_save,
)
def managedsave_remove(run: Run, domain: Domain) -> str:
    """Throw a managed save away: the next start boots afresh."""
    from tuivirt.backend import managed_save as saving

    return saving.managed_save_remove(run.host, domain.uuid)


@action(
    "domain",
    title="Start with the host",
    key="o",
    virsh="virsh autostart {name}[disable? --disable]",
    api="virDomainSetAutostart",
    unavailable=is_transient,
)
def autostart(
    run: Run,
    domain: Domain,
    *,
    disable: Annotated[bool, Option("do not start it with the host any more")] = False,
) -> str:
    """Have the domain started with the host, or no longer."""
    from tuivirt.backend import lifecycle

    return lifecycle.autostart(run.host, domain.uuid, not disable)


@action(
    "domain",
    title="Undefine",
    key="ctrl+d",
    virsh="virsh undefine {name}[managed_save? --managed-save]"
    "[snapshots_metadata? --snapshots-metadata][checkpoints_metadata? --checkpoints-metadata]"
    "[nvram? --nvram][keep_nvram? --keep-nvram][tpm? --tpm][keep_tpm? --keep-tpm]",
    api="virDomainUndefineFlags",
    destructive=True,
    confirm="Undefine {name}? Its configuration is lost.",
    losses=_lost_with_configuration,
    unavailable=is_transient,
)
def undefine(
    run: Run,
    domain: Domain,
    *,
    managed_save: Annotated[bool, Option("remove its saved memory too")] = False,
    snapshots_metadata: Annotated[bool, Option("remove the records of its snapshots too")] = False,
    checkpoints_metadata: Annotated[
        bool, Option("remove the records of its checkpoints too")
    ] = False,
    nvram: Annotated[bool, Option("delete its UEFI variables", label="Delete NVRAM")] = False,
    keep_nvram: Annotated[bool, Option("keep its UEFI variables", label="Keep NVRAM")] = False,
    tpm: Annotated[bool, Option("delete the state of its TPM", label="Delete TPM state")] = False,
    keep_tpm: Annotated[bool, Option("keep the state of its TPM", label="Keep TPM state")] = False,
) -> str:
    """Forget a domain's configuration; its disks stay. What else it has must be decided about."""
    from tuivirt.backend import undefine as undefining

    return undefining.undefine(
        run.host,
        domain.uuid,
        managed_save=managed_save,
        snapshots_metadata=snapshots_metadata,
        checkpoints_metadata=checkpoints_metadata,
        nvram=_fate("NVRAM", delete=nvram, keep=keep_nvram),
        tpm=_fate("TPM state", delete=tpm, keep=keep_tpm),
    )


def _fate(what: str, *, delete: bool, keep: bool) -> str:
    if delete and keep:
        raise BadInput(f"the {what} cannot be both deleted and kept")
    return "delete" if delete else "keep" if keep else ""


def _labels_are_right(values: Mapping[str, Any]) -> None:
    from tuivirt.backend.labels import check

    check(values)


_label = partial(
    action,
    "domain",
    # It is one element with all of them: what is written depends on what is there.
    virsh="virsh metadata {name} https://tuivirt.org/xmlns/domain/1 --key tuivirt --edit",
    api="virDomainSetMetadata",
    check=_labels_are_right,
)
_TAGS = Annotated[
    str, Option("single words, with spaces between them", positional=True, several=True)
]


@_label(title="Tag", key="t")
def tag(run: Run, domain: Domain, *, tags: _TAGS) -> str:
    """Put tags on a domain, which all who look at its host see; /#web shows those with the tag."""
    from tuivirt.backend import labels

    return labels.tag(run.host, domain.uuid, tags)


@_label(title="Take tags away")
def untag(run: Run, domain: Domain, *, tags: _TAGS) -> str:
    """Take tags away from a domain; those that it does not have are no matter."""
    from tuivirt.backend import labels

    return labels.untag(run.host, domain.uuid, tags)


@_label(title="Set its group")
def set_group(
    run: Run,
    domain: Domain,
    *,
    group: Annotated[str, Option("its name", positional=True, several=True)],
) -> str:
    """Say which group a domain belongs to, one at most; :group shows the list by groups."""
    from tuivirt.backend import labels

    return labels.set_group(run.host, domain.uuid, group)


@_label(title="Take it out of its group")
def unset_group(run: Run, domain: Domain) -> str:
    """Take a domain out of its group."""
    from tuivirt.backend import labels

    return labels.set_group(run.host, domain.uuid, "")


@_label(title="Write a note", key="w")
def set_note(
    run: Run,
    domain: Domain,
    *,
    note: Annotated[str, Option("what it says", positional=True, several=True)],
) -> str:
    """Write a note on a domain in place of the one it has, for all who look at its host."""
    from tuivirt.backend import labels

    return labels.set_note(run.host, domain.uuid, note)


@_label(title="Take its note away")
def unset_note(run: Run, domain: Domain) -> str:
    """Take away the note that is written on a domain."""
    from tuivirt.backend import labels

    return labels.set_note(run.host, domain.uuid, "")
