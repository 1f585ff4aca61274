"""A host as the screens see it: one frozen snapshot, replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING

from .domain import Domain
from .record import record
from .ref import Kind, Ref
from .resources import HostInterface, Network, NodeDevice, Pool
from .stats import DomainStats, HostStats

if TYPE_CHECKING:
    from .entry import HostEntry
    from .question import Question


class Link(StrEnum):
    """The state of the connection to a host."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    STALLED = "stalled"
    """Open, but no answer for longer than two ticks; what is shown is as old as `data_at` says."""
    LOST = "lost"
    """Was open; being opened again with back-off."""
    FAILED = "failed"
    """Never opened so far; tried again with back-off."""
    CLOSED = "closed"


@record(frozen=True, slots=True)
class HostInfo:
    """What does not change while a connection is open."""

    uri: str
    hostname: str = ""
    hypervisor: str = ""
    """QEMU, TEST, LXC …"""
    libvirt_version: str = ""
    hypervisor_version: str = ""
    cpus: int = 0
    cpu_model: str = ""
    arch: str = ""
    memory_kib: int = 0
    readonly: bool = False
    local: bool = False
    """The daemon runs on this machine: its paths are our paths."""
    demo: bool = False
    missing: tuple[str, ...] = ()
    """What this host's driver does not offer, one phrase each (events, interfaces …)."""


@record(frozen=True, slots=True)
class Sampling:
    """How the sampler is doing."""

    interval_s: float = 2.0
    calls: int = 0
    """libvirt calls of the last tick."""
    daemon_share: float = 0.0
    """Part of the last ticks' time in which the daemon worked for us, 0 to 1."""
    background_age_s: float = 0.0
    """How old the oldest figures out of view are allowed to get under the budget."""
    round_trip_s: float | None = None
    """The shortest call there was: the line to the host, there and back. None: not known yet."""


@record(frozen=True, slots=True)
class HostSnapshot:
    """All of a host at one moment. A section that did not change is the same object as before."""

    name: str
    uri: str
    """Without a password."""
    link: Link = Link.CONNECTING
    reason: str = ""
    """libvirt's words for why the link is as it is; empty when all is well."""
    advice: str = ""
    """What to try."""
    data_at: float | None = None
    """Monotonic time of the last answer."""
    retry_at: float | None = None
    """Monotonic time of the next try, when it is lost or failed."""
    entry: HostEntry | None = None
    """What the settings say of it, its URI without a password; None: they do not know it."""
    question: Question | None = None
    """What is asked of the operator, and waits for an answer."""
    info: HostInfo | None = None
    stats: HostStats | None = None
    sampling: Sampling = Sampling()
    filled: bool = False
    """The first list has been read."""
    domains: Mapping[str, Domain] = field(default_factory=dict)
    """By UUID."""
    domain_stats: Mapping[str, DomainStats] = field(default_factory=dict)
    """By UUID."""
    networks: Mapping[str, Network] = field(default_factory=dict)
    """By UUID."""
    pools: Mapping[str, Pool] = field(default_factory=dict)
    """By UUID."""
    devices: Mapping[str, NodeDevice] = field(default_factory=dict)
    """By name."""
    interfaces: Mapping[str, HostInterface] = field(default_factory=dict)
    """By name."""

    @property
    def ref(self) -> Ref:
        return Ref(self.name, Kind.HOST, self.name)

    @property
    def colour(self) -> str:
        """What its name is drawn in: one of ``entry.COLOURS``, or nothing in particular."""
        return self.entry.colour if self.entry is not None else ""
