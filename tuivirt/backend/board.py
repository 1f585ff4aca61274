"""The snapshot of a host: one frozen record, replaced as a whole, and told to everyone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from .errors import TuivirtError
from .events import Event, ListChanged, Publish, SnapshotChanged
from .inventory import compare
from .model.domain import Domain
from .model.host import HostSnapshot, Link
from .model.ref import Kind
from .model.resources import Network, NodeDevice, Pool
from .uses import networks_of_devices

if TYPE_CHECKING:
    from .model.question import Question

PATIENCE_S = 120.0
"""How long an answer of the operator is waited for by who wants a list; a screen waits longer."""

NOT_THERE = (Link.FAILED, Link.LOST, Link.CLOSED)

_KINDS = {
    "domains": Kind.DOMAIN,
    "networks": Kind.NETWORK,
    "pools": Kind.POOL,
    "devices": Kind.DEVICE,
    "interfaces": Kind.INTERFACE,
}


class Board:
    """Where keeper, sampler and configurations meet: each replaces what it found out.

    Whoever computes a replacement from what stands there does so under the lock, here.
    """

    ended: ClassVar[dict[str, Mapping[str, Pool]]] = {}
    """By name of each host that was closed since: the pools that it had. What it shares with
    others its domains may go on using."""

    def __init__(self, name: str, uri: str, publish: Publish) -> None:
        self.name = name
        self.uri = uri
        self.handles: Mapping[str, Any] = {}
        """libvirt's domains by UUID."""
        self._publish = publish
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._snapshot = HostSnapshot(name, uri)
        self._questions: list[Question] = []

    @property
    def snapshot(self) -> HostSnapshot:
        """The newest one; from any thread."""
        return self._snapshot

    def wait_filled(self, timeout: float) -> HostSnapshot:
        """The first snapshot with all lists. Raises TuivirtError when it could not be opened."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not self._snapshot.filled:
                if self._snapshot.link in NOT_THERE:
                    raise not_there(self._snapshot)
                question = self._snapshot.question
                if question is not None:
                    # Whoever answers takes their time, but others wait for that.
                    deadline = time.monotonic() + timeout
                    if question.open and deadline - question.asked_at > PATIENCE_S:
                        question.dismiss("nobody answered what it asked")
                        continue
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TuivirtError(
                        f"{self.uri} did not answer within {timeout:.0f} s",
                        advice="is the daemon stopped or very busy? try again, or restart it",
                    )
                self._changed.wait(left)
            return self._snapshot

    def update(self, **changes: Any) -> None:
        """Replace parts of the snapshot and publish it."""
        with self._changed:
            self._snapshot = snapshot = replace(self._snapshot, **changes)
            self._changed.notify_all()
            # Published under the lock, so that nobody sees an older one after a newer one.
            self._publish(SnapshotChanged(host=self.name, snapshot=snapshot))

    def update_where(self, links: Collection[Link], **changes: Any) -> bool:
        """Replace parts of it if the link is one of these; whether it was."""
        with self._lock:
            fits = self._snapshot.link in links
            if fits:
                self.update(**changes)
            return fits

    def ask(self, question: Question) -> None:
        """It waits for the operator, after those that do already: the first stands there."""
        with self._lock:
            self._questions.append(question)
            self.update(question=self._questions[0])

    def asked(self, question: Question) -> None:
        """It does not wait any more."""
        with self._lock:
            if question in self._questions:
                self._questions.remove(question)
                self.update(question=self._questions[0] if self._questions else None)

    def silence(self) -> None:
        """Tell nobody anything from now on; what is just being told is waited for."""
        with self._lock:
            self._publish = _nobody

    def wait_changed(self, seconds: float) -> None:
        """Wait until the snapshot is replaced, at most so long."""
        with self._changed:
            self._changed.wait(seconds)

    def change_domains(self, changes: Mapping[str, Callable[[Domain], Domain]]) -> None:
        """Replace some domains by UUID; those that are gone, or stay equal, are left."""
        with self._lock:
            domains = self._snapshot.domains
            changed = {}
            for uuid, change in changes.items():
                old = domains.get(uuid)
                if old is not None:
                    new = change(old)
                    if new != old:
                        changed[uuid] = new
            if changed:
                self.update(domains={**domains, **changed})

    def relist(self, section: str, found: Mapping[str, Any]) -> None:
        """A list was read: ``found`` is all there is of it. Nothing is told when it is the same.

        What others found out about its objects, meanwhile too, is kept.
        """
        merged = _MERGED.get(section)
        with self._lock:
            now = getattr(self._snapshot, section)
            if merged is not None:
                found = {
                    key: new if (old := now.get(key)) is None or new is old else merged(new, old)
                    for key, new in found.items()
                }
            delta = compare(now, found)
            if not delta:
                return
            self.update(**{section: found})
            if section in ("networks", "devices"):
                self._set_networks()
        self._publish(
            ListChanged(
                host=self.name,
                kind=_KINDS[section],
                gone=delta.gone,
                new=frozenset(delta.new),
                changed=frozenset(delta.changed),
            )
        )

    def listed(self, found: Mapping[str, Domain], handles: Mapping[str, Any]) -> None:
        """The list of domains was read: ``found`` is all there is."""
        with self._lock:
            self.handles = handles
            self.relist("domains", found)

    def listed_one(self, uuid: str, found: tuple[Domain, Any] | None) -> None:
        """One domain was read again; None: it is gone."""
        with self._lock:
            domains, handles = dict(self._snapshot.domains), dict(self.handles)
            if found is None:
                domains.pop(uuid, None)
                handles.pop(uuid, None)
            else:
                domains[uuid] = found[0]
                handles[uuid] = found[1]
            self.handles = handles
            self.relist("domains", domains)

    def _set_networks(self) -> None:
        """Note which networks hand out which devices."""
        now = self._snapshot
        handed = networks_of_devices(now.networks.values(), now.devices)
        changed = {
            name: replace(device, networks=handed.get(name, ()))
            for name, device in now.devices.items()
            if device.networks != handed.get(name, ())
        }
        if changed:
            self.update(devices={**now.devices, **changed})

    def set_users(
        self, networks: Mapping[str, tuple[str, ...]], devices: Mapping[str, tuple[str, ...]]
    ) -> None:
        """Which domains use which networks and devices, by name."""
        with self._lock:
            old = self._snapshot
            changed_networks = {
                uuid: replace(network, users=networks.get(network.name, ()))
                for uuid, network in old.networks.items()
                if network.users != networks.get(network.name, ())
            }
            changed_devices = {
                name: replace(device, users=devices.get(name, ()))
                for name, device in old.devices.items()
                if device.users != devices.get(name, ())
            }
            if changed_networks:
                self.update(networks={**old.networks, **changed_networks})
            if changed_devices:
                self.update(devices={**old.devices, **changed_devices})


def not_there(host: HostSnapshot) -> TuivirtError:
    """Why there is no connection to it."""
    return TuivirtError(f"cannot connect to {host.uri}", host.reason, host.advice)


def _nobody(_event: Event) -> None:
    """Of a host that is closed nothing is news."""


def _merged_domain(new: Domain, now: Domain) -> Domain:
    return replace(
        new,
        addresses=now.addresses if new.active else (),
        pending=now.pending if new.active else (),
        detaching=now.detaching,
        leaving=now.leaving,
        labels=now.labels,
        stalled_since=now.stalled_since if new.id == now.id else None,
    )


def _merged_network(new: Network, now: Network) -> Network:
    return replace(new, users=now.users, leases=now.leases if new.active else ())


def _merged_device(new: NodeDevice, now: NodeDevice) -> NodeDevice:
    return replace(new, users=now.users, networks=now.networks)


_MERGED: Mapping[str, Callable[[Any, Any], Any]] = {
    "domains": _merged_domain,
    "networks": _merged_network,
    "devices": _merged_device,
}
"""An object as it was just read, with what others found out about it."""
