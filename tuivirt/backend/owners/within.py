"""Who has a disk in a storage pool, by whatever name of it."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import from_libvirt, is_gone
from ..here import is_here
from ..xml.tree import skim
from .finder import Finder
from .named import Named
from .names import mapped
from .shared import SERVERS

if TYPE_CHECKING:
    from ..host import Host

_PART = r"(?:p?\d+|-part\d+)"


@dataclass(frozen=True, slots=True)
class Within:
    """Who has what is in a pool."""

    domains: tuple[str, ...]
    """As in ``web-01``, ``web-01 on host b``, ``web-01 (its snapshot s2)``."""
    unsure: tuple[str, ...]
    """What could not be seen, and may be in it or lie on it; sentences."""


def domains_within(host: Host, pool: Any) -> Within:
    """The domains that have a disk in the pool, or one that lies on what is in it.

    By its name, by a path below its target, or as one of its volumes whatever it is called; of
    one that is not active libvirt tells no volumes. Raises TuivirtError.
    """
    what = f"cannot tell who uses {pool.name()}"
    finder = Finder(host, overlays=False)
    try:
        name, root = pool.name(), skim(pool.XMLDesc(0), "pool")
        paths = _paths(pool)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    volumes = {finder.names(path) for path in paths}
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

    # By these other machines are known to have it as well.
    leads = [f"{place}/{name}" for place in places] + devices + paths[:1]
    leads += [name] if root.get("type") in SERVERS else []
    uses, unseen, lost = finder.within(has, leads)
    direct = {use.name for use in uses if not use.snapshot}
    kept = {f"{e.name} (its {e.target})" for e in uses if e.snapshot and e.name not in direct}
    unsure = [
        f"{why}: whether its domains have what is in pool {name} is not known" for why in lost
    ]
    return Within(tuple(sorted(direct | kept)), (*unsure, *unseen))


def _paths(pool: Any) -> list[str]:
    found = []
    for handle in pool.listAllVolumes(0) if pool.isActive() else ():
        try:
            found.append(str(handle.path()))
        except libvirt.libvirtError as error:
            if not is_gone(error):
                raise
    return found
