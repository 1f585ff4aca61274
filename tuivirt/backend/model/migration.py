"""Moving a domain to another host: what is planned, what speaks against it, how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from .finding import Finding, Weight, lines_of
from .record import record


class Image(StrEnum):
    """What is done about a disk's image."""

    SHARED = "shared"
    """The target has the very same one."""
    COPY = "copy"
    """It is made there, and its contents copied."""
    OVERWRITE = "overwrite"
    """Another one is there, whose contents are replaced."""
    LOOK = "look"
    """Whether it is there can only be seen when it is begun."""
    NONE = "none"
    """Nothing of it is needed there: no medium, or a storage server's."""


@record(frozen=True, slots=True)
class Stamp:
    """A file as a storage pool sees it: two hosts that see the same times see the same file."""

    mtime_ns: int
    ctime_ns: int
    capacity_bytes: int | None = None
    backing: str = ""
    """The file that it lies on; a domain's saved configuration does not tell it."""
    length_bytes: int | None = None
    """Of its file; of another format than raw it is not what the guest sees."""


@record(frozen=True, slots=True)
class Place:
    """What a host's storage tells of an image's path."""

    pool: str = ""
    """The active pool that its folder is; empty: none."""
    idle_pool: str = ""
    """The UUID of one that is, and is not started."""
    stamp: Stamp | None = None
    """None: no such file, as far as a pool tells."""


@record(frozen=True, slots=True)
class DiskFacts:
    """A disk, and what both hosts know of its image."""

    target: str
    source_type: str
    path: str = ""
    """Of a volume: its path on the source, when its pool is active."""
    pool: str = ""
    """Of a disk that is a volume: its pool's name."""
    volume: str = ""
    format: str = ""
    device: str = "disk"
    readonly: bool = False
    shareable: bool = False
    capacity_bytes: int | None = None
    size_bytes: int | None = None
    """Of its file."""
    backing: tuple[str, ...] = ()
    backing_format: str = ""
    """Of the nearest of these; empty: not told."""
    here: Place = Place()
    """Read before the target's."""
    here_after: Place = Place()
    """Read after it: a guest may have written meanwhile."""
    there: Place = Place()
    backing_there: bool | None = None
    """Whether the nearest backing file is on the target; None: not known."""
    backing_same: bool | None = None
    """Whether that is the very same file; None: it cannot be told."""
    users_there: tuple[str, ...] = ()
    """The target's own domains that have such an image, when it is to be copied over theirs."""

    @property
    def written(self) -> bool:
        """Whether the guest may write to it, so that libvirt can copy it."""
        return not self.readonly and self.device in ("disk", "lun")

    @property
    def says(self) -> str:
        """What an operator calls it."""
        return f"{self.target} ({self.path or f'{self.pool}/{self.volume}'})"


@record(frozen=True, slots=True)
class DiskMove:
    """A disk and what is done about it."""

    disk: DiskFacts
    image: Image


@record(frozen=True, slots=True)
class TargetFacts:
    """What is known of the target, and of the way to it."""

    name: str
    connected: bool = True
    why: str = ""
    """Why it is not."""
    readonly: bool = False
    same_host: bool = False
    hypervisor: str = ""
    hypervisor_version: str = ""
    libvirt_version: str = ""
    uuid_of: str = ""
    """The name of the domain that has the same UUID there; empty: none."""
    uuid_active: bool = False
    name_taken: bool = False
    """Another domain has its name there."""
    machine: str = ""
    """Why its machine cannot be run there, in libvirt's words; empty: it can."""
    cpu: str = ""
    """Why its CPU cannot be had there; empty: it can."""
    cpu_unknown: str = ""
    """Why that could not be asked."""
    memory_free_kib: int | None = None
    networks: Mapping[str, bool] = field(default_factory=dict)
    """Active, by name."""
    links: frozenset[str] | None = None
    """Its network interfaces and bridges; None: it does not tell."""
    reaches: str = ""
    """Its host's name or address in the URI that it was connected by; empty: by a socket."""
    hostname: str = ""
    """What it calls itself."""


@record(frozen=True, slots=True)
class SourceFacts:
    """What is known of the domain, and of the host it is on."""

    host: str
    name: str
    uuid: str
    active: bool
    persistent: bool
    autostart: bool = False
    managed_save: bool = False
    snapshots: int = 0
    checkpoints: int = 0
    job: str = ""
    """What it is busy with already; empty: nothing."""
    memory_kib: int = 0
    hypervisor: str = ""
    hypervisor_version: str = ""
    libvirt_version: str = ""
    reaches: str = ""
    """Its host's name or address in the URI that it was connected by; empty: by a socket."""
    disks: tuple[DiskFacts, ...] = ()
    encrypted: frozenset[str] = frozenset()
    """Targets of those disks that are."""
    interfaces: tuple[tuple[str, str], ...] = ()
    """Type and source of each network card."""
    hostdevs: tuple[str, ...] = ()
    """What of the host it has, each in words."""
    tied: tuple[str, ...] = ()
    """What else ties it to its host, each in words."""
    nvram: bool = False
    tpm: bool = False


@record(frozen=True, slots=True)
class MigrationPlan:
    """How a domain is moved; shown before it is done."""

    domain: str
    source: str
    target: str
    values: Mapping[str, Any]
    """The options, settled."""
    disks: tuple[DiskMove, ...]
    steps: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def word(self) -> str:
        """What is typed by whoever takes its risks."""
        return self.domain

    def of(self, weight: Weight) -> tuple[Finding, ...]:
        """The findings of this weight."""
        return tuple(finding for finding in self.findings if finding.weight is weight)

    @property
    def lines(self) -> tuple[str, ...]:
        """The plan as text, the most important first."""
        said = lines_of(self.findings)
        said += [f"{number}. {step}" for number, step in enumerate(self.steps, 1)]
        # A guest's own words may hold a line's end, and must not look like a line of ours.
        return tuple(" ".join(line.splitlines()) for line in said)


@record(frozen=True, slots=True)
class Going:
    """A domain of a host that is emptied, and where it goes."""

    uuid: str
    name: str
    memory_kib: int
    target: str
    """Empty: it cannot go."""
    plan: MigrationPlan | None = None
    why: str = ""
    """Why it cannot."""


@record(frozen=True, slots=True)
class EvacuationPlan:
    """How a host is emptied."""

    host: str
    goings: tuple[Going, ...]
    limit: int
    findings: tuple[Finding, ...] = ()

    @property
    def word(self) -> str:
        """What is typed by whoever takes its risks."""
        return self.host

    @property
    def leaving(self) -> tuple[Going, ...]:
        """Those that can go."""
        return tuple(going for going in self.goings if going.target)

    @property
    def staying(self) -> tuple[Going, ...]:
        """Those that cannot."""
        return tuple(going for going in self.goings if not going.target)

    def of(self, weight: Weight) -> tuple[Finding, ...]:
        """The findings of this weight."""
        return tuple(finding for finding in self.findings if finding.weight is weight)

    @property
    def lines(self) -> tuple[str, ...]:
        """The plan as text: what speaks against it, who stays and why, who goes where."""
        said = lines_of(self.findings)
        said += [f"{going.name} stays: {going.why}" for going in self.staying]
        said += [
            f"{going.name} → {going.target}, {going.memory_kib // 1024} MiB"
            for going in self.leaving
        ]
        memory = sum(going.memory_kib for going in self.leaving) // 1024
        said.append(
            f"{len(self.leaving)} of {len(self.goings)} running domains go, {memory} MiB in all,"
            f" {self.limit} at a time"
        )
        return tuple(" ".join(line.splitlines()) for line in said)
