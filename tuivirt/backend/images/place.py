"""A finished image put in its place: lasting, with the rights of what was there, in one step."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from ..errors import TuivirtError
from ..naming import NO_LINKS, sync, take_name, unsure
from .lock import Lock

OLD = ".old"
"""Behind the new one's name: what was in its place, until it is sure that nobody needs it."""
_OTHERS = frozenset((errno.ENOTSUP, errno.EPERM, errno.ENODATA, errno.EACCES))
"""Why an attribute is not taken over, which is no reason to lose the work."""


class Taken(TuivirtError):
    """A file came to the place meanwhile: what was written is whole, and lies beside it."""


def put(
    new: str,
    target: str,
    *,
    instead: Lock | None = None,
    keep: str = "",
    again: Callable[[], None] | None = None,
) -> str:
    """Give ``new`` the name ``target``: one that is free or, ``instead`` of the image there, its.

    ``keep``: the name that what was there is kept under. ``again``: looks, once all of the new
    one is on the disk and nobody can open the old one any more, whether it may be replaced, and
    raises if not. The new one has the owner, mode and attributes of the old.

    Returns what is not sure of it, as an end of what is said (`unsure`). Raises Taken,
    TuivirtError, and then nothing has changed at ``target``.
    """
    what = f"the new image cannot be put in the place of {target}"
    try:
        if instead is not None:
            _take_over(new, target)
        sync(new)
    except OSError as error:
        raise TuivirtError(what, error.strerror or str(error)) from error
    if instead is not None:
        instead.close_to_all()
        return _replace(new, target, instead, keep, again)
    try:
        take_name(new, target)
    except FileExistsError as error:
        why = f"what was written is whole, in {new}"
        advice = "give that another name (mv), or remove it"
        raise Taken(f"{target} is there by now", why, advice) from error
    except OSError as error:
        raise TuivirtError(what, error.strerror or str(error)) from error
    return unsure(target)


def _replace(new: str, target: str, old: Lock, keep: str, again: Callable[[], None] | None) -> str:
    what = f"the new image cannot be put in the place of {target}"
    aside = keep or new + OLD
    if not old.still_named(target):
        raise TuivirtError(what, "another file has its name by now", "see who did that")
    if again is not None:
        again()
    if said := old.problem():
        raise TuivirtError(what, f"{said} meanwhile", "see who does that (fuser), and try again")
    try:
        _keep(target, aside)
    except OSError as error:
        raise TuivirtError(what, error.strerror or str(error)) from error
    # To look again may have taken minutes.
    if not old.still_named(aside):
        _lead_back(aside, target)
        raise TuivirtError(what, "another file has its name by now", "see who did that")
    try:
        os.rename(new, target)
    except OSError as error:
        _lead_back(aside, target)
        raise TuivirtError(what, error.strerror or str(error)) from error
    told = unsure(target)
    # Whoever heeds no lock may have opened it before it lost its name.
    if said := old.problem():
        os.rename(aside, target)
        raise TuivirtError(
            f"{target} is again what it was{unsure(target)}",
            f"{said} while the new image was put in its place",
            "see who does that (fuser), and try again",
        )
    if told:
        return told if keep else f"{told}; as it was it is {aside}"
    if not keep:
        os.unlink(aside)
    return ""


def _keep(target: str, keep: str) -> None:
    """A second name for what is there, so that the first is never without an image."""
    try:
        os.link(target, keep, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        # This file system has one name for a file: for a moment there is none.
        take_name(target, keep)


def _lead_back(aside: str, target: str) -> None:
    """On whichever way it was set aside, this name is led back to it.

    Where another has that name by now it stays aside, as its only name may be that.
    """
    if not os.path.lexists(target):
        os.rename(aside, target)
    elif os.path.samestat(os.lstat(aside), os.lstat(target)):
        os.unlink(aside)


def _take_over(new: str, old: str) -> None:
    was = os.stat(old)
    os.chmod(new, was.st_mode & 0o7777)
    now = os.stat(new)
    if (now.st_uid, now.st_gid) != (was.st_uid, was.st_gid):
        os.chown(new, was.st_uid, was.st_gid)
        os.chmod(new, was.st_mode & 0o7777)  # Which a change of owner may have reduced.
    try:
        names = os.listxattr(old)
    except OSError as error:
        if error.errno in _OTHERS:
            return
        raise
    for name in names:
        try:
            os.setxattr(new, name, os.getxattr(old, name))
        except OSError as error:
            if error.errno not in _OTHERS:
                raise
