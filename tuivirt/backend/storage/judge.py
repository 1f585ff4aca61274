"""Who would lose something if a volume were changed: read anew, as nothing may be missed."""

from __future__ import annotations

import os.path
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import libvirt

from ..errors import from_libvirt, is_gone
from ..model.device import Disk, DomainConfig
from ..model.finding import Finding, Weight
from ..model.resources import Volume
from ..sides import parse_text, read_texts
from .find import Found
from .images import chain_of
from .paths import Real, real_of
from .read import volumes_in
from .users import chain, images_of, path_of, places_of

if TYPE_CHECKING:
    from ..host import Host

_REFRESHED = frozenset(("dir", "fs", "netfs"))
"""Types of pools in which a file may appear that libvirt does not know of."""
_ALONE = frozenset(("raw", "iso", "dir", "none"))
"""Formats of images that lie on nothing."""


@dataclass(frozen=True, slots=True)
class InUse:
    """Who has a volume."""

    running: tuple[str, ...] = ()
    """Domains that run now, or are paused, and have it as a disk or below one."""
    off: tuple[str, ...] = ()
    """Domains that are off and would have it."""
    volumes: tuple[str, ...] = ()
    """``pool/name`` of the volumes that lie on it, however many are between."""
    unsure: tuple[str, ...] = ()
    """What could not be looked into, and may lie on it; sentences."""

    @property
    def domains(self) -> tuple[str, ...]:
        return tuple(sorted({*self.running, *self.off}))

    @property
    def names(self) -> str:
        """Everybody, in words."""
        said = [f"domain {name}" for name in self.running]
        said += [f"domain {name} (off)" for name in self.off]
        said += [f"volume {name}" for name in self.volumes]
        return ", ".join(said)

    def findings(self, weight: Weight, what: str) -> list[Finding]:
        """That they have it, as a finding of this weight; what is not sure is a risk at least."""
        said = []
        if self.names:
            said.append(
                Finding(
                    weight,
                    f"{what} is in use by {self.names}",
                    "detach it there first; what lies on it needs it as it is",
                )
            )
        said += [Finding(Weight.RISK, text) for text in self.unsure]
        return said


def in_use(host: Host, found: Found, *, refresh: bool = False) -> InUse:
    """Who has the volume now: domains by both configurations, volumes of all active pools.

    ``refresh``: have libvirt look again at what is in its pool first, as an image that was made
    beside it may not be known yet. Source: listAllDomains and each one's XML, listAllStoragePools
    and each volume's XML; qemu-img for images of this machine that are in no pool. Raises
    TuivirtError.
    """
    what = f"cannot tell who uses {found.label}"
    try:
        if refresh:
            _refresh(found)
        configs = configs_now(host, what)
        pools = host.conn.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    volumes = [volume for pool in pools for volume in volumes_in(host, pool)]
    real = real_of(host)
    info = host.snapshot.info
    local = info is not None and info.local and not info.demo
    return judge(found.volume, configs, volumes, real, looks=local)


def judge(
    volume: Volume,
    configs: Mapping[str, tuple[bool, Sequence[DomainConfig]]],
    volumes: Sequence[Volume],
    real: Real,
    *,
    looks: bool,
) -> InUse:
    """Who has ``volume``, by what was read. ``configs``: by domain name whether it is active.

    ``looks``: images that are no volume can be looked into here.
    """
    path = real(volume.path)
    below = _Below([each for each in volumes if real(each.path) != path], real, looks=looks)
    below.tell(volume)
    places = places_of(volumes, real)
    running: set[str] = set()
    off: set[str] = set()
    for name, (active, each) in configs.items():
        for config in each:
            for disk in config.disks:
                below.tell_of(disk, path_of(disk, places, real), f"{name}'s disk {disk.target}")
            tops = images_of(config, places, real)
            if any(path in chain(top, below) for top in tops) or _by_name(config, volume):
                (running if active else off).add(name)
    # What is below it is not above it as well, though a chain that is broken may say so.
    under = set(chain(path, below))
    above = {
        f"{each.pool}/{each.name}"
        for each in volumes
        if each.backing and real(each.path) not in under and path in chain(real(each.path), below)
    }
    return InUse(
        tuple(sorted(running)), tuple(sorted(off)), tuple(sorted(above)), tuple(below.unsure)
    )


class _Below:
    """What an image lies on: as libvirt knows of volumes; others are looked into, where we may."""

    def __init__(self, volumes: Sequence[Volume], real: Real, *, looks: bool) -> None:
        self._real = real
        self._looks = looks
        self._known: dict[str, str] = {}
        self._formats: dict[str, tuple[str, str]] = {}
        self.unsure: list[str] = []
        for each in volumes:
            self.tell(each)
            if each.problem:
                self.unsure.append(f"volume {each.name} cannot be read: {each.problem}")

    def tell(self, volume: Volume) -> None:
        """What a volume says of what it lies on."""
        if volume.path:
            self._known[self._real(volume.path)] = self._real(volume.backing)
        if volume.backing:
            whose = f"volume {volume.name}'s backing file"
            told = (volume.backing_format, whose)
            self._formats.setdefault(self._real(volume.backing), told)

    def tell_of(self, disk: Disk, path: str, whose: str) -> None:
        """What a domain's disk says of its image: its format, and all below it while it runs."""
        if not path:
            return
        # Where libvirt is told no format it takes raw.
        self._formats.setdefault(path, (disk.format or "raw", whose))
        # A running guest's own word is newer than what a pool last saw.
        for upper, lower in pairwise((path, *map(self._real, disk.backing))):
            self._known[upper] = lower

    def __call__(self, path: str) -> str:
        if path not in self._known:
            self._known[path] = self._look(path)
        return self._known[path]

    def _look(self, path: str) -> str:
        form, whose = self._formats.get(path, ("", "an image"))
        if form in _ALONE or not path.startswith("/"):
            return ""
        if not self._looks:
            self.unsure.append(f"what {whose} ({path}) lies on is not known here: it is no volume")
            return ""
        if not os.path.lexists(path):
            return ""  # What is not there lies on nothing.
        image = next(chain_of(path, form))
        if image.problem and not image.backing:
            self.unsure.append(f"{whose} ({path}) cannot be looked into: {image.problem}")
        return self._real(image.backing) if image.backing else ""


def _by_name(config: DomainConfig, volume: Volume) -> bool:
    return any((disk.pool, disk.volume) == (volume.pool, volume.name) for disk in config.disks)


def _refresh(found: Found) -> None:
    """A pool that is busy with a long job cannot be looked at again: then it is as it was."""
    from ..xml.tree import skim

    if skim(found.pool.XMLDesc(0), "pool").get("type") in _REFRESHED:
        try:
            found.pool.refresh(0)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_INTERNAL_ERROR:
                raise


def configs_now(host: Host, what: str) -> dict[str, tuple[bool, list[DomainConfig]]]:
    """By domain name: whether it is active, and its configurations, read now."""
    found = {}
    for handle in host.conn.listAllDomains(0):
        try:
            name, active, texts = handle.name(), bool(handle.isActive()), read_texts(handle)
        except libvirt.libvirtError as error:
            if is_gone(error):
                continue
            raise
        parsed = (parse_text(text, what) for text in texts)
        found[name] = (active, [config for config in parsed if config is not None])
    return found
