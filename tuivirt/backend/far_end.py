"""Where the other end of a unix socket is, as the kernel tells (sock_diag(7), unix sockets).

By their address alone two connections that come up at the same time cannot always be told apart:
a pair of sockets has none, and a daemon in a file system of its own has another than we know it by.
"""

from __future__ import annotations

import os
import socket
import struct

_SOCK_DIAG, _BY_FAMILY, _REQUEST = 4, 20, 1
_HEADER, _ASKED = struct.Struct("=IHHII"), struct.Struct("=BBHIIIII")
_TOLD = 16
"""Bytes of a struct unix_diag_msg: its attributes come behind it."""
_SHOW_VFS, _SHOW_PEER = 2, 4
_VFS, _PEER = 1, 2
_ANY = 0xFFFFFFFF
_MINOR_BITS = 20


def leads_to(fd: int, path: str) -> bool:
    """Whether the socket that lies at ``path`` took this connection."""
    try:
        there = os.stat(path)
        inode, device = struct.unpack("=II", _told(_peer(fd))[_VFS])
    except (OSError, KeyError, struct.error):
        return False  # Not every kernel tells.
    number = os.major(there.st_dev) << _MINOR_BITS | os.minor(there.st_dev)
    return bool(inode == there.st_ino & _ANY and device == number)


def is_held_by(fd: int, pid: int) -> bool:
    """Whether the other end is the standard input of that process."""
    try:
        return _peer(fd) == os.stat(f"/proc/{pid}/fd/0").st_ino
    except (OSError, KeyError, struct.error):
        return False


def _peer(fd: int) -> int:
    """The other end's number. Raises OSError, KeyError: it is not told."""
    (inode,) = struct.unpack("=I", _told(os.fstat(fd).st_ino)[_PEER])
    return int(inode)


def _told(inode: int) -> dict[int, bytes]:
    """What the kernel tells of a socket, by the attribute's number. Raises OSError."""
    show = _SHOW_VFS | _SHOW_PEER
    asked = _ASKED.pack(socket.AF_UNIX, 0, 0, _ANY, inode, show, _ANY, _ANY)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        kernel.send(_HEADER.pack(_HEADER.size + len(asked), _BY_FAMILY, _REQUEST, 1, 0) + asked)
        data = kernel.recv(1 << 16)
    length, kind, *_rest = _HEADER.unpack_from(data)
    if kind != _BY_FAMILY:
        return {}  # An error: there is no such socket, or nobody is told.
    found, at = {}, _HEADER.size + _TOLD
    while at + 4 <= length:
        size, number = struct.unpack_from("=HH", data, at)
        found[number] = data[at + 4 : at + size]
        at += max(4, size + 3 & ~3)
    return found
