"""Who would lose something if a volume were changed: read anew, as nothing may be missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..model.finding import Finding, Weight
from ..owners import Finder, Usage, Use, risks, some
from .find import Found

if TYPE_CHECKING:
    from ..host import Host


@dataclass(frozen=True, slots=True)
class InUse:
    """Who has a volume."""

    running: tuple[str, ...] = ()
    """Domains that run with it now, or are paused: as a disk, below one, or otherwise."""
    off: tuple[str, ...] = ()
    """Domains that would have it once they start."""
    volumes: tuple[str, ...] = ()
    """``pool/name`` of the volumes that lie on it, however many are between."""
    unsure: tuple[str, ...] = ()
    """What could not be looked into, and may have it or lie on it; sentences."""
    later: tuple[str, ...] = ()
    """Those of ``off`` that run now, without it."""
    images: tuple[str, ...] = ()
    """Paths of the images in no pool that lie on it, however many are between."""
    machine: tuple[str, ...] = ()
    """What this machine itself does with it, a phrase each."""
    said: tuple[str, ...] = ()
    """Each domain's use, as in ``vda of web-01, which runs``."""
    kept: tuple[Use, ...] = ()
    """Snapshots that keep it, or what lies on it."""

    @property
    def domains(self) -> tuple[str, ...]:
        return tuple(sorted({*self.running, *self.off}))

    @property
    def names(self) -> str:
        """Everybody, in words."""
        said = [f"domain {name}" for name in self.running]
        said += [
            f"domain {name} ({'from its next start on' if name in self.later else 'off'})"
            for name in self.off
        ]
        said += some(use.said for use in self.kept)
        said += [f"volume {name}" for name in self.volumes]
        said += [f"image {path}" for path in self.images]
        return ", ".join((*said, *self.machine))

    def findings(self, weight: Weight, what: str) -> list[Finding]:
        """That they have it, as a finding of this weight; what is not sure is a risk at least."""
        said = []
        if self.names:
            how = f": {', '.join(self.said)}" if self.said else ""
            advice = "detach it there first; what lies on it needs it as it is"
            if self.kept:
                only = self.names == ", ".join(some(use.said for use in self.kept))
                how = ", which keeps it" if only and len(self.kept) == 1 else how
                go = f"a snapshot lets go of it by {self.kept[0].letting_go}"
                advice = go if only else f"{advice}; {go}"
            said.append(Finding(weight, f"{what} is in use by {self.names}{how}", advice))
        return said + risks(self.unsure)


def in_use(host: Host, found: Found, *, refresh: bool = False) -> InUse:
    """Who has the volume now: by both configurations of all domains, and by all that lies on it.

    ``refresh``: have libvirt look again at what is in the pools of another machine first, as an
    image that was made there may not be known yet. Raises TuivirtError.
    """
    return derived(usage_of(host, found, refresh=refresh))


def usage_of(host: Host, found: Found, *, refresh: bool = False) -> Usage:
    """The same, use by use."""
    volume = found.volume
    finder = Finder(host, fresh=refresh)
    return finder.of(volume.path, pool=volume.pool, volume=volume.name)


def derived(usage: Usage) -> InUse:
    """What is asked about a volume, of all that is known of it."""
    domains = [use for use in usage.domains if not use.snapshot]
    running = {use.name for use in domains if use.running}
    off = {use.name for use in domains if not use.running} - running
    later = {use.name for use in domains if use.later} - running
    return InUse(
        tuple(sorted(running)),
        tuple(sorted(off)),
        usage.volumes,
        usage.unsure,
        tuple(sorted(later)),
        usage.images,
        usage.machine,
        tuple(use.phrase for use in domains),
        tuple(use for use in usage.domains if use.snapshot),
    )
