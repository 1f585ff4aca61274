"""The floors: the least that Textual can do. ``python -m tests.bench.minimal static|table``."""

from __future__ import annotations

import sys

from textual.app import App, ComposeResult
from textual.widgets import DataTable, Static

ROWS = 101
READY = "the smallest program"


class Smallest(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        yield Static(READY)


class SmallestTable(App[None]):
    """Textual's own table, with as many rows as the farm has domains and one more."""

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("STATE", "NAME", "CPU", "MEM", "READ", "WRITE", "RX", "TX")
        for number in range(ROWS):
            table.add_row("run", f"{READY}-{number}", "0.0", "24/24M", "0", "0", "0", "0")
        table.focus()


if __name__ == "__main__":
    (Smallest if sys.argv[1] == "static" else SmallestTable)().run()
