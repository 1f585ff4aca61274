"""New images on those that a snapshot kept: all there before any domain is told of one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import libvirt

from ..block_jobs.images import is_there
from ..errors import TuivirtError, from_libvirt
from ..here import is_here
from ..images import tool
from ..model.finding import Finding, Weight
from ..model.record import record
from ..model.snapshot import Snapshot
from ..naming import sync
from ..xml.volume import new_volume

if TYPE_CHECKING:
    from ..host import Host

FORM = "qcow2"
_ANSWER_S = 60.0


@record(frozen=True, slots=True)
class Overlay:
    """An image that is to be made."""

    path: str
    kept: str
    """What it lies on, which nobody writes to from then on."""
    kept_form: str
    """Its format, as the snapshot's record tells: never guessed from what a guest wrote."""


def settle(
    host: Host, snapshot: Snapshot, forms: Mapping[str, str]
) -> tuple[dict[str, Overlay], list[Finding]]:
    """By target what would be made for a domain to go back, and what speaks against it.

    ``forms``: the kept images' formats by path. Their names hold no time, so that those that are
    shown are those that are made.
    """
    found: dict[str, Overlay] = {}
    findings: list[Finding] = []
    taken: set[str] = set()
    for disk in snapshot.disks:
        if disk.kind != "external" or not disk.kept.startswith("/"):
            continue
        # Beside a device of the host there is no room for files.
        beside = disk.overlay if disk.kept.startswith("/dev/") else disk.kept
        path = next(p for p in _names(beside, disk.kept, snapshot.name) if _free(host, p, taken))
        taken.add(path)
        found[disk.target] = Overlay(path, disk.kept, forms.get(disk.kept) or "raw")
        against = _against(host, path, disk.kept)
        if against is not None:
            findings.append(against)
    return found, list(dict.fromkeys(findings))


def _names(beside: str, kept: str, snapshot: str) -> Iterator[str]:
    stem = os.path.basename(kept)
    stem = stem.rpartition(".")[0] or stem
    number = 2
    while True:
        yield os.path.join(os.path.dirname(beside), f"{stem}.{snapshot}-{number}")
        number += 1


def _free(host: Host, path: str, taken: set[str]) -> bool:
    if path in taken:
        return False
    return not os.path.lexists(path) if is_here(host) else not is_there(host, path)


def _against(host: Host, path: str, kept: str) -> Finding | None:
    if _by_hand(host, path):
        return None
    folder = os.path.dirname(path)
    try:
        if host.conn.storagePoolLookupByTargetPath(folder).isActive():
            host.conn.storageVolLookupByPath(kept)
            return None
        why = "the storage pool there is not active"
    except libvirt.libvirtError as error:
        why = str(error.get_error_message() or error)
    return Finding(
        Weight.REFUSED,
        f"no image can be made in {folder} on {kept}: {why}",
        "make a storage pool of that folder, and start it, or run tuivirt where one may write "
        "there",
    )


def _by_hand(host: Host, path: str) -> bool:
    """Whether it is made by qemu-img, from here; else by the host's libvirt, in a pool."""
    if not is_here(host) or shutil.which(tool.QEMU_IMG) is None:
        return False
    return os.access(os.path.dirname(path), os.W_OK | os.X_OK)


def make(host: Host, overlays: Mapping[str, Overlay], what: str) -> None:
    """Make all of them, or none. Raises TuivirtError.

    Source: ``qemu-img create``, virStorageVolCreateXML.
    """
    made: list[Overlay] = []
    try:
        for each in overlays.values():
            if _by_hand(host, each.path):
                _reserve(each, what)
                made.append(each)
                _create(each, what)
            else:
                _create_in_pool(host, each, what)
                made.append(each)
    except BaseException as error:
        left = drop(host, made)
        if left and isinstance(error, TuivirtError):
            error.done = left
        raise


def drop(host: Host, overlays: list[Overlay]) -> str:
    """Remove what was made and nobody was told of; a clause of what is left, or ''."""
    left = []
    for each in overlays:
        try:
            if _by_hand(host, each.path):
                os.unlink(each.path)
            else:
                host.conn.storageVolLookupByPath(each.path).delete(0)
        except FileNotFoundError:
            continue
        except (OSError, libvirt.libvirtError, TuivirtError) as error:
            left.append(f"{each.path} ({error})")
    return f"these are left, and of no use: {', '.join(left)}" if left else ""


def _reserve(overlay: Overlay, what: str) -> None:
    """Take the name, with the rights of the kept image: nothing that is there is written over."""
    try:
        like = os.stat(overlay.kept)
        fd = os.open(overlay.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(fd, like.st_mode & 0o777 if os.path.isfile(overlay.kept) else 0o600)
            if os.geteuid() == 0:
                os.fchown(fd, like.st_uid, like.st_gid)
        except OSError:
            os.unlink(overlay.path)
            raise
        finally:
            os.close(fd)
    except OSError as error:
        raise TuivirtError(what, f"{overlay.path} cannot be made: {error.strerror}") from error


def _create(overlay: Overlay, what: str) -> None:
    words = ["create", "-q", "-f", FORM, "-b", overlay.kept, "-F", overlay.kept_form]
    answer = tool.run([*words, "--", overlay.path], timeout_s=_ANSWER_S)
    if answer.status != 0:
        raise tool.failed(what, answer)
    try:
        sync(overlay.path)
        sync(os.path.dirname(overlay.path))
    except OSError as error:
        raise TuivirtError(what, f"{overlay.path} was not written: {error.strerror}") from error


def _create_in_pool(host: Host, overlay: Overlay, what: str) -> None:
    folder, name = os.path.split(overlay.path)
    try:
        pool = host.conn.storagePoolLookupByTargetPath(folder)
        size = int(host.conn.storageVolLookupByPath(overlay.kept).info()[1])
        pool.createXML(
            new_volume(
                name,
                size,
                allocation=0,
                form=FORM,
                backing=overlay.kept,
                backing_format=overlay.kept_form,
            ),
            0,
        )
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what, f"no image could be made in {folder}") from error
