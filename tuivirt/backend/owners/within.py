"""Who has a disk in a storage pool, by whatever name of it."""

from __future__ import annotations

import os
import posixpath
import re
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import from_libvirt, is_gone
from ..here import is_here
from ..xml.tree import skim
from .finder import Finder
from .named import Named
from .names import mapped

if TYPE_CHECKING:
    from ..host import Host

_PART = r"(?:p?\d+|-part\d+)"


def domains_within(host: Host, pool: Any) -> tuple[str, ...]:
    """The domains that have a disk in the pool, or one that lies on what is in it.

    By its name, by a path below its target, or as one of its volumes whatever it is called; of
    one that is not active libvirt tells no volumes. Raises TuivirtError.
    """
    what = f"cannot tell who uses {pool.name()}"
    finder = Finder(host, overlays=False)
    try:
        name, root = pool.name(), skim(pool.XMLDesc(0), "pool")
        volumes = {finder.names(path) for path in _paths(pool)}
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    target = (root.findtext("target/path") or "").rstrip("/")
    places = {target, os.path.realpath(target) if target and is_here(host) else target}
    places -= {"", "/dev"}
    group = ""
    if root.get("type") == "logical":
        group = (root.findtext("source/name") or name).replace("-", "--")
    devices = [each.get("path", "") for each in root.iterfind("source/device")]
    parts = [each for each in devices if root.get("type") == "disk"]

    def has(named: Named, path: str) -> bool:
        if path == named.path and named.volume[0] == name:
            return True
        if not path:
            return False
        names = {posixpath.normpath(path), os.path.realpath(path) if is_here(host) else path}
        if any(each.startswith(f"{place}/") for each in names for place in places):
            return True
        if group and re.match(rf"/dev/mapper/{re.escape(group)}-(?!-)", mapped(path)):
            return True
        if any(re.fullmatch(re.escape(each) + _PART, path) for each in parts):
            return True
        return finder.names(path) in volumes

    return finder.domains_within(has)


def _paths(pool: Any) -> list[str]:
    found = []
    for handle in pool.listAllVolumes(0) if pool.isActive() else ():
        try:
            found.append(str(handle.path()))
        except libvirt.libvirtError as error:
            if not is_gone(error):
                raise
    return found
