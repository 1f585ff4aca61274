"""Block jobs of running domains, and the chains of images that they work on."""

from __future__ import annotations

from .record import record
from .ref import Ref
from .size import spelled

MIB = 1 << 20


@record(frozen=True, slots=True)
class Layer:
    """An image of a disk's chain."""

    path: str
    """Of a file or a block device; of anything else a name that is shown only."""
    index: str = ""
    """libvirt's number of it, as in ``vda[3]``; empty while the domain is off."""
    type: str = "file"
    """file, block, network …"""
    format: str = ""


@record(frozen=True, slots=True)
class Mirror:
    """The other end of a job that keeps two images equal."""

    job: str
    """copy or active-commit."""
    path: str
    ready: bool = False
    """Both ends are equal: the domain can go over to it."""


@record(frozen=True, slots=True)
class Chain:
    """A disk's images. Source: the running domain's XML."""

    target: str
    layers: tuple[Layer, ...] = ()
    """The one that the guest writes to first; each lies on the next. Empty: no medium."""
    device: str = "disk"
    readonly: bool = False
    mirror: Mirror | None = None

    @property
    def source(self) -> str:
        """The image that the guest writes to."""
        return self.layers[0].path if self.layers else ""

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them, from the one that is written to down."""
        return tuple(each.path for each in self.layers)

    def name_of(self, place: int) -> str:
        """What libvirt's calls take for the layer at that place."""
        index = self.layers[place].index
        return f"{self.target}[{index}]" if index else self.layers[place].path


@record(frozen=True, slots=True)
class BlockJob:
    """A job on a disk as it stands. Source: virDomainGetBlockJobInfo and the XML's mirror."""

    target: str
    kind: str
    """copy, commit, active commit, pull or backup."""
    done: int = 0
    """Of ``end``; bytes mostly, the same unit both."""
    end: int = 0
    bytes_per_s: int = 0
    """What it is limited to; 0: to nothing."""
    ready: bool = False
    other: str = ""
    """Where a copy goes, or what is committed into, as far as it is told."""

    @property
    def fraction(self) -> float | None:
        """0 to 1; None where nothing is told yet."""
        return min(1.0, self.done / self.end) if self.end else None


@record(frozen=True, slots=True)
class Running:
    """A job that runs now, with the domain that has the disk."""

    ref: Ref
    name: str
    """The domain's."""
    job: BlockJob


@record(frozen=True, slots=True)
class Begun:
    """A job that was begun from here: what is known of it whatever becomes of it since."""

    target: str
    kind: str
    """copy, commit, active commit or pull."""
    source: str
    """The image that the guest wrote to then."""
    other: str = ""
    """A copy's destination, or the image that is committed into; of a pull, what stays below."""
    merged: tuple[str, ...] = ()
    """The images whose data go elsewhere, the upper first."""


def told(job: BlockJob) -> str:
    """How it stands, in words."""
    if job.ready:
        return "both are equal"
    share = job.fraction
    said = f"{share:.0%}, {spelled(job.end - job.done)} left" if share is not None else "beginning"
    return said + (f", at most {spelled(job.bytes_per_s)}/s" if job.bytes_per_s else "")
