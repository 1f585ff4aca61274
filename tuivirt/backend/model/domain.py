"""A domain as the list knows it."""

from __future__ import annotations

from enum import IntEnum

from .record import record
from .ref import Kind, Ref


class DomainState(IntEnum):
    """libvirt's virDomainState, number for number."""

    NOSTATE = 0
    RUNNING = 1
    BLOCKED = 2
    PAUSED = 3
    SHUTDOWN = 4
    SHUTOFF = 5
    CRASHED = 6
    PMSUSPENDED = 7

    @property
    def word(self) -> str:
        """The word on the screen; a state is never told by colour alone."""
        return _WORDS[self]

    @property
    def rank(self) -> int:
        """Where it stands in a list that is sorted by state: what needs somebody comes first."""
        return _RANKS[self]

    @property
    def active(self) -> bool:
        """Whether a hypervisor process exists: such a domain has a live configuration.

        A crashed domain is active only where it was preserved (``on_crash``); its ``id`` tells.
        """
        return self not in (DomainState.SHUTOFF, DomainState.CRASHED, DomainState.NOSTATE)


_WORDS = {
    DomainState.NOSTATE: "no state",
    DomainState.RUNNING: "run",
    DomainState.BLOCKED: "run",
    DomainState.PAUSED: "paused",
    DomainState.SHUTDOWN: "stopping",
    DomainState.SHUTOFF: "off",
    DomainState.CRASHED: "crashed",
    DomainState.PMSUSPENDED: "asleep",
}


_IO_ERROR = 5
"""VIR_DOMAIN_PAUSED_IOERROR."""
_RANKS = (6, 1, 1, 3, 2, 5, 0, 4)


@record(frozen=True, slots=True)
class Labels:
    """What operators have written on a domain. Source: its metadata, see ``xml/labels``."""

    tags: tuple[str, ...] = ()
    """Single words, in the order in which they were given; no two differ in case alone."""
    group: str = ""
    note: str = ""


UNLABELLED = Labels()


@record(frozen=True, slots=True)
class Domain:
    """One domain. Source: listAllDomains with its filter flags, and the bulk stats."""

    host: str
    uuid: str
    name: str
    id: int | None
    """The hypervisor's number while it is active, else None."""
    state: DomainState
    reason: int = 0
    """virDomain*Reason of that state."""
    arriving: bool = False
    """It is paused until its memory has come over from another host, where it still runs."""
    autostart: bool = False
    persistent: bool = True
    managed_save: bool = False
    has_snapshots: bool = False
    vcpus: int | None = None
    vcpus_max: int | None = None
    memory_kib: int | None = None
    """What the guest has now (balloon.current)."""
    memory_max_kib: int | None = None
    addresses: tuple[str, ...] = ()
    """IP addresses known without asking the guest (leases of libvirt's networks)."""
    pending: tuple[str, ...] = ()
    """What waits for the next boot, one short phrase each; known once the XML was looked up."""
    detaching: tuple[str, ...] = ()
    """What operators call those devices whose detach still waits for the guest."""
    leaving: tuple[str, ...] = ()
    """Their aliases."""
    labels: Labels = UNLABELLED
    """Known once the XML was looked up."""
    stalled_since: float | None = None
    """Monotonic time since which the hypervisor does not answer for it; None: it answers."""

    @property
    def stands_still(self) -> bool:
        """It was paused as a disk could not be read or written: nobody has asked for that."""
        return (self.state, self.reason) == (DomainState.PAUSED, _IO_ERROR)

    @property
    def silent_since(self) -> float | None:
        """As ``stalled_since``; one that arrives is silent until it has."""
        return None if self.arriving else self.stalled_since

    @property
    def tags(self) -> tuple[str, ...]:
        return self.labels.tags

    @property
    def group(self) -> str:
        return self.labels.group

    @property
    def note(self) -> str:
        return self.labels.note

    @property
    def ref(self) -> Ref:
        return Ref(self.host, Kind.DOMAIN, self.uuid)

    @property
    def active(self) -> bool:
        return self.id is not None
