"""Images made again from a backup, increments applied; the backup's files stay as they are."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import Aborted, BadInput, TuivirtError, from_libvirt, is_gone
from ..here import is_here
from ..images import beside
from ..images.judge import refuse_new
from ..images.lock import Lock
from ..images.place import Taken
from ..lifecycle import Progress
from ..model.finding import Finding, Plan, Weight
from ..model.record import record
from ..model.size import spelled
from ..owners import against_overwriting
from ..snapshots.judge import refuse
from ..xml.restored import restored_domain
from . import choice, folder, manifest, qemu_img
from .choice import text_of
from .manifest import Manifest

if TYPE_CHECKING:
    from ..host import Host


@record(frozen=True, slots=True)
class Layers:
    """A disk, and of what it is put together."""

    target: str
    parts: tuple[tuple[Path, str], ...]
    """Path and format of the full backup and of each increment, in that order."""
    image: Path
    """What is written."""
    capacity_bytes: int
    replaces: bool = False
    """A file is there that it takes the place of."""


@record(frozen=True, slots=True)
class Restoring:
    """A restore, settled."""

    backup: Manifest
    chain: tuple[tuple[Path, Manifest], ...]
    disks: tuple[Layers, ...]
    form: str
    plan: Plan


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options cannot be right."""
    name = text_of(values, "define_as")
    choice.check_name(name, "a domain's name")


def settle(host: Host, values: Mapping[str, Any]) -> Restoring:
    """What would be made, and what speaks against it. Raises BadInput, TuivirtError."""
    check(values)
    if not is_here(host):
        raise BadInput(
            f"the files of host {host.name} are not this machine's",
            advice="run tuivirt there",
        )
    path = folder.folder_of(str(values["manifest"]))
    chain = tuple(manifest.chain(path))
    backup = chain[-1][1]
    place = folder.folder_of(str(values["to"]))
    form = text_of(values, "format_") or "qcow2"
    disks = _layers(chain, backup, place, form)
    findings = _against(host, place, disks)
    findings += _against_files(disks)
    if place.is_dir():
        # No more than the guest ever had, and no more than all parts together.
        most = sum(
            min(each.capacity_bytes, sum(_length(part) for part, _form in each.parts))
            for each in disks
        )
        findings += folder.about_room(place, most, "what is restored")
    define_as = text_of(values, "define_as")
    if define_as:
        findings += _against_name(host, define_as)
    steps = [f"{backup.domain} as it was at {backup.time}, from {len(chain)} backups in a row:"]
    if len(chain) == 1:
        steps[0] = f"{backup.domain} as it was at {backup.time}, from one full backup:"
    steps += [f"   {each[0]}" for each in chain]
    steps += [f"   {e.target}, {spelled(e.capacity_bytes)}: to {e.image}" for e in disks]
    steps += [f"   {target} is not in it: {why}" for target, why in backup.left_out.items()]
    if define_as:
        steps.append(f"A domain {define_as} is defined with these images, and not started.")
    return Restoring(backup, chain, disks, form, Plan(backup.domain, tuple(steps), tuple(findings)))


def plan_for(host: Host, _key: str, values: Mapping[str, Any]) -> Plan:
    """What would be made. Raises BadInput, TuivirtError."""
    return settle(host, values).plan


def restore(
    host: Host,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Make the images, and say how they are used. Each appears whole under its name, or not.

    ``force``: over files that are there. Raises Aborted, BadInput, TuivirtError.
    """
    order = settle(host, values)
    what = f"cannot restore {order.backup.domain}"
    refuse(order.plan, what, force)
    define_as = text_of(values, "define_as")
    if define_as:
        host.require_write()
    done: list[Path] = []
    told: dict[Path, str] = {}
    for disk in order.disks:
        try:
            told[disk.image] = _make(host, order, disk, aborted, progress)
        except TuivirtError as error:
            made = "" if isinstance(error, Taken) else "; nothing is written"
            made = f"; {', '.join(map(str, done))} is written" if done else made
            kind = Aborted if isinstance(error, Aborted) else TuivirtError
            raise kind(what, f"{error}{made}", error.advice) from error
        done.append(disk.image)
    files = ", ".join(f"{e.target}: {e.image}{told[e.image]}" for e in order.disks)
    text = f"{order.backup.domain} of {order.backup.time} is restored, and checked: {files}"
    if not define_as:
        return (
            f"{text}. To use it: --define-as NAME, or give them to a domain (virsh edit). The "
            "configuration of then is in the manifest (xml)"
        )
    return f"{text}. {_define(host, order, define_as, files)}"


def _make(
    host: Host,
    order: Restoring,
    disk: Layers,
    aborted: threading.Event | None,
    progress: Progress | None,
) -> str:
    """One image, written beside until it is whole and checked; what is not sure of it (`unsure`).

    Raises Aborted, TuivirtError.
    """
    image = _place_of(disk)
    with (
        beside.Work("restore", str(order.chain[-1][0]), image) as work,
        contextlib.ExitStack() as held,
    ):
        there = held.enter_context(Lock(image)) if disk.replaces else None
        part = Path(work.path)
        qemu_img.flatten(
            list(disk.parts),
            part,
            order.form,
            aborted=aborted,
            progress=progress,
            saying=f"writing {disk.target}",
        )
        damage = qemu_img.damage_of(part, order.form, aborted=aborted)
        size = qemu_img.virtual_size(part, order.form)
        if damage or size != disk.capacity_bytes:
            why = damage or f"it has {size} bytes, and {disk.target} had {disk.capacity_bytes}"
            raise TuivirtError(f"{disk.image} came out wrong", why)
        return work.put(instead=there, again=partial(_refuse_used, host, order, disk))


def _place_of(disk: Layers) -> str:
    """Where its image really lies: work on it is told by that."""
    return os.path.join(os.path.realpath(disk.image.parent), disk.image.name)


def _refuse_used(host: Host, order: Restoring, disk: Layers) -> None:
    """Raises BadInput where somebody has by now what is overwritten."""
    now = against_overwriting(host, str(disk.image), here=True)
    refuse_new(order.plan.findings, now, f"cannot replace {disk.image}")


def _layers(
    chain: tuple[tuple[Path, Manifest], ...], backup: Manifest, place: Path, form: str
) -> tuple[Layers, ...]:
    found = []
    for disk in backup.disks:
        target = re.sub(r"[^A-Za-z0-9_-]", "_", disk.target)
        domain = re.sub(r"[\x00-\x1f\x7f/]", "_", backup.domain).lstrip(".-") or backup.uuid
        parts = []
        for path, each in chain:
            part = next((other for other in each.disks if other.target == disk.target), None)
            if part is None:
                raise TuivirtError(
                    f"{path} does not hold {disk.target}, and an increment on it does"
                )
            parts.append((path.with_name(part.file), part.format))
        image = place / f"{domain}.{target}.{form}"
        there = os.path.lexists(image)
        found.append(Layers(disk.target, tuple(parts), image, disk.capacity_bytes, there))
    return tuple(found)


def _against(host: Host, place: Path, disks: tuple[Layers, ...]) -> list[Finding]:
    said = folder.against_folder(place, None, ())
    for disk in disks:
        said += beside.about(_place_of(disk), writing=True)
        if os.path.lexists(disk.image):
            said += against_overwriting(host, str(disk.image), here=True)
        if disk.image.is_file() and not disk.image.is_symlink():
            said.append(
                Finding(
                    Weight.RISK,
                    f"there is {disk.image} already, and what it holds would be lost",
                    "name another folder, or --force writes over it",
                )
            )
        elif os.path.lexists(disk.image):
            said.append(Finding(Weight.REFUSED, f"{disk.image} is there, and no plain file"))
        if any(disk.image.resolve() == part.resolve() for part, _form in disk.parts):
            said.append(
                Finding(Weight.REFUSED, f"{disk.image} is a part of the backup", "name another")
            )
    return said


def _against_files(disks: tuple[Layers, ...]) -> list[Finding]:
    return [
        Finding(Weight.REFUSED, f"{part} is missing: {disk.target} cannot be restored without it")
        for disk in disks
        for part, _form in disk.parts
        if not part.is_file()
    ]


def _against_name(host: Host, name: str) -> list[Finding]:
    try:
        host.conn.lookupByName(name)
    except libvirt.libvirtError as error:
        if is_gone(error):
            return []
        raise from_libvirt(error, f"cannot look for {name}") from error
    return [Finding(Weight.REFUSED, f"there is a domain {name} already", "take another name")]


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _define(host: Host, order: Restoring, name: str, files: str) -> str:
    """Define the domain of then under a name. Source: virDomainDefineXML."""
    what = f"cannot define {name}"
    images = {disk.target: str(disk.image) for disk in order.disks}
    try:
        try:
            host.conn.lookupByUUIDString(order.backup.uuid)
            same = False
        except libvirt.libvirtError as error:
            if not is_gone(error):
                raise
            same = name == order.backup.domain
        made = restored_domain(order.backup.xml, name, images, order.form, same=same)
        host.conn.defineXML(made.xml)
    except libvirt.libvirtError as error:
        failure = from_libvirt(error, what)
        failure.done = f"the images are restored: {files}"
        raise failure from error
    said = f"The domain {name} is defined, and off"
    if made.dropped:
        said += f"; it has no {', '.join(made.dropped)}, which the backup did not hold"
    if not same:
        said += "; it has a UUID and network addresses of its own"
    return said
