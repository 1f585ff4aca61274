"""Virtual networks, and one of them with its leases and who is connected."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult

from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Kind
from tuivirt.backend.model.resources import Lease, Network
from tuivirt.widgets.columns import Column
from tuivirt.widgets.facts import facts, heading
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.page import PageLine
from tuivirt.widgets.text import age, fit, natural
from tuivirt.widgets.tones import Toned

from .base import FleetScreen
from .empty import why_empty
from .paged import FactsScreen
from .words import active, auto, for_hosts


def _addresses(network: Network) -> str:
    return " ".join(address.cidr for address in network.addresses)


def _ranges(network: Network) -> str:
    return " ".join(f"{r.start}–{r.end}" for a in network.addresses for r in a.ranges)


def _users(network: Network) -> str:
    return " ".join(network.users)


_COLUMNS: tuple[Column[Network], ...] = (
    Column(
        "state",
        "STATE",
        lambda n: active(n.active),
        width=6,
        sort_key=lambda n: (not n.active, natural(n.name)),
        sort_letter="S",
    ),
    Column(
        "name",
        "NAME",
        lambda n: n.name,
        width=16,
        max_width=32,
        sort_key=lambda n: natural(n.name),
        sort_letter="N",
    ),
    Column(
        "mode",
        "MODE",
        lambda n: f"{n.mode} {n.device}".strip(),
        width=8,
        max_width=18,
        sort_key=lambda n: n.mode,
        sort_letter="M",
    ),
    Column("bridge", "BRIDGE", lambda n: n.bridge, width=7, max_width=15, priority=2),
    Column("addresses", "ADDRESS", _addresses, width=18, max_width=44, priority=1),
    Column(
        "leases",
        "LEASES",
        lambda n: str(len(n.leases)) if n.leases else "–",
        width=6,
        align="right",
        priority=3,
        sort_key=lambda n: len(n.leases),
        sort_letter="L",
        descending=True,
    ),
    Column("auto", "AUTO", lambda n: auto(n.autostart), width=4, priority=4),
    Column("users", "CONNECTED", _users, width=9, max_width=60, priority=5),
    Column("dhcp", "DHCP RANGE", _ranges, width=31, max_width=44, priority=6),
    Column(
        "host",
        "HOST",
        lambda n: n.host,
        width=8,
        max_width=20,
        priority=7,
        sort_key=lambda n: natural(n.host),
        sort_letter="H",
    ),
)


class NetworksScreen(FleetScreen):
    """All virtual networks of all hosts."""

    HELP = (
        "The virtual networks of libvirt. Open one to see who is connected and which addresses "
        "its DHCP server gave out. An isolated network reaches nothing but its own guests."
    )
    KIND = Kind.NETWORK
    OF_ALL_HOSTS = True

    def __init__(self) -> None:
        super().__init__()
        self._only_host: str | None = None
        self._table: LiveTable[Network] = LiveTable(
            _COLUMNS,
            caption="Networks",
            sort="name",
            search=lambda n: f"{n.name} {n.mode} {n.bridge} {_addresses(n)} {_users(n)} @{n.host}",
            id="table",
        )

    def compose_body(self) -> ComposeResult:
        yield self._table

    def show_fleet(self, fleet: Fleet) -> None:
        rows: dict[Any, Network] = {
            network.ref: network
            for host in fleet.hosts.values()
            if self._only_host in (None, host.name)
            for network in host.networks.values()
        }
        if not rows:
            self._table.set_empty(
                why_empty(fleet, "networks", "“virsh net-define FILE” makes one; it appears here.")
            )
        self._table.use_columns(for_hosts(_COLUMNS, len(fleet.in_use)))
        self._table.update(rows)

    def only_host(self, host: str | None) -> None:
        """Show the networks of one host, or of all."""
        self._only_host = host
        self.show_fleet(self.fleet)


class NetworkScreen(FactsScreen):
    """One network."""

    HELP = "A network: how it is set up, the domains with an interface on it, and its DHCP leases."
    KIND = Kind.NETWORK
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("a", "actions"),
        ("y", "XML"),
        ("/", "search"),
        (":", "go to"),
        ("?", "help"),
    )

    def _network(self, fleet: Fleet) -> Network | None:
        found = fleet.find(self.ref)
        return found if isinstance(found, Network) else None

    def title_of(self, fleet: Fleet) -> Sequence[Toned]:
        network = self._network(fleet)
        if network is None:
            return ()
        state = active(network.active)
        assert isinstance(state, Toned)
        more = [network.mode, "autostart" if network.autostart else ""]
        if not network.persistent:
            more.append("transient: gone once it stops")
        words = "".join(f"   {word}" for word in more if word)
        return (Toned(f" {network.name}", "bold"), Toned("   "), state, Toned(words))

    def lines(self, fleet: Fleet, width: int) -> Sequence[PageLine]:
        network = self._network(fleet)
        assert network is not None
        lines = facts(
            (
                ("mode", network.mode),
                ("bridge", network.bridge),
                ("forwards to", network.device),
                ("addresses", [address.cidr for address in network.addresses]),
                (
                    "DHCP ranges",
                    [f"{r.start} – {r.end}" for a in network.addresses for r in a.ranges],
                ),
                ("autostart", "yes" if network.autostart else "no"),
                ("UUID", network.uuid),
            ),
            width,
        )
        lines += heading(f"Connected {len(network.users)}")
        lines += [(Toned(f"   {name}"),) for name in sorted(network.users, key=natural)]
        if not network.users:
            lines.append((Toned("   No domain has an interface on it.", "dim"),))
        lines += heading(f"Leases {len(network.leases)}")
        if network.leases:
            lines.append((Toned(f"   {'ADDRESS':<24} {'MAC':<17} {'NAME':<20} EXPIRES", "title"),))
            lines += [_lease_line(lease) for lease in network.leases]
        else:
            served = any(a.ranges for a in network.addresses)
            why = "None given out yet." if served else "It has no DHCP server that libvirt runs."
            lines.append((Toned(f"   {why}", "dim"),))
        return lines


def _lease_line(lease: Lease) -> PageLine:
    left = lease.expires - time.time()
    ends = "never" if not lease.expires else f"in {age(left)}" if left > 0 else "expired"
    address = fit(f"{lease.address}/{lease.prefix}", 24)
    return (Toned(f"   {address} {fit(lease.mac, 17)} {fit(lease.hostname or '–', 20)} {ends}"),)
