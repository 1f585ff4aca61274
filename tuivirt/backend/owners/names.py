"""What two names of one image are known to be the same by."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Hashable
from urllib.parse import unquote, urlsplit

_ISCSI = re.compile(r"(?:^|/)ip-(.+?)(?::\d+)?-iscsi-(.+)-lun-(\d+)$")
_LOGICAL = re.compile(r"/dev/(?!mapper/|disk/|block/|zvol/|char/)([^/]+)/([^/]+)")


class Names:
    """Keys of images: equal ones are one image.

    ``here``: of this machine a file is known by its inode, whatever links lead to it, and a block
    device by its number: /dev/vg/lv, /dev/mapper/vg-lv and /dev/dm-3 are one. Of another machine
    nothing more is known than the names themselves.
    """

    def __init__(self, *, here: bool) -> None:
        self._here = here
        self._known: dict[str, Hashable] = {}

    def __call__(self, path: str) -> Hashable:
        if path not in self._known:
            self._known[path] = self._key(path)
        return self._known[path]

    def _key(self, path: str) -> Hashable:
        if not path.startswith("/"):
            return ("server", on_server(path))
        if not self._here:
            return mapped(posixpath.normpath(path))
        real = os.path.realpath(path)
        try:
            found = os.stat(real)
        except OSError:
            return real
        if stat.S_ISBLK(found.st_mode):
            return ("device", found.st_rdev)
        return (found.st_dev, found.st_ino)


def mapped(path: str) -> str:
    """A logical volume's path as the device mapper has it; any other as it is."""
    found = _LOGICAL.fullmatch(path)
    if found is None:
        return path
    return "/dev/mapper/" + "-".join(word.replace("-", "--") for word in found.groups())


def on_server(name: str) -> str:
    """What an image on a storage server is called there, without the server."""
    if found := _ISCSI.search(name):
        return f"{found[2]}/{found[3]}"
    return unquote(urlsplit(name).path).lstrip("/") if "://" in name else name
