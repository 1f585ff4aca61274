"""A backup pushed to files: begun, watched, looked at; taken back where it does not end well."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import libvirt

from ..errors import Aborted, TuivirtError, from_libvirt, with_rest
from ..lifecycle import Progress, touch
from ..model.checkpoint import made_with_backup
from ..model.size import spelled
from ..xml.backup import new_backup
from ..xml.checkpoint import new_checkpoint
from . import job, manifest, qemu_img, unseen
from .before import under_way
from .checkpoints import advice_of
from .folder import folder_of
from .manifest import BackedUp, Manifest
from .order import Order

if TYPE_CHECKING:
    from ..host import Host


def push(
    host: Host,
    uuid: str,
    order: Order,
    *,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Carry an order out; a sentence of what lies where.

    Whatever way it ends, the guest goes on. Aborted or failed, its files, its manifest and its
    checkpoint are removed again. Raises Aborted, TuivirtError. Source: virDomainBackupBegin.
    """
    with unseen.noted(host, uuid, order):
        return _push(host, uuid, order, aborted, progress)


def _push(
    host: Host,
    uuid: str,
    order: Order,
    aborted: threading.Event | None,
    progress: Progress | None,
) -> str:
    assert order.manifest is not None
    what = f"cannot back up {order.name}"
    written = _manifest_of(host, uuid, order)
    domain = host.domain(uuid)
    manifest.write(order.manifest, written, new=True)
    with job.waiter_for(host, uuid) as waiter:
        try:
            domain.backupBegin(backup_xml(order), checkpoint_xml(order), 0)
        except libvirt.libvirtError as error:
            if job.is_away(host):
                said = f"it may have begun: tuivirt backup-info {order.name}"
                raise from_libvirt(error, what, said) from error
            raise with_rest(
                from_libvirt(error, what, advice_for(error, order)), take_back(host, uuid, order)
            ) from error
        try:
            ended = job.follow(
                host,
                uuid,
                waiter,
                saying=f"copying {', '.join(order.files)}",
                aborted=aborted,
                progress=progress,
            )
        except TuivirtError as error:
            raise TuivirtError(
                f"how the backup of {order.name} goes on is not known",
                str(error),
                f"it may go on: tuivirt backup-info {order.name}. {order.manifest} says running",
            ) from error
        finally:
            touch(host, uuid)
    if ended.how == "unknown":
        raise TuivirtError(
            f"the backup of {order.name} is over, and nobody saw how",
            ended.why,
            f"what lies in {order.manifest.parent} may be a part: remove it and begin anew",
        )
    if ended.how != "completed":
        left = take_back(host, uuid, order)
        if ended.how == "cancelled" and aborted is not None and aborted.is_set():
            raise Aborted(f"the backup of {order.name} was aborted", f"it goes on; {left}")
        why = ended.why or _who_ended_it(host, uuid)
        raise TuivirtError(what, f"{why}; {left}", _advice_of_text(why, order))
    if progress is not None:
        progress("looking at what was written", None)
    return _looked_at(order, written, aborted)


def _who_ended_it(host: Host, uuid: str) -> str:
    """Why a job ended that libvirt gives no reason for."""
    try:
        active = bool(host.domain(uuid).isActive())
    except (libvirt.libvirtError, TuivirtError):
        active = False
    return "somebody ended it" if active else "the guest stopped meanwhile"


def backup_xml(order: Order) -> str:
    """As virDomainBackupBegin takes it."""
    return new_backup(
        order.mode,
        order.files,
        tuple(order.left),
        form=order.form,
        incremental=order.incremental,
        server=order.server,
    )


def checkpoint_xml(order: Order) -> str | None:
    """The checkpoint that is made at the same moment, or None."""
    if not order.checkpoint:
        return None
    disks = {disk.target: True for disk in order.disks} | dict.fromkeys(order.left, False)
    folder = str(order.manifest.parent) if order.manifest is not None else ""
    return new_checkpoint(order.checkpoint, made_with_backup(folder), disks)


def _manifest_of(host: Host, uuid: str, order: Order) -> Manifest:
    return Manifest(
        domain=order.name,
        uuid=uuid,
        host=host.name,
        time=order.time,
        generation=order.generation,
        disks=tuple(
            BackedUp(
                disk.target,
                disk.source,
                order.capacities[disk.target],
                Path(order.files[disk.target]).name,
                order.form,
            )
            for disk in order.disks
        ),
        left_out=dict(order.left),
        xml=order.xml,
        checkpoint=order.checkpoint,
        incremental=order.incremental,
        base=order.base[0].name if order.base is not None else "",
    )


def _looked_at(order: Order, written: Manifest, aborted: threading.Event | None) -> str:
    """What was written is checked, and the manifest says what came out. Raises TuivirtError."""
    assert order.manifest is not None
    folder = order.manifest.parent
    wrong = []
    try:
        for disk in written.disks:
            path = folder / disk.file
            if order.incremental:
                # libvirt has written there that the guest's own image, as it is now, lies below.
                qemu_img.lay_on(path, *_below(order, disk.target))
            damage = qemu_img.damage_of(path, disk.format, aborted=aborted)
            size = qemu_img.virtual_size(path, disk.format)
            if size != disk.capacity_bytes:
                damage = f"it holds {size} bytes, and {disk.target} has {disk.capacity_bytes}"
            if damage:
                wrong.append(f"{disk.file}: {damage}")
        done = manifest.finished(written, folder, manifest.DAMAGED if wrong else manifest.COMPLETE)
        manifest.write(order.manifest, done)
    except (TuivirtError, OSError) as error:
        raise TuivirtError(
            f"{order.name} is backed up, but what was written could not be looked at",
            str(error),
            f"{order.manifest} says running until then; who may read {folder} can check it: "
            "qemu-img check",
        ) from error
    if wrong:
        raise TuivirtError(
            f"the backup of {order.name} is damaged", "; ".join(wrong), "is its storage sound?"
        )
    files = [f"{disk.file} ({spelled(disk.size_bytes)})" for disk in done.disks]
    kind = "fully"
    if done.incremental:
        kind = f"with what was written since {done.incremental} (increment {done.generation})"
    more = ""
    if order.base is not None:
        layers = len(manifest.chain(order.manifest))
        more = f"; with {layers - 1} below it, it can be restored"
    elif done.incremental:
        more = "; alone it cannot be restored"
    at = f", checkpoint {done.checkpoint}" if done.checkpoint else ""
    return (
        f"{order.name} is backed up {kind}{at}: {', '.join(files)}, checked{more}. "
        f"Restored by {order.manifest}"
    )


def _below(order: Order, target: str) -> tuple[str, str]:
    """The file that an increment of a disk lies on, and its format; '' where that is not known."""
    disks = order.base[1].disks if order.base is not None else ()
    return next(((disk.file, disk.format) for disk in disks if disk.target == target), ("", ""))


def take_back(host: Host, uuid: str, order: Order) -> str:
    """Remove what an order that did not end well has written; what was removed, and what not.

    Where QEMU writes to it still, as the connection alone broke, or where that cannot be asked,
    nothing is.
    """
    removed, left = [], []
    paths = [folder_of(path) for path in order.files.values()] if order.mode == "push" else []
    try:
        running = under_way(host, uuid)
    except TuivirtError as error:
        return f"whether it goes on could not be asked ({error}): nothing is removed"
    if running is not None and {disk.file for disk in running.disks} & set(order.files.values()):
        return (
            f"it has begun all the same, and goes on: nothing is removed. tuivirt backup-info "
            f"{order.name} shows it, backup-end {order.name} ends it"
        )
    for path in [*paths, order.manifest]:
        if path is None:
            continue
        try:
            path.unlink()
            removed.append(path.name)
        except FileNotFoundError:
            continue  # libvirt removed it, or had not made it.
        except OSError as error:
            left.append(f"{path} ({error.strerror})")
    if order.checkpoint:
        # The next increment would go back to it, and lack what this one was to hold.
        try:
            host.domain(uuid).checkpointLookupByName(order.checkpoint, 0).delete(0)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN_CHECKPOINT:
                # libvirt takes it out of the images of a running guest alone.
                how = f"tuivirt checkpoint-delete {order.name} {order.checkpoint}, once it runs"
                left.append(f"the checkpoint {order.checkpoint} ({error}; {how})")
        except TuivirtError as error:
            left.append(f"the checkpoint {order.checkpoint} ({error})")
    if left:
        return f"what it wrote is left and must be removed: {', '.join(left)}"
    return "what it wrote is removed" if removed else "nothing is left of it"


def advice_for(error: libvirt.libvirtError, order: Order) -> str:
    return _advice_of_text(error.get_error_message() or "", order) or advice_of(error)


def _advice_of_text(text: str, order: Order) -> str:
    low = text.lower()
    where = next(iter(order.files.values()), "")
    folder = Path(where).parent
    if "permission denied" in low:
        return (
            f"QEMU's user must be able to write to {folder}, and to pass through the folders above "
            "it; where AppArmor or SELinux confines QEMU, take a folder that they let it have"
        )
    if "no space" in low:
        return f"make room in {folder}, or name another folder"
    if "bitmap" in low and "inconsistent" in low:
        return (
            "QEMU ended without writing its bitmaps: delete the checkpoint, and take a full backup"
        )
    return ""
