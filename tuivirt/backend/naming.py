"""A file given its name for good: never over one that came there meanwhile, and lasting."""

from __future__ import annotations

import ctypes
import errno
import os

_HERE = -100
"""AT_FDCWD."""
_NO_REPLACE = 1
"""RENAME_NOREPLACE."""
NO_LINKS = frozenset((errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS))
"""What a file system says that has one name for a file."""
_NOT_OFFERED = frozenset((errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP))


def sync(path: str) -> None:
    """Have what was written there, or a folder's names, last. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def unsure(path: str) -> str:
    """Have a file's name last; why that is not sure, as an end of what is said of it, or ``''``.

    The file has its name by then: whatever fails here is no reason to say that it has not. A
    file system that lets no folder be written through says so, and sees to its names itself.
    """
    try:
        sync(os.path.dirname(path))
    except OSError as error:
        if error.errno in _NOT_OFFERED:
            return ""
        why = error.strerror or str(error)
        return f"; whether its name lasts through a power failure is not sure: {why}"
    return ""


def take_name(old: str, new: str) -> None:
    """Rename a file to what nobody has; FileExistsError where somebody has it by now.

    Source: renameat2, which NFS does not offer; a link does there. Where a file system has
    neither, the name is held by an empty file of ours, and that is replaced. Raises OSError.
    """
    try:
        _rename(old, new)
        return
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
    else:
        os.unlink(old)
        return
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        os.rename(old, new)
    except OSError:
        os.unlink(new)
        raise


def _rename(old: str, new: str) -> None:
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError as error:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from error
    if call(_HERE, os.fsencode(old), _HERE, os.fsencode(new), _NO_REPLACE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), old, None, new)
