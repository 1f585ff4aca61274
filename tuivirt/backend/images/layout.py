"""How much of a disk its partitions or its file system take, from what its first sectors say.

Read with great care: a guest wrote it. Source: the UEFI specification (GPT), the kernel's
ext4 and XFS documentation.
"""

from __future__ import annotations

import struct

HEAD_BYTES = 64 << 10
"""So much of a disk's beginning tells."""
_SECTOR = 512


def end_of_use(head: bytes) -> tuple[int, str]:
    """The byte after the last one in use, and what says so; (0, '') where nothing is known."""
    found = _gpt(head) or _mbr(head)
    if found:
        return found, "its last partition"
    for read, name in ((_ext, "its ext4 file system"), (_xfs, "its XFS file system")):
        if size := read(head):
            return size, name
    return 0, ""


def _mbr(head: bytes) -> int:
    if head[510:512] != b"\x55\xaa":
        return 0
    ends = [0]
    for at in range(446, 510, 16):
        kind, (start, sectors) = head[at + 4], struct.unpack_from("<II", head, at + 8)
        if kind and sectors and head[at] in (0x00, 0x80):
            ends.append((start + sectors) * _SECTOR)
    return max(ends)


def _gpt(head: bytes) -> int:
    if head[_SECTOR : _SECTOR + 8] != b"EFI PART":
        return 0
    at, count, size = struct.unpack_from("<QII", head, _SECTOR + 72)
    ends = [0]
    for number in range(min(count, 256)):
        entry = at * _SECTOR + number * size
        if size < 128 or entry + 128 > len(head):
            break
        if any(head[entry : entry + 16]):
            ends.append((struct.unpack_from("<Q", head, entry + 40)[0] + 1) * _SECTOR)
    return max(ends)


def _ext(head: bytes) -> int:
    if head[1080:1082] != b"\x53\xef":
        return 0
    (blocks,) = struct.unpack_from("<I", head, 1024 + 4)
    (log,) = struct.unpack_from("<I", head, 1024 + 24)
    return blocks << (10 + log) if log <= 6 else 0


def _xfs(head: bytes) -> int:
    if head[:4] != b"XFSB":
        return 0
    block, blocks = struct.unpack_from(">IQ", head, 4)
    return int(block * blocks)
