"""What a qcow2 image says it lies on, read from its head without running anything.

Where many images are looked through for those that lie on a certain one, a process for each
would take seconds. Source: docs/interop/qcow2.txt of QEMU.
"""

from __future__ import annotations

import json
import os
import re
import struct
from typing import Any

_MAGIC = b"QFI\xfb"
_HEAD = struct.Struct(">4sIQI")
_NAME_MOST = 1023
"""Bytes that a backing file's name may have."""
_PROTOCOL = re.compile(r"[^/:]*:")


def backing_of(path: str) -> str:
    """The path of the file that an image lies on; '' where it is none, or none on this machine.

    An image that cannot be read, or is no qcow2, lies on nothing as far as is known here.
    """
    try:
        with open(path, "rb", opener=_no_wait) as file:
            magic, version, offset, length = _HEAD.unpack(file.read(_HEAD.size))
            if magic != _MAGIC or version not in (2, 3) or not 0 < length <= _NAME_MOST:
                return ""
            file.seek(offset)
            name = os.fsdecode(file.read(length))
    except (OSError, struct.error, ValueError, OverflowError):
        return ""
    return located(path, name)


def _no_wait(path: str, flags: int) -> int:
    """A named pipe would wait for whoever writes to it."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def located(path: str, name: str) -> str:
    """Where the backing file lies that the image at ``path`` calls ``name``; '' elsewhere.

    A relative one is beside the image, as QEMU has it.
    """
    if name.startswith("json:"):
        try:
            name = _filename(json.loads(name[5:]))
        except (ValueError, RecursionError):
            return ""
    elif name.startswith("file:"):
        name = name[5:]
        if name.startswith("///"):
            name = name[2:]
    elif _PROTOCOL.match(name):
        return ""
    if not name or "\0" in name:
        return ""
    return os.path.normpath(os.path.join(os.path.dirname(path), name))


def _filename(said: Any) -> str:
    """The file in QEMU's own description of a node."""
    while isinstance(said, dict):
        for key in ("filename", "file.filename"):
            if isinstance(said.get(key), str):
                return str(said[key])
        said = said.get("file")
    return ""
