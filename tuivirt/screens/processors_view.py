"""The tab of a domain's processors: what it has, the host's CPUs, and which thread runs where."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from tuivirt.actions import lookups
from tuivirt.actions.errors import TuivirtError
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.processors import HostTopology, Processing
from tuivirt.backend.model.stats import DomainStats
from tuivirt.widgets.block import Block
from tuivirt.widgets.cpu_map import CpuMap, cpu_map
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.tones import Toned

from .processor_rows import Thread, columns, fact_lines, room_for_map, thread_rows
from .telling import in_lines

ASK_AGAIN_S = 2.0
"""How often, while it is looked at, one call asks a running domain where its vCPUs are."""

LookUp = Callable[..., None]
"""The screen's: host, function, arguments, ``then``."""

_PINS = {
    "vcpu": ("vcpupin", "vcpu"),
    "emulator": ("emulatorpin", ""),
    "iothread": ("iothreadpin", "iothread"),
}


class ProcessorsView(Vertical):
    """Facts above, threads below; Enter on a thread asks where it shall run."""

    DEFAULT_CSS = "ProcessorsView { width: 1fr; height: 1fr; }"

    class Pinned(Message):
        """A thread was chosen to be pinned: the action and what is known of it."""

        def __init__(self, action: str, values: dict[str, Any]) -> None:
            super().__init__()
            self.action = action
            self.values = values

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._facts = Block()
        self.table: LiveTable[Thread] = LiveTable(
            columns(None, {}),
            caption="Threads",
            search=lambda row: f"{row.name} {row.said} {row.serves} {row.when}",
            empty="Reading the processors …",
        )
        self._map: CpuMap | None = None
        self._legend = Block()
        self._processing: Processing | None = None
        self._host: HostTopology | None = None
        self._asked_for: object = None
        self._asking = False
        self._asked_at = 0.0
        self._complaint = ""
        self._untold = ""
        """Why the host's CPUs are not known."""
        self._answered: Callable[[], None] = lambda: None

    def compose(self) -> ComposeResult:
        yield self._facts
        yield self.table
        yield self._legend

    def focus(self, scroll_visible: bool = True) -> ProcessorsView:
        """The keys are the table's."""
        self.table.focus(scroll_visible)
        return self

    def ask(
        self, domain: Domain, token: object, look_up: LookUp, answered: Callable[[], None]
    ) -> None:
        """Look it up where it is not known, may have changed, or its vCPUs have moved."""
        self._answered = answered
        if self._host is None and self._asked_for is None:
            look_up(domain.host, lookups.host_topology, then=self._take_host)
        old = domain.active and time.monotonic() - self._asked_at >= ASK_AGAIN_S
        if self._asking or (token == self._asked_for and not old):
            return
        self._asked_for, self._asking = token, True
        look_up(domain.host, lookups.processing, domain.uuid, then=self._take)

    def _take_host(self, answer: HostTopology | TuivirtError) -> None:
        if isinstance(answer, HostTopology):
            self._host = answer
        else:
            self._host = HostTopology()
            self._untold = str(answer)
        self._answered()

    def _take(self, answer: Processing | TuivirtError) -> None:
        self._asking, self._asked_at = False, time.monotonic()
        if isinstance(answer, Processing):
            self._processing, self._complaint = answer, answer.untold
        elif self._processing is None:
            self.table.set_empty(in_lines(answer))
        else:
            # What was known last stays, and it is said that it may be old.
            self._complaint = str(answer)
        self._answered()

    def show(self, stats: DomainStats | None) -> None:
        """Draw what is known now."""
        if self._processing is None or self._host is None:
            return
        width = self.size.width or self.app.size.width
        height = self.size.height or self.app.size.height - 4
        rows = thread_rows(self._processing, self._host, stats)
        self._map = cpu_map(self._host, room_for_map(width, rows))
        self._facts.show(
            fact_lines(self._processing, self._host, stats, width, max(6, height // 2))
        )
        self.table.use_columns(columns(self._map, rows))
        self.table.update(rows)
        legend = Toned("")
        if self._map is not None:
            runs = self._processing.live is not None
            legend = Toned(f"   {self._map.legend(runs=runs)}", "dim")
        wrong = self._complaint or self._untold
        self._legend.show([(Toned(f" {wrong}", "warn") if wrong else legend,)])

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        row = self.table.row(event.key)
        event.stop()
        if row is None:
            return
        action, parameter = _PINS[row.kind]
        values: dict[str, Any] = {parameter: row.number} if parameter else {}
        self.post_message(self.Pinned(action, values))
