"""What there is of a domain's backups: one under way, parts of others, what to go on from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import TuivirtError, from_libvirt, is_unsupported
from ..model.device import Disk
from ..model.finding import Finding, Weight
from ..xml.backup import Backup, parse_backup
from . import manifest
from .checkpoints import broken_of, checkpoints_of
from .choice import text_of

if TYPE_CHECKING:
    from ..host import Host

LAST = "last"
_NO_BACKUP = getattr(libvirt, "VIR_ERR_NO_DOMAIN_BACKUP", 104)


def under_way(host: Host, uuid: str) -> Backup | None:
    """The backup that runs now, anybody's. Source: virDomainBackupGetXMLDesc."""
    return asked(host, uuid)[0]


def asked(host: Host, uuid: str) -> tuple[Backup | None, bool]:
    """As ``under_way``, and whether the host's driver takes backups at all."""
    domain = host.domain(uuid)
    try:
        return parse_backup(str(domain.backupGetXMLDesc(0))), True
    except libvirt.libvirtError as error:
        off = error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID
        if off or error.get_error_code() == _NO_BACKUP or is_unsupported(error):
            return None, not is_unsupported(error)
        raise from_libvirt(error, f"cannot ask about a backup of {domain.name()}") from error


def job_found(running: Backup | None, name: str) -> list[Finding]:
    """That a backup runs, as a finding."""
    if running is None:
        return []
    files = ", ".join(disk.file for disk in running.disks if disk.file)
    what = "to" if running.mode == "push" else "offered, with"
    return [
        Finding(
            Weight.REFUSED,
            f"a backup of it is under way ({running.mode}), {what} {files}",
            f"tuivirt backup-info {name} shows it, backup-end {name} ends it",
        )
    ]


def left_behind(known: Mapping[Path, manifest.Manifest], running: Backup | None) -> list[Finding]:
    """Backups whose end nobody saw."""
    now = {disk.file for disk in running.disks} if running is not None else set()
    said = []
    for path, each in known.items():
        files = [str(path.with_name(disk.file)) for disk in each.disks]
        if each.state != manifest.RUNNING or now & set(files):
            continue
        there = [file for file in files if Path(file).exists()]
        with_it = f", and the checkpoint {each.checkpoint}" if each.checkpoint else ""
        said.append(
            Finding(
                Weight.NOTE,
                f"of the backup that was begun at {each.time} nobody saw the end: what lies there "
                f"may be a part ({', '.join(there) or 'no file of it is left'})",
                f"it is never restored from: remove {', '.join([str(path), *there])}{with_it}",
            )
        )
    return said


def base_of(
    host: Host,
    uuid: str,
    values: Mapping[str, Any],
    known: Mapping[Path, manifest.Manifest],
    disks: tuple[Disk, ...],
) -> tuple[tuple[Path, manifest.Manifest] | None, str, list[Finding]]:
    """The backup that an increment lies on, its checkpoint, and what speaks against it."""
    wanted = text_of(values, "incremental")
    if not wanted:
        return None, "", []
    whole = [
        (path, each)
        for path, each in known.items()
        if each.state == manifest.COMPLETE and each.checkpoint
    ]
    if wanted == LAST:
        if not whole:
            said = "there is no backup of it that was made with a checkpoint and is whole"
            advice = "begin with a full one: --checkpoint NAME, without --incremental"
            return None, LAST, [Finding(Weight.REFUSED, said, advice)]
        base: tuple[Path, manifest.Manifest] | None = whole[-1]
        wanted = whole[-1][1].checkpoint
    else:
        base = next((each for each in reversed(whole) if each[1].checkpoint == wanted), None)
    return base, wanted, _against_base(host, uuid, wanted, base, disks, bool(values.get("pull")))


def _against_base(
    host: Host,
    uuid: str,
    wanted: str,
    base: tuple[Path, manifest.Manifest] | None,
    disks: tuple[Disk, ...],
    pull: bool,
) -> list[Finding]:
    said = []
    full = "take a full backup: without --incremental"
    there = {each.name: each for each in checkpoints_of(host, uuid)}
    if wanted not in there:
        names = ", ".join(there) or "none"
        text = f"libvirt knows no checkpoint {wanted} of it (it has {names})"
        return [Finding(Weight.REFUSED, text, full)]
    for disk in disks:
        if disk.target not in there[wanted].targets:
            text = f"the checkpoint {wanted} does not know {disk.target}"
            advice = f"leave it out (--leave-out {disk.target}), or {full}"
            said.append(Finding(Weight.REFUSED, text, advice))
        elif base is not None and all(each.target != disk.target for each in base[1].disks):
            text = f"{base[0].name} does not hold {disk.target}"
            said.append(Finding(Weight.REFUSED, text, full))
    broken = set(broken_of(host, uuid, wanted)) & {disk.target for disk in disks}
    if broken:
        text = (
            f"what the checkpoint {wanted} has noted of {', '.join(sorted(broken))} is not whole "
        )
        text += "in the images that it has now: it went back to a snapshot, or QEMU was killed"
        name = host.domain(uuid).name()
        advice = f"delete it (tuivirt checkpoint-delete {name} {wanted}), and {full}"
        return [Finding(Weight.REFUSED, text, advice)]
    if base is None and not pull:
        text = f"no backup in that folder was made with the checkpoint {wanted}: this increment "
        text += "alone cannot be restored"
        said.append(Finding(Weight.RISK, text, full))
    elif base is not None:
        try:
            manifest.chain(base[0])
        except TuivirtError as error:
            said.append(Finding(Weight.REFUSED, str(error), full))
    return said
