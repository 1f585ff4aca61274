"""What speaks against moving a domain: pure judgement of facts that were gathered before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..model.finding import Finding, Weight
from ..model.migration import DiskMove, SourceFacts, TargetFacts
from .judge_images import judge_images

REFUSED, RISK, NOTE = Weight.REFUSED, Weight.RISK, Weight.NOTE
MIB = 1024


def judge(
    here: SourceFacts, there: TargetFacts, values: Mapping[str, Any], disks: tuple[DiskMove, ...]
) -> Iterator[Finding]:
    """Everything that is found; ``values`` are the options, settled."""
    yield from _target(here, there)
    yield from _names(here, there, values)
    yield from _domain(here)
    if here.active:
        yield from _hardware(here, there)
    yield from _versions(here, there)
    yield from _networks(here, there)
    yield from judge_images(here, there, values, disks)
    yield from _memory(here, there)
    yield from _ways(here, there, values)
    yield from _left(here, values)


def _target(here: SourceFacts, there: TargetFacts) -> Iterator[Finding]:
    if not there.connected:
        yield Finding(REFUSED, f"{there.name} is not connected: {there.why}", "It is tried again")
    if there.readonly:
        yield Finding(
            REFUSED,
            f"the connection to {there.name} is read-only",
            "Open it without --readonly",
        )
    if there.same_host:
        yield Finding(
            REFUSED,
            f"{there.name} is the same host as {here.host}, by its host UUID",
            "If they are two machines, give each a host_uuid of its own in libvirtd.conf",
        )
    if here.hypervisor and there.hypervisor and here.hypervisor != there.hypervisor:
        yield Finding(
            REFUSED, f"{there.name} runs {there.hypervisor}, {here.host} runs {here.hypervisor}"
        )


def _names(here: SourceFacts, there: TargetFacts, values: Mapping[str, Any]) -> Iterator[Finding]:
    name = values.get("dname") or here.name
    if there.name_taken:
        yield Finding(
            REFUSED,
            f"{there.name} has another domain called {name}",
            "Rename one of the two, or give it another name there (--dname)",
        )
    if there.uuid_active:
        yield Finding(
            REFUSED,
            f"{there.name} runs {there.uuid_of}, which has the same UUID",
            "It would be the same domain twice: shut that one down, and undefine it",
        )
    elif there.uuid_of and there.uuid_of != name:
        yield Finding(
            REFUSED,
            f"{there.name} has {there.uuid_of} with the same UUID",
            "It is a copy of the same domain: undefine it there",
        )
    elif there.uuid_of:
        yield Finding(
            NOTE if values.get("persistent") else RISK,
            f"{there.name} has {name} defined already, off",
            "Its configuration there is replaced by this one",
        )


def _domain(here: SourceFacts) -> Iterator[Finding]:
    if here.job:
        yield Finding(
            REFUSED, f"{here.name} is busy: {here.job}", "Wait for it, or abort it (domjobabort)"
        )
    for count, what, verb in (
        (here.snapshots, "snapshot", "snapshot-delete --metadata"),
        (here.checkpoints, "checkpoint", "checkpoint-delete --metadata"),
    ):
        if count:
            yield Finding(
                REFUSED,
                f"{here.name} has {count} {what}{'s' * (count != 1)}, which libvirt does not move",
                f"Delete their records first (virsh {verb}); redefine them on the target",
            )
    if here.managed_save:
        yield Finding(
            REFUSED,
            f"{here.name} has a managed save, which stays on {here.host}",
            "Start it and move it while it runs, or throw the saved memory away",
        )
    if here.active:
        for device in here.hostdevs:
            yield Finding(
                REFUSED,
                f"{here.name} has a device of its host: {device}",
                "Take it back first (detach-hostdev)",
            )
        for what in here.tied:
            yield Finding(
                REFUSED, f"{here.name} has {what}, which ties it to its host", "Detach it first"
            )
    else:
        for device in (*here.hostdevs, *here.tied):
            yield Finding(
                NOTE,
                f"{here.name} has {device} of {here.host}",
                "It does not start on the target before it has that there, or is changed",
            )
        for has, what in ((here.nvram, "UEFI variables"), (here.tpm, "TPM state")):
            if has:
                yield Finding(
                    RISK,
                    f"the {what} of {here.name} stay on {here.host}",
                    "Move it while it runs: they go along then",
                )


def _hardware(here: SourceFacts, there: TargetFacts) -> Iterator[Finding]:
    if there.machine:
        yield Finding(REFUSED, f"{there.name} cannot run its machine: {there.machine}")
    if there.cpu:
        yield Finding(
            REFUSED,
            f"{there.name} does not have its CPU: {there.cpu}",
            "Give it a CPU that both hosts have (virsh hypervisor-cpu-baseline), and restart it",
        )
    elif there.cpu_unknown:
        yield Finding(NOTE, f"whether {there.name} has its CPU cannot be told: {there.cpu_unknown}")


def _versions(here: SourceFacts, there: TargetFacts) -> Iterator[Finding]:
    hypervisor = here.hypervisor or "hypervisor"
    if here.active and _older(there.hypervisor_version, here.hypervisor_version):
        yield Finding(
            RISK,
            f"{hypervisor} on {there.name} is older: {there.hypervisor_version}, here"
            f" {here.hypervisor_version}",
            "What the guest has may not be known there; then it goes on here",
        )
    if _older(there.libvirt_version, here.libvirt_version):
        yield Finding(
            NOTE,
            f"libvirt on {there.name} is older: {there.libvirt_version}, here"
            f" {here.libvirt_version}",
        )


def _older(one: str, other: str) -> bool:
    def numbers(text: str) -> list[int]:
        return [int(part) for part in re.findall(r"\d+", text)[:2]]

    return bool(one and other) and numbers(one) < numbers(other)


def _networks(here: SourceFacts, there: TargetFacts) -> Iterator[Finding]:
    for kind, source in dict.fromkeys(here.interfaces):
        weight = REFUSED if here.active else NOTE
        if kind == "network":
            if source not in there.networks:
                yield Finding(
                    weight,
                    f"{there.name} has no network {source}",
                    "Define it there, or connect the card to one that both have",
                )
            elif not there.networks[source]:
                yield Finding(
                    weight,
                    f"the network {source} is off on {there.name}",
                    f"Start it: tuivirt net-start {source}@{there.name}",
                )
        elif kind in ("bridge", "direct") and source:
            word = "bridge" if kind == "bridge" else "interface"
            if there.links is None:
                yield Finding(NOTE, f"whether {there.name} has the {word} {source} is not told")
            elif source not in there.links:
                yield Finding(weight, f"{there.name} has no {word} {source}", "Make it there first")


def _memory(here: SourceFacts, there: TargetFacts) -> Iterator[Finding]:
    free = there.memory_free_kib
    if here.active and free is not None and here.memory_kib > free:
        yield Finding(
            RISK,
            f"{here.name} may use {here.memory_kib // MIB} MiB, and {there.name} has"
            f" {free // MIB} MiB free",
            "Make room there first",
        )


def _ways(here: SourceFacts, there: TargetFacts, values: Mapping[str, Any]) -> Iterator[Finding]:
    if values.get("p2p") and here.reaches and not (there.reaches or values.get("desturi")):
        yield Finding(
            REFUSED,
            f"{here.host} cannot open {there.name} by a socket of this machine",
            "Say by which URI it can (--desturi)",
        )
    name = there.hostname.partition(".")[0]
    if here.active and not values.get("migrateuri") and name == "localhost":
        yield Finding(
            REFUSED,
            f"{there.name} calls itself localhost: its memory cannot be sent there by that name",
            "Give its address (--migrateuri tcp://ADDRESS), or give it a name",
        )


def _left(here: SourceFacts, values: Mapping[str, Any]) -> Iterator[Finding]:
    if values.get("keep"):
        yield Finding(
            RISK if here.active else NOTE,
            f"{here.name} stays defined on {here.host} too",
            "Started on both hosts it ruins a disk that both have",
        )
