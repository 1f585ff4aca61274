"""The README's pictures, made by the program itself on its demo host."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from tuivirt.actions.runner import Tasks
from tuivirt.app import TuivirtApp
from tuivirt.backend.events import EventHub
from tuivirt.settings import Settings
from tuivirt.wiring import connect

DOCS = Path(__file__).parents[2] / "docs"
SETTLE_S = 14.0
"""Long enough for sparklines with something in them."""


def save(app: TuivirtApp, name: str) -> None:
    """Write the screen as a picture that fetches nothing: the reader's own fixed-width font."""
    svg = re.sub(r"@font-face \{.*?\}", "", app.export_screenshot(), flags=re.DOTALL)
    (DOCS / name).write_text(svg.replace("Fira Code", "DejaVu Sans Mono"))


async def draw() -> None:
    """Write docs/screen.svg, docs/domain.svg and docs/console.svg."""
    hub = EventHub()
    wiring = connect(hub, ["demo:///srv1?life=0"], interval=0.5)
    app = TuivirtApp(wiring.hosts, hub, Tasks(hub.publish), settings=Settings())
    try:
        async with app.run_test(size=(120, 24)) as pilot:
            await asyncio.sleep(SETTLE_S)
            await pilot.press("g", "space", "j", "j")
            await pilot.pause(1.0)
            save(app, "screen.svg")
            await pilot.press("j", "enter")
            await pilot.pause(SETTLE_S)
            save(app, "domain.svg")
            await pilot.press("c")
            await pilot.pause(SETTLE_S / 4)
            for line in ("help", "ls", "top"):
                await pilot.press(*line, "enter")
                await pilot.pause(1.0)
            save(app, "console.svg")
    finally:
        wiring.close()


if __name__ == "__main__":
    asyncio.run(draw())
