"""All hosts and tasks at one moment: what a screen is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace

from .domain import Domain
from .host import HostSnapshot, Link
from .record import record
from .ref import Kind, Ref
from .resources import Network, NodeDevice, Pool
from .stats import DomainStats
from .task import Task

KEEP_TASKS = 500
"""How many tasks are remembered, running ones included."""


@record(frozen=True, slots=True)
class Fleet:
    """Everything the screens know."""

    hosts: Mapping[str, HostSnapshot] = field(default_factory=dict)
    tasks: tuple[Task, ...] = ()
    """Oldest first."""

    def with_host(self, snapshot: HostSnapshot) -> Fleet:
        """The fleet with this host's snapshot in place of its older one."""
        return replace(self, hosts={**self.hosts, snapshot.name: snapshot})

    def only(self, name: str) -> Fleet:
        """The fleet as if there were this host alone."""
        return replace(self, hosts={n: host for n, host in self.hosts.items() if n == name})

    @property
    def in_use(self) -> list[HostSnapshot]:
        """The hosts that are connected, or that somebody wants to be."""
        return [host for host in self.hosts.values() if host.link is not Link.CLOSED]

    @property
    def several(self) -> bool:
        """Whether an object has to be told with its host."""
        return len(self.in_use) > 1

    def with_task(self, task: Task) -> Fleet:
        """The fleet with this task added, or in place of its older state."""
        if any(known.id == task.id for known in self.tasks):
            return replace(self, tasks=tuple(task if t.id == task.id else t for t in self.tasks))
        return replace(self, tasks=(*self.tasks, task)[-KEEP_TASKS:])

    def domains(self) -> Iterator[Domain]:
        """Every domain of every host."""
        for host in self.hosts.values():
            yield from host.domains.values()

    def domain(self, ref: Ref) -> Domain | None:
        host = self.hosts.get(ref.host)
        return host.domains.get(ref.key) if host else None

    def stats(self, ref: Ref) -> DomainStats | None:
        host = self.hosts.get(ref.host)
        return host.domain_stats.get(ref.key) if host else None

    def find(self, ref: Ref) -> Domain | Network | Pool | NodeDevice | HostSnapshot | None:
        """The object that ``ref`` names, or None when it is gone (volumes are looked up apart)."""
        host = self.hosts.get(ref.host)
        if host is None:
            return None
        if ref.kind is Kind.DOMAIN:
            return host.domains.get(ref.key)
        if ref.kind is Kind.NETWORK:
            return host.networks.get(ref.key)
        if ref.kind is Kind.POOL:
            return host.pools.get(ref.key)
        if ref.kind is Kind.DEVICE:
            return host.devices.get(ref.key)
        return host if ref.kind is Kind.HOST else None
