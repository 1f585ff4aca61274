"""A finished image put in its place: lasting, with the rights of what was there, in one step."""

from __future__ import annotations

import errno
import os

from ..errors import TuivirtError

_OTHERS = frozenset((errno.ENOTSUP, errno.EPERM, errno.ENODATA, errno.EACCES))
"""Why an attribute is not taken over, which is no reason to lose the work."""


def sync(path: str) -> None:
    """Have what was written there, or a folder's names, last. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def put(new: str, target: str, *, keep: str = "") -> None:
    """Have ``new`` take the place of ``target``, with its owner, mode and attributes.

    ``keep``: the name that what was there is kept under. Raises TuivirtError, and then nothing
    has changed at ``target``.
    """
    kept = done = False
    try:
        if os.path.lexists(target):
            _take_over(new, target)
        sync(new)
        if keep:
            _keep(target, keep)
            kept = True
        os.rename(new, target)
        done = True
        sync(os.path.dirname(target))
    except OSError as error:
        why = error.strerror or str(error)
        if done:
            what = f"{target} is new, but whether that lasts through a power failure is not sure"
            raise TuivirtError(what, why) from error
        if kept:
            # On whichever way it was kept, this name is led back to it.
            os.rename(keep, target) if not os.path.lexists(target) else os.unlink(keep)
        raise TuivirtError(f"the new image cannot be put in the place of {target}", why) from error


def _keep(target: str, keep: str) -> None:
    """A second name for what is there, so that the first is never without an image."""
    try:
        os.link(target, keep, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
            raise
        if os.path.lexists(keep):
            raise FileExistsError(errno.EEXIST, f"{keep} exists") from error
        # This file system has one name for a file: for a moment there is none.
        os.rename(target, keep)


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
