"""The folder that a backup goes to: whether it is there, who may write to it, what room it has."""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..model.finding import Finding, Weight
from ..model.size import spelled
from ..xml.tree import skim

_LEAST_ROOM = 1 << 20
_BREAK = re.compile(r"[\x00-\x1f\x7f]")


def folder_of(text: str) -> Path:
    """A folder as it was typed, from the root."""
    return Path(os.path.abspath(os.path.expanduser(text)))


def against_breaks(paths: Iterable[str]) -> list[Finding]:
    """What speaks against giving libvirt a file of a name with a line break.

    It writes that into its XML as it is, where it is read as a blank: the file is not found again.
    """
    broken = next((path for path in paths if _BREAK.search(path)), None)
    if broken is None:
        return []
    text = f"{broken!r} holds a control character (a line break, a tab): libvirt would keep a blank"
    return [Finding(Weight.REFUSED, text, "name it without: the file would not be found again")]


def hypervisor_user(live_xml: str) -> tuple[int, int] | None:
    """Whom the domain's process runs as, user and group; None where its XML does not tell."""
    for label in skim(live_xml).iterfind("seclabel"):
        if label.get("model") != "dac":
            continue
        text = label.findtext("label") or ""
        found = re.fullmatch(r"\+?(\d+):\+?(\d+)", text.strip())
        if found:
            return int(found[1]), int(found[2])
    return None


def against_folder(
    folder: Path, user: tuple[int, int] | None, names: Sequence[str]
) -> list[Finding]:
    """What speaks against writing files of these names there."""
    if not folder.is_dir():
        why = "it is a file" if folder.exists() else "it is not there"
        return [
            Finding(Weight.REFUSED, f"{folder}: {why}", "name a folder that exists: mkdir makes it")
        ]
    said = []
    if not os.access(folder, os.W_OK | os.X_OK):
        said.append(
            Finding(
                Weight.REFUSED,
                f"you may not write to {folder}",
                "name one where you may: the manifest goes there",
            )
        )
    there = [name for name in names if os.path.lexists(folder / name)]
    if there:
        said.append(
            Finding(
                Weight.REFUSED, f"there is {folder / there[0]} already", "try again in a second"
            )
        )
    if user is not None and not may_write(folder, *user):
        who = name_of(user[0])
        said.append(
            Finding(
                Weight.REFUSED,
                f"QEMU runs as {who}, who may not write to {folder}",
                f"setfacl or chown it for {who}, and let {who} pass through the folders above it "
                "(chmod o+x)",
            )
        )
    return said


def name_of(uid: int) -> str:
    """A user's name, or the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def may_write(folder: Path, uid: int, gid: int) -> bool:
    """Whether that user may make files there, by the modes of it and of the folders above it.

    True where they have access lists of their own, which this does not read.
    """
    if uid == 0:
        return True
    groups = {gid}
    try:
        groups.update(os.getgrouplist(pwd.getpwuid(uid).pw_name, gid))
    except KeyError:
        groups.update(entry.gr_gid for entry in grp.getgrall() if str(uid) in entry.gr_mem)
    real = folder.resolve()
    for each in (real, *real.parents):
        try:
            status = each.stat()
            if "system.posix_acl_access" in os.listxattr(each):
                continue
        except OSError:
            return True  # It cannot be looked at: QEMU will tell.
        wanted = 0o3 if each == real else 0o1
        mode = stat.S_IMODE(status.st_mode)
        if status.st_uid == uid:
            allowed = mode >> 6
        elif status.st_gid in groups:
            allowed = mode >> 3
        else:
            allowed = mode
        if allowed & wanted != wanted:
            return False
    return True


def room_in(folder: Path) -> int | None:
    """The bytes that are free there for who runs this; None where it cannot be asked."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def about_room(folder: Path, needed: int, what: str) -> list[Finding]:
    """Whether ``needed`` bytes have room in a folder."""
    free = room_in(folder)
    if free is None or free >= needed + _LEAST_ROOM:
        return []
    return [
        Finding(
            Weight.RISK,
            f"{what} may take {spelled(needed)}, and {folder} has room for {spelled(free)}",
            "make room, or name another folder",
        )
    ]
