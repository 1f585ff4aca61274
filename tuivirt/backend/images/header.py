"""What an image says it takes its data from, read from its head without running anything.

Where many images are looked through for those that lie on a certain one, a process for each
would take seconds. QEMU knows of images below others in qcow, qcow2, QED and VMDK. Source:
docs/interop/{qcow2,qed_spec}.txt and block/vmdk.c of QEMU.
"""

from __future__ import annotations

import json
import os
import re
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_QCOW = struct.Struct(">4sIQI")
_QED = struct.Struct("<4sIIIQQQQQII")
_NAME_MOST = 1023
"""Bytes that a backing file's name may have."""
_TEXT_MOST = 64 << 10
"""So much is read of what says in text what an image is made of."""
_ELSEWHERE = 1 << 2
"""The bit of a qcow2 image whose data lie in a file of their own; and the header extension."""
_DATA_FILE = 0x44415441
_PROTOCOL = re.compile(r"[^/:]*:")
_FILES = ("file", "host_device", "host_cdrom")
_SERVERS = frozenset(
    ("nbd", "nbd+tcp", "nbd+unix", "nbds", "http", "https", "ftp", "ftps", "ssh", "sftp", "nfs",
     "rbd", "iscsi", "iser", "sheepdog", "gluster", "gluster+tcp", "gluster+unix", "gluster+rdma",
     "vxhs", "nvme"),
)  # fmt: skip
"""Protocols of QEMU whose images lie on no file of this machine."""
_EXTENT = re.compile(r'^(?:RW|RDONLY|NOACCESS) +\d+ +\w+ +"([^"\n]+)"', re.MULTILINE)
_PARENT = re.compile(r'^parentFileNameHint *= *"([^"\n]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Head:
    """What an image's head says."""

    below: tuple[str, ...] = ()
    """What it takes data from: paths; of what is on a server ``protocol:…``."""
    unsure: str = ""
    """What it names, where that cannot be understood."""


def look(path: str) -> Head:
    """What the image at ``path`` takes its data from. Raises OSError where it cannot be read.

    What is neither a file nor a block device is not opened: that alone could set something off.
    """
    mode = os.stat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
        return Head()
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        head = os.pread(file, 512, 0)
        try:
            return _read(file, head, path)
        except (struct.error, OverflowError):
            return Head()  # Cut off: QEMU does not open it either.
    finally:
        os.close(file)


def _read(file: int, head: bytes, path: str) -> Head:
    if head[:4] == b"QFI\xfb":
        return _qcow(file, head, path)
    if head[:4] == b"QED\0":
        _magic, *_sizes, features, _compat, _clear, _l1, _size, at, length = _QED.unpack_from(head)
        return _named(file, at, length, path) if features & 1 else Head()
    if head[:4] == b"KDMV":
        at, length = struct.unpack_from("<QQ", head, 28)
        return _vmdk(os.pread(file, min(length * 512, _TEXT_MOST), at * 512), path)
    if head.startswith(b"# Disk DescriptorFile"):
        return _vmdk(os.pread(file, _TEXT_MOST, 0), path)
    return Head()


def _qcow(file: int, head: bytes, path: str) -> Head:
    _magic, version, at, length = _QCOW.unpack_from(head)
    if version not in (1, 2, 3):
        return Head()
    found = _named(file, at, length, path)
    if version == 3 and struct.unpack_from(">Q", head, 72)[0] & _ELSEWHERE:
        data = _data_file(file, struct.unpack_from(">I", head, 100)[0])
        more = meant(path, data) if data else Head(unsure="a file with its data")
        return Head((*found.below, *more.below), found.unsure or more.unsure)
    return found


def _data_file(file: int, at: int) -> str:
    """The name in the header extension that tells of it, '' where there is none."""
    text = os.pread(file, _TEXT_MOST, at)
    place = 0
    while True:
        kind, length = struct.unpack_from(">II", text, place)
        if kind == _DATA_FILE:
            return os.fsdecode(text[place + 8 : place + 8 + length])
        if not kind:
            return ""
        place += 8 + (length + 7) // 8 * 8


def _named(file: int, at: int, length: int, path: str) -> Head:
    if not at or not 0 < length <= _NAME_MOST:
        return Head()
    return meant(path, os.fsdecode(os.pread(file, length, at)))


def _vmdk(said: bytes, path: str) -> Head:
    text = os.fsdecode(said.partition(b"\0")[0])
    names = [*_EXTENT.findall(text), *_PARENT.findall(text)]
    # The one file of most names itself.
    paths = (os.path.normpath(os.path.join(os.path.dirname(path), name)) for name in names)
    return Head(tuple(each for each in paths if each != path))


def meant(path: str, name: str) -> Head:
    """What the image at ``path`` means by ``name``. A relative path is beside the image."""
    if name.startswith("json:"):
        try:
            found = tuple(_nodes(json.loads(name[5:])))
        except (ValueError, RecursionError):
            found = ()
        if not found:
            return Head(unsure=name[:200])
        return Head(tuple(each if ":" in each else _beside(path, each) for each in found))
    protocol, _, rest = name.partition(":") if _PROTOCOL.match(name) else ("", "", name)
    if protocol in _FILES:
        rest = rest[2:] if rest.startswith("///") else rest
    elif protocol == "rbd":
        return Head((f"rbd:///{rest.partition(':')[0]}",))
    elif protocol in _SERVERS:
        return Head((name,))
    elif protocol:
        return Head(unsure=name[:200])
    if not rest or "\0" in rest:
        return Head(unsure=repr(name)) if name else Head()
    return Head((_beside(path, rest),))


def _beside(path: str, name: str) -> str:
    return os.path.normpath(os.path.join(os.path.dirname(path), name))


def _nodes(said: Any) -> Iterator[str]:
    """The files in QEMU's own description of a node, however many it is made of."""
    if isinstance(said, list):
        for each in said:
            yield from _nodes(each)
    if not isinstance(said, dict):
        return
    driver = said.get("driver") or said.get("file.driver")
    if driver == "rbd":
        yield f"rbd:///{said.get('pool')}/{said.get('image')}"
    elif driver in ("iscsi", "iser"):
        yield f"iscsi:///{said.get('target')}/{said.get('lun', 0)}"
    elif driver in _SERVERS:
        yield f"{driver}:"
    else:
        for key, value in said.items():
            if key.rpartition(".")[2] == "filename" and isinstance(value, str) and value:
                yield from _filename(value)
            else:
                yield from _nodes(value)


def _filename(name: str) -> Iterator[str]:
    """A path may have a colon, which is told from a protocol by the slash before it."""
    protocol = _PROTOCOL.match(name)
    if protocol is None:
        yield name if ":" not in name else os.path.abspath(name)
    elif protocol[0][:-1] in _SERVERS:
        yield name


def located(path: str, name: str) -> str:
    """Where the file lies that the image at ``path`` calls ``name``; '' where it is none here."""
    return next((each for each in meant(path, name).below if each.startswith("/")), "")
