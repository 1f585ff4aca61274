"""When a file was made: with its inode that tells it from a later one, which may have the same."""

from __future__ import annotations

import ctypes
import os
import struct

_HERE = -100
"""AT_FDCWD."""
_BIRTH = 0x800
"""STATX_BTIME."""
_STATX_BYTES = 256
_SECONDS_AT = 80
"""Where ``stx_btime`` lies in a struct statx: seconds (64 bits), nanoseconds (32)."""


def birth_of(path: str) -> int:
    """Nanoseconds since the epoch; 0 where the file system does not tell. Raises OSError.

    Source: statx, which Python offers from 3.15 on.
    """
    try:
        call = ctypes.CDLL(None, use_errno=True).statx
    except AttributeError:
        return 0  # An older C library.
    told = ctypes.create_string_buffer(_STATX_BYTES)
    if call(_HERE, os.fsencode(path), 0, _BIRTH, told):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    (mask,) = struct.unpack_from("=I", told)
    seconds, nanoseconds = struct.unpack_from("=qI", told, _SECONDS_AT)
    return int(seconds) * 10**9 + int(nanoseconds) if mask & _BIRTH else 0
