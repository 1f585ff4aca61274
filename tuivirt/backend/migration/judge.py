"""What speaks against moving a domain: pure judgement of facts that were gathered before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..model.finding import Finding, Weight
from ..model.migration import DiskMove, Image, SourceFacts, TargetFacts

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
    for move in disks:
        yield from _disk(move, there, values)
    yield from _copies(here, there, disks, values)
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


def _disk(move: DiskMove, there: TargetFacts, values: Mapping[str, Any]) -> Iterator[Finding]:
    disk = move.disk
    if disk.source_type == "network":
        yield Finding(NOTE, f"{there.name} has to reach the server of {disk.target} as well")
        return
    if move.image is Image.NONE and disk.written:
        return
    if disk.source_type == "volume" and not disk.there.pool:
        yield Finding(
            REFUSED,
            f"{there.name} has no active pool {disk.pool} for {disk.says}",
            "Define and start a pool of that name there",
        )
        return
    if not disk.written:
        yield from _medium(move, there)
        return
    if move.image is Image.OVERWRITE:
        if _copies_all(values):
            yield Finding(
                RISK,
                f"{there.name} has an image {disk.path} already: it is overwritten",
                "Look what it is first",
            )
        else:
            yield Finding(
                REFUSED,
                f"{there.name} has another image {disk.path}",
                "Delete it there, or say that it is overwritten (--copy-storage-all)",
            )
        there_bytes = disk.there.stamp.capacity_bytes if disk.there.stamp else None
        if disk.capacity_bytes and there_bytes and disk.capacity_bytes != there_bytes:
            yield Finding(
                REFUSED,
                f"{disk.path} on {there.name} has {there_bytes} bytes, and here"
                f" {disk.capacity_bytes}",
                "Delete it there, or make it as large as here",
            )
    elif move.image is Image.LOOK and disk.source_type == "block":
        yield Finding(
            RISK,
            f"whether {there.name} sees the same {disk.says} cannot be told",
            "A block device has to be there already: the same one, or say that it is copied"
            " (--copy-storage-all) to one of its size",
        )
    elif move.image is Image.LOOK and _copies_all(values):
        yield Finding(
            RISK,
            f"whether {there.name} has a {disk.path} cannot be told: if so, it is overwritten",
            "Without that option nothing is overwritten",
        )
    elif move.image is Image.LOOK and values.get("shared_storage"):
        yield Finding(
            RISK, f"whether {there.name} has {disk.says} cannot be told: no pool there holds it"
        )
    elif move.image is Image.SHARED and disk.there.stamp is None and not disk.there.pool:
        yield Finding(NOTE, f"{disk.says} is taken for shared, as you say")
    if move.image is Image.COPY and values.get("shared_storage"):
        yield Finding(
            REFUSED,
            f"{there.name} has no {disk.says}",
            "It is not shared: leave --shared-storage out, and it is copied",
        )


def _copies_all(values: Mapping[str, Any]) -> bool:
    return bool(values.get("copy_storage_all") or values.get("copy_storage_inc"))


def _medium(move: DiskMove, there: TargetFacts) -> Iterator[Finding]:
    disk = move.disk
    if disk.there.stamp is not None or move.image is Image.SHARED:
        return
    if disk.there.pool:
        yield Finding(
            REFUSED,
            f"{there.name} does not have the medium {disk.says}, which is not copied",
            f"Eject it (change-media {disk.target} --eject), or put it there",
        )
    else:
        yield Finding(
            NOTE,
            f"whether {there.name} has the medium {disk.says} cannot be told",
            f"If it does not, eject it first (change-media {disk.target} --eject)",
        )


COPIED_FORMATS = ("raw", "qcow2")


def _copies(
    here: SourceFacts, there: TargetFacts, disks: tuple[DiskMove, ...], values: Mapping[str, Any]
) -> Iterator[Finding]:
    copied = [m.disk for m in disks if m.image in (Image.COPY, Image.OVERWRITE)]
    if copied and values.get("tunnelled"):
        yield Finding(
            REFUSED,
            f"a tunnelled migration copies no image, and {copied[0].says} is not on {there.name}",
            "Leave --tunnelled out, or put the image there first",
        )
    for disk in copied:
        if disk.capacity_bytes is None:
            yield Finding(REFUSED, f"the size of {disk.says} cannot be read", "Is it there?")
        if disk.format not in COPIED_FORMATS and disk.source_type != "block":
            yield Finding(
                REFUSED,
                f"{disk.says} has the format {disk.format}, which is not copied",
                "Put it there yourself, and say --shared-storage",
            )
        if disk.target in here.encrypted:
            yield Finding(
                REFUSED,
                f"{disk.says} is encrypted, which is not copied",
                "Put it there yourself, with its secret, and say --shared-storage",
            )
        if disk.source_type == "block" and not here.active:
            yield Finding(
                REFUSED,
                f"the block device {disk.path} of a domain that is off is not copied",
                "Start the domain, and move it while it runs",
            )
        if disk.shareable:
            yield Finding(
                REFUSED, f"{disk.says} is shared with other guests, and is not on {there.name}"
            )
        if disk.backing:
            yield from _backing(disk.says, disk.backing, disk.backing_there, there, values)
        if disk.source_type == "block" and disk.there.stamp is None:
            yield Finding(
                RISK,
                f"the block device {disk.path} has to be on {there.name}, as large as here",
                "It is not made; what is on it is overwritten",
            )


def _backing(
    says: str,
    backing: tuple[str, ...],
    there_too: bool | None,
    there: TargetFacts,
    values: Mapping[str, Any],
) -> Iterator[Finding]:
    if values.get("copy_storage_inc"):
        if there_too is False:
            yield Finding(
                REFUSED,
                f"{there.name} does not have {backing[0]}, on which {says} lies",
                "Put it there first",
            )
        elif there_too is None:
            yield Finding(
                RISK, f"whether {there.name} has {backing[0]}, on which {says} lies, is not told"
            )
        return
    yield Finding(
        REFUSED,
        f"{says} lies on {backing[0]}",
        "Have that file on the target and say --copy-storage-inc, or make the image independent"
        " of it first (virsh blockpull)",
    )


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
