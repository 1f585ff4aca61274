"""The list of domains: what every guest does, at a glance."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tuivirt.backend.model.domain import UNLABELLED
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Kind
from tuivirt.widgets.live_table import LiveTable

from .base import FleetScreen
from .domain_columns import NARROW, HostRows, Row, columns_for
from .empty import why_empty

if TYPE_CHECKING:
    from tuivirt.backend.model.host import HostSnapshot
    from tuivirt.widgets.grouping import Grouping


def _search(row: Row) -> str:
    domain, labels = row.domain, row.domain.labels
    text = f"{domain.name} {domain.state.word} {' '.join(domain.addresses)}"
    if labels is not UNLABELLED:
        text = f"{text} {labels.group} {labels.note}"
    return f"{text} @{domain.host}"


class DomainsScreen(FleetScreen):
    """All domains of all hosts."""

    HELP = (
        "Every domain with its state and what it uses now. ↯ waits for the next boot (or for the "
        "guest to let go of a device), dimmed figures are old, ? is not known, – is nothing. "
        "CPU % is of one host CPU; the little bars are its share of its own vCPUs. b shows the "
        "list by host, group or tag; enter, ← and → fold a group, and its mark means all in it."
    )
    KIND = Kind.DOMAIN
    OF_ALL_HOSTS = True
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        (":", "go to"),
        ("/", "filter"),
        ("a", "actions"),
        ("c", "console"),
        ("⏎", "open"),
        ("space", "mark"),
        ("?", "help"),
        ("y", "XML"),
        ("S N C M D I", "with shift: sort"),
        ("b", "group by"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "group", "Group by host, group, tag", show=False, id="domains.group"),
        Binding("left", "fold(True)", "Fold its group", show=False, id="domains.fold"),
        Binding("right", "fold(False)", "Unfold the group", show=False, id="domains.unfold"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._table: LiveTable[Row] = LiveTable(
            NARROW,
            caption="Domains",
            sort="cpu",
            search=_search,
            tags=lambda row: row.domain.labels.tags,
            id="table",
        )
        self._groupings: dict[str, Grouping[Row, Any]] = {}
        self._only_host: str | None = None
        self._hosts: dict[str, HostRows] = {}

    def compose_body(self) -> ComposeResult:
        yield self._table

    def show_fleet(self, fleet: Fleet) -> None:
        self._table.use_columns(columns_for(self.app.size.width, len(fleet.in_use)))
        now, only, before = time.monotonic(), self._only_host, self._hosts
        self._hosts = {}
        for host in fleet.hosts.values():
            if only in (None, host.name):
                made = self._hosts[host.name] = before.get(host.name) or HostRows(host)
                made.show(host, now)
        if not any(made.rows for made in self._hosts.values()):
            asked = fleet if only is None else fleet.only(only)
            self._table.set_empty(why_empty(asked, "domains", "A domain is defined with virsh."))
        self._table.update_sections(dict(self._hosts.items()))

    def foresee(self, host: HostSnapshot) -> None:
        made = self._hosts.get(host.name)
        if made is not None:
            made.show(host, time.monotonic())
            self._table.rows.look_ahead(host.name)

    def group_by(self, word: str) -> None:
        """Show the domains by host, group or tag; ``off``: in one list. Raises KeyError."""
        from .domain_groups import grouping_by

        grouping = None if word == "off" else self._groupings.get(word) or grouping_by(word)
        if grouping is not None:
            self._groupings[word] = grouping
        self._table.group_by(grouping)

    def action_group(self) -> None:
        """The next way of grouping."""
        from .domain_groups import after

        now = self._table.rows.grouping
        self.group_by(after(now.word if now is not None else "off"))

    def action_fold(self, close: bool) -> None:
        self._table.fold(close)

    def only_host(self, host: str | None) -> None:
        """Show the domains of one host, or of all."""
        self._only_host = host
        self._table.caption = "Domains" if host is None else f"Domains @{host}"
        self.show_fleet(self.fleet)
