"""The app on hosts that are only snapshots, and the screen as text."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from textual.pilot import Pilot
from textual.widget import Widget

from tuivirt.actions.registry import Action
from tuivirt.actions.runner import Tasks
from tuivirt.app import TuivirtApp
from tuivirt.backend.events import EventHub, SnapshotChanged, TaskChanged
from tuivirt.backend.host import Host
from tuivirt.backend.lanes import Lane
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import HostSnapshot
from tuivirt.backend.model.ref import Ref
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.backend.view import View
from tuivirt.settings import Settings

GOLDEN = Path(__file__).parent / "golden"

PATIENCE_S = 20
"""After so long without it, what is waited for does not come."""


class SnapshotHost:
    """Stands where a Host stands; remembers what the screens asked of it."""

    def __init__(self, snapshot: HostSnapshot) -> None:
        self.name = snapshot.name
        self.uri = snapshot.uri
        self.snapshot = snapshot
        self.lookups = Lane(f"{self.name} look-ups", 2)
        self.views: list[View] = []
        self.refreshed = 0

    def require_write(self) -> None:
        """It may change things."""

    def watch(self, view: View) -> None:
        self.views.append(view)

    def refresh(self) -> None:
        self.refreshed += 1


@dataclass
class RecordedTasks:
    """Stands where the runner stands: keeps the wishes, and tells of each as it is told to."""

    hub: EventHub
    wishes: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    fail_with: BaseException | None = None
    under_way: tuple[Task, ...] = ()
    desk: Any = field(default_factory=lambda: SnapshotHost(HostSnapshot("", "")))
    """Where what is about no host is looked up."""

    def submit(
        self, action: Action, host: Any, ref: Ref, name: str, values: Mapping[str, Any]
    ) -> Task:
        if self.fail_with is not None:
            raise self.fail_with
        self.wishes.append((action.name, name, dict(values)))
        task = Task(len(self.wishes), action.name, ref, name, started=0.0)
        self.hub.publish(TaskChanged(host=ref.host, task=task))
        return task

    def end(self, number: int, state: TaskState, text: str, advice: str = "") -> None:
        """The task of that number ends, told from another thread as the runner does."""
        name, target, _ = self.wishes[number - 1]
        ref = Ref("srv1", cast(Any, "domain"), target)
        task = Task(number, name, ref, target, 0.0, state, 1.0, text=text, advice=advice)
        thread = threading.Thread(
            target=self.hub.publish, args=(TaskChanged(host="srv1", task=task),)
        )
        thread.start()
        thread.join()


class DrivenApp(TuivirtApp):
    """The app with the hands of a test on it."""

    def __init__(self, fleet: Fleet, settings: Settings | None = None) -> None:
        hub = EventHub()
        self.doubles = {name: SnapshotHost(host) for name, host in fleet.hosts.items()}
        self.recorded = RecordedTasks(hub)
        hosts = [cast(Host, host) for host in self.doubles.values()]
        super().__init__(hosts, hub, cast(Tasks, self.recorded), settings=settings)

    def publish(self, fleet: Fleet) -> None:
        """What a host's thread does on a change."""
        for name, snapshot in fleet.hosts.items():
            self.doubles[name].snapshot = snapshot
            self.hub.publish(SnapshotChanged(host=name, snapshot=snapshot))

    def show(self, fleet: Fleet) -> None:
        """Publish, and have it drawn without waiting for the next paint that is due."""
        self.publish(fleet)
        self.on_arrived()
        self._paint()


async def until(pilot: Pilot[Any], true: Callable[[], object], what: str) -> None:
    """Let the app work until ``true()`` is; AssertionError when it never is."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                await pilot.pause(0.01)
    except TimeoutError:
        raise AssertionError(f"never: {what}") from None


def screen_lines(app: TuivirtApp) -> list[str]:
    """What stands on the screen, dialogs included, one text a line, without blanks at its end."""
    # Only a full update is drawn with the screens beneath a dialog.
    update: Any = app.screen._compositor.render_update(
        full=True, screen_stack=app._background_screens, simplify=True
    )
    return ["".join(segment.text for segment in line).rstrip() for line in update.strips]


def screen_text(app: TuivirtApp) -> str:
    return "\n".join(screen_lines(app)).rstrip() + "\n"


def sent_bytes(app: TuivirtApp, act: Callable[[], None]) -> str:
    """What would go to the terminal for what ``act`` changes: the pending partial update."""
    compositor = app.screen._compositor
    _settle(app)
    compositor._dirty_regions.clear()
    act()
    _settle(app)
    update: Any = compositor.render_update(screen_stack=app._background_screens)
    if update is None:
        return ""
    console = Console(force_terminal=True, color_system="truecolor", legacy_windows=False)
    return str(update.render_segments(console))


def _settle(app: TuivirtApp) -> None:
    """Hand the dirty regions of all widgets to the compositor, as the next frame would."""
    widgets = {w for w in app.screen.walk_children(Widget) if w._repaint_regions}
    app.screen._compositor.update_widgets(widgets)


def check_golden(name: str, text: str) -> None:
    """Compare with ``golden/NAME.txt``; TUIVIRT_REWRITE_GOLDEN=1 writes it anew."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("TUIVIRT_REWRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def on_top(app: TuivirtApp) -> Any:
    """The screen in front, be it a dialog."""
    return app.screen
