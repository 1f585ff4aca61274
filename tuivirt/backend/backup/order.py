"""What a backup would be: settled from what was said and from the domain as it is now."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import BadInput, from_libvirt
from ..here import is_here
from ..lookups import domain_detail
from ..model.device import Disk, DomainConfig
from ..model.finding import Finding, Plan, Weight
from ..model.record import record
from ..model.size import spelled
from ..storage.place import Place, folder_of_pool
from ..xml.backup import Server
from . import before, choice, folder, manifest
from .checkpoints import checkpoints_of
from .choice import text_of

if TYPE_CHECKING:
    from ..host import Host

PORT = 10809
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@record(frozen=True, slots=True)
class Order:
    """A backup, settled."""

    name: str
    """The domain's."""
    mode: str
    """push or pull."""
    disks: tuple[Disk, ...]
    left: Mapping[str, str]
    """By target, why it is left out."""
    files: Mapping[str, str]
    """By target: where its blocks go (push), or its scratch file (pull); absolute."""
    form: str
    capacities: Mapping[str, int]
    """By target, what the guest sees of it."""
    checkpoint: str
    incremental: str
    """The checkpoint that it goes back to, by name."""
    base: tuple[Path, manifest.Manifest] | None
    """The backup that an increment lies on."""
    manifest: Path | None
    """Where that of this one is written; None: it is pulled."""
    server: Server | None
    """None for a unix socket that is in no folder yet."""
    xml: str
    time: str
    plan: Plan
    pool: Place | None = None
    """The pool that its files are to be seen in."""

    @property
    def generation(self) -> int:
        """0 for a full one."""
        if not self.incremental:
            return 0
        return self.base[1].generation + 1 if self.base is not None else 1


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options cannot be right together."""
    choice.check_name(text_of(values, "checkpoint"), "a checkpoint's name")
    pull = bool(values.get("pull"))
    if pull:
        for word in ("to", "pool", "format_"):
            if values.get(word):
                raise BadInput(
                    f"{word.rstrip('_')} is about a backup that is pushed",
                    "what is pulled is written by whoever pulls it",
                )
        server_of(text_of(values, "listen"))
    else:
        if values.get("to") and values.get("pool"):
            raise BadInput("where the backup goes is said twice", "--to and --pool")
        for word in ("listen", "scratch", "detached"):
            if values.get(word):
                raise BadInput(f"{word} is about a backup that is pulled", advice="--pull")
        if values.get("incremental") and values.get("format_") == "raw":
            raise BadInput(
                "an increment cannot be raw", "what was not written is a hole, which raw has not"
            )
    if values.get("incremental") == before.LAST and pull:
        raise BadInput(
            "which backup was the last one is known of those that are pushed alone",
            advice="name the checkpoint (tuivirt checkpoint-list shows them)",
        )


def server_of(words: str) -> Server | None:
    """``/a/socket``, ``host:port``, ``host`` or ``:port``. Raises BadInput."""
    if not words:
        return None
    if words.startswith("/"):
        return Server(socket=words)
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:/\s]*)(?::(\d{1,5}))?", words)
    port = int(found[2]) if found and found[2] else PORT
    if found is None or not 0 < port < 65536:
        raise BadInput(f"{words!r} is no address", advice="as in localhost:10809, or /a/socket")
    return Server(host=found[1].strip("[]") or "localhost", port=port)


def settle(host: Host, uuid: str, values: Mapping[str, Any]) -> Order:
    """Settle a backup; what speaks against it is in its plan. Raises BadInput, TuivirtError."""
    check(values)
    pool: Place | None = None
    if values.get("pool"):
        pool = folder_of_pool(host, text_of(values, "pool"), "cannot back up to a pool")
        values = {**values, "to": pool.path}
    if not values.get("pull") and not values.get("to"):
        raise BadInput(
            "it is not said where the backup goes",
            advice="--to FOLDER, --pool NAME, or --pull to have another program fetch it",
        )
    detail = domain_detail(host, uuid)
    config = detail.current
    disks, left = choice.choose(config, text_of(values, "leave_out"))
    active = detail.live is not None
    pull = bool(values.get("pull"))
    form = text_of(values, "format_") or "qcow2"
    place = folder.folder_of(text_of(values, "to")) if not pull else None
    findings = choice.against_all(host, disks, active)
    findings += before.job_found(before.under_way(host, uuid), config.name)
    known: dict[Path, manifest.Manifest] = {}
    if place is not None and not is_here(host):
        findings.append(
            Finding(
                Weight.REFUSED,
                f"the files of host {host.name} are not this machine's: neither room nor result "
                "could be looked at",
                "run tuivirt there, or have the backup pulled (--pull --listen ADDRESS)",
            )
        )
    elif place is not None and place.is_dir():
        known = dict(manifest.of_domain(place, uuid))
        findings += before.left_behind(known, before.under_way(host, uuid))
    base, incremental, more = before.base_of(host, uuid, values, known, disks)
    findings += more
    checkpoint = text_of(values, "checkpoint")
    if checkpoint:
        findings += choice.against_bitmaps(disks) + choice.against_snapshots(host, uuid)
        if any(each.name == checkpoint for each in checkpoints_of(host, uuid)):
            said = f"there is a checkpoint {checkpoint} already"
            findings.append(Finding(Weight.REFUSED, said, "give it another name"))
    generation = (base[1].generation + 1 if base else 1) if incremental else 0
    kind = f"inc{generation}" if incremental else "full"
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
    called = file_name(config)
    server = server_of(text_of(values, "listen"))
    capacities, allocated = _sizes(host, uuid, disks) if active else ({}, {})
    own: Path | None = None
    needed = 0
    if place is not None:
        names = {disk.target: f"{called}.{disk.target}.{stamp}.{kind}.{form}" for disk in disks}
        files = {target: str(place / name) for target, name in names.items()}
        own = place / f"{called}.{stamp}.{kind}.json"
        if is_here(host):
            user = folder.hypervisor_user(detail.live_xml) if active else None
            findings += folder.against_folder(place, user, [*names.values(), own.name])
            needed = _needed(host, uuid, incremental, disks, capacities, allocated, form)
            findings += folder.about_room(place, needed, "the backup") if place.is_dir() else []
    else:
        files = _scratch(disks, text_of(values, "scratch"), called, stamp)
        findings += _about_pull(host, files, server)
    findings += folder.against_breaks(files.values())
    findings += choice.about_left_out(left, config)
    if not checkpoint:
        note = "no increment can follow this one: no checkpoint is made with it"
        findings.append(Finding(Weight.NOTE, note, "--checkpoint NAME makes one"))
    order = Order(
        name=config.name,
        mode="pull" if pull else "push",
        disks=disks,
        left=left,
        files=files,
        form=form,
        capacities=capacities,
        checkpoint=checkpoint,
        incremental=incremental,
        base=base,
        manifest=own,
        server=server,
        xml=detail.saved_xml or detail.live_xml,
        time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        plan=Plan(config.name, (), tuple(findings)),
        pool=pool,
    )
    return _with_steps(order, needed)


def _with_steps(order: Order, needed: int) -> Order:
    from dataclasses import replace

    what = "A full backup"
    if order.incremental:
        what = f"What was written since the checkpoint {order.incremental}"
    how = {"push": "is copied to files", "pull": "is offered to whoever fetches it (NBD)"}
    steps = [f"{what} of {order.name} {how[order.mode]}; the guest runs on:"]
    into = "to" if order.mode == "push" else "what is overwritten meanwhile is kept in"
    for disk in order.disks:
        size = order.capacities.get(disk.target)
        of = f", {spelled(size)}" if size is not None else ""
        steps.append(f"   {disk.target} ({disk.source}{of}): {into} {order.files[disk.target]}")
    steps += [f"   {target}: left out, {why}" for target, why in order.left.items()]
    if order.manifest is not None:
        steps.append(f"It takes up to {spelled(needed)}; {order.manifest} tells of it.")
    if order.base is not None:
        steps.append(f"It lies on {order.base[0].name}, which is needed to restore it.")
    if order.checkpoint:
        steps.append(f"The checkpoint {order.checkpoint} is made at the same moment.")
    return replace(order, plan=replace(order.plan, steps=tuple(steps)))


def file_name(config: DomainConfig) -> str:
    """The domain's name as a part of a file's; its UUID where that would be too long."""
    name = re.sub(r"[\x00-\x1f\x7f/]", "_", config.name).lstrip(".-")
    return name if name and len(name.encode()) <= 150 else config.uuid


def _sizes(host: Host, uuid: str, disks: tuple[Disk, ...]) -> tuple[dict[str, int], dict[str, int]]:
    """By target: what the guest sees, and what its image has taken. virDomainGetBlockInfo."""
    domain, capacity, allocated = host.domain(uuid), {}, {}
    for disk in disks:
        try:
            size, taken, _physical = domain.blockInfo(disk.target)
        except libvirt.libvirtError as error:
            raise from_libvirt(error, f"cannot read the size of {disk.target}") from error
        capacity[disk.target] = int(size)
        # Of a block device everything may be taken.
        allocated[disk.target] = int(taken) if disk.source_type == "file" and taken else int(size)
    return capacity, allocated


def _needed(
    host: Host,
    uuid: str,
    incremental: str,
    disks: tuple[Disk, ...],
    capacities: Mapping[str, int],
    allocated: Mapping[str, int],
    form: str,
) -> int:
    if incremental:
        found = checkpoints_of(host, uuid, sizes=True)
        since = next((each for each in found if each.name == incremental), None)
        dirty = {disk.target: disk.size_bytes for disk in since.disks} if since else {}
        return sum(
            size if (size := dirty.get(disk.target)) is not None else capacities.get(disk.target, 0)
            for disk in disks
        )
    sizes = allocated if form == "qcow2" else capacities
    return sum(min(sizes.get(d.target, 0), capacities.get(d.target, 0)) for d in disks)


def _scratch(disks: tuple[Disk, ...], place: str, called: str, stamp: str) -> dict[str, str]:
    files = {}
    for disk in disks:
        beside = Path(disk.source).parent if disk.source.startswith("/") else Path("/var/tmp")
        if disk.source_type == "block":
            beside = Path("/var/tmp")
        where = folder.folder_of(place) if place else beside
        files[disk.target] = str(where / f"{called}.{disk.target}.{stamp}.scratch")
    return files


def _about_pull(host: Host, files: Mapping[str, str], server: Server | None) -> list[Finding]:
    said = []
    if not is_here(host) and server is None:
        text = f"no folder for a socket can be made on host {host.name} from here"
        said.append(Finding(Weight.REFUSED, text, "--listen localhost:10809, or a socket's path"))
    if server is not None and not server.socket and server.host not in _LOOPBACK:
        text = f"whoever reaches {server.host}:{server.port} can read the disks: nothing asks who"
        said.append(Finding(Weight.RISK, text, "listen on localhost, and go there by ssh -L"))
    if is_here(host):
        for target, file in files.items():
            if not Path(file).parent.is_dir():
                text = f"the scratch file of {target} has no folder: {Path(file).parent}"
                said.append(Finding(Weight.REFUSED, text, "name one: --scratch FOLDER"))
    text = "scratch files grow with what the guest overwrites, and are removed at the end"
    said.append(Finding(Weight.NOTE, text))
    return said
