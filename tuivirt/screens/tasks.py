"""What runs, and how the last tasks ended."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tuivirt.actions.advice import in_labels
from tuivirt.actions.registry import ACTIONS
from tuivirt.actions.whose import whose
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Ref
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.widgets.bar import bar
from tuivirt.widgets.columns import Column
from tuivirt.widgets.dialogs import ConfirmDialog
from tuivirt.widgets.facts import facts
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.page import Page, PageLine
from tuivirt.widgets.text import age, natural
from tuivirt.widgets.tones import Cell, Toned

from .base import FleetScreen
from .block_jobs import LOOK_S, BlockJobs, ends_by
from .rooms import DETAILS
from .waiting import OPEN, waits_for
from .words import clock

_TONES = {
    TaskState.RUNNING: "accent",
    TaskState.DONE: "good",
    TaskState.PENDING: "warn",
    TaskState.FAILED: "bad",
    TaskState.ABORTED: "warn",
}

_HEIGHT = 7
"""Lines for the whole of one task."""


@dataclass(frozen=True, slots=True)
class Row:
    """A task at one moment."""

    task: Task
    now: float
    """Wall clock, whole seconds; 0 for a task that ended, so that its row stays the same."""
    waits: str = ""
    """Whom it waits for that does not answer, and since when."""
    several: bool = False
    """Its object has to be told with its host."""

    @property
    def object(self) -> str:
        return whose(self.task) if self.several else self.task.target_name

    @property
    def text(self) -> str:
        # What ended for several objects has a line for each.
        told = "; ".join(self.task.text.splitlines())
        return "; ".join(part for part in (self.waits, told) if part)


def _state(row: Row) -> Cell:
    if row.waits:
        return Toned("waits", "warn")
    return Toned(str(row.task.state), _TONES[row.task.state])


def title_of(task: Task) -> str:
    """What was asked for, in the menu's words."""
    action = ACTIONS.get(task.action)
    return action.title if action else task.action


def _for(row: Row) -> str:
    task = row.task
    if task.ended is not None:
        return age(task.ended - task.started)
    return age(task.so_far_s()) if row.now else ""


def _progress(row: Row) -> Cell:
    task = row.task
    if task.fraction is None or task.state not in OPEN:
        return ""
    return Toned(f"{bar(task.fraction, 1.0, 4)} {task.fraction * 100:3.0f}%")


_COLUMNS: tuple[Column[Row], ...] = (
    Column(
        "state",
        "STATE",
        _state,
        width=8,
        sort_key=lambda r: (r.task.state not in OPEN, -r.task.id),
        sort_letter="S",
    ),
    Column(
        "name",
        "OBJECT",
        lambda r: r.object,
        width=14,
        max_width=28,
        sort_key=lambda r: natural(r.task.target_name),
        sort_letter="N",
    ),
    Column("action", "TASK", lambda r: title_of(r.task), width=14, max_width=26),
    Column("progress", "PROGRESS", _progress, width=9, priority=1),
    Column("text", "WHAT IT SAYS", lambda r: r.text, width=16, max_width=100),
    Column(
        "started",
        "BEGAN",
        lambda r: clock(r.task.started) if r.task.id else "",
        width=12,
        priority=2,
        sort_key=lambda r: r.task.started,
        sort_letter="T",
        descending=True,
    ),
    Column("took", "TOOK", _for, width=7, align="right", priority=1),
    Column("host", "HOST", lambda r: r.task.target.host, width=8, max_width=20, priority=3),
)

_OF_SEVERAL = tuple(
    replace(column, width=20, max_width=48) if column.id == "name" else column
    for column in _COLUMNS
    if column.id != "host"
)
"""With several hosts: the object with its host, on a narrow screen too."""


class TasksScreen(FleetScreen):
    """The tasks of this session."""

    HELP = (
        "Every action that was started from here: those under way, and how the last ones ended. "
        "Below stands the whole of the one under the cursor, with the virsh command that does the "
        "same; shift+↓ and shift+↑ scroll it. A pending task was accepted, but its guest has not "
        "done it yet; one that waits has no answer from its host or its domain. Block jobs and "
        "backups that others began stand there too, as long as they run."
    )
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("ctrl+k", "abort"),
        ("⏎", "open"),
        ("shift+↓↑", "scroll text"),
        ("/", "filter"),
        (":", "go to"),
        ("?", "help"),
    )
    CSS = f"TasksScreen > Page {{ height: {_HEIGHT}; }}"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+k", "abort", "Abort", show=False, id="tasks.abort"),
        Binding("shift+down", "read(1)", "Its text further", show=False, id="tasks.further"),
        Binding("shift+up", "read(-1)", "Its text back", show=False, id="tasks.back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._table: LiveTable[Row] = LiveTable(
            _COLUMNS,
            caption="Tasks",
            sort="state",
            search=lambda r: (
                f"{whose(r.task)} {r.task.action} {r.task.state} {r.text} @{r.task.target.host}"
            ),
            empty="Nothing was done yet.\nWhat you start from any list appears here.",
            id="table",
        )
        self._jobs = BlockJobs(self._found)
        self._said = ""
        """What was said last of why those of a host are not known."""
        self._page = Page(id="task")
        self._page.can_focus = False

    def compose_body(self) -> ComposeResult:
        yield self._table
        yield self._page

    def on_mount(self) -> None:
        self.set_interval(LOOK_S, self._look)
        self.call_after_refresh(self._look)

    def _look(self) -> None:
        if self.is_current:
            self._jobs.look(self.fleet, self.look_up)

    def _found(self) -> None:
        said, self._said = self._said, self._jobs.wrong
        if self._said and self._said != said:
            self.say(self._said, "warning")
        self.show_fleet(self.fleet)

    def actions(self) -> list[Any]:
        """None: what can be done to a task is to abort it."""
        return []

    def targets(self) -> tuple[Ref, ...]:
        task = self._chosen
        return (task.target,) if task is not None else ()

    @property
    def _chosen(self) -> Task | None:
        row = self._table.row(self._table.cursor)
        return row.task if row is not None else None

    def show_fleet(self, fleet: Fleet) -> None:
        now = float(int(time.time()))
        several = fleet.several
        if self._jobs.hear(self.joint.events_log):
            self._look()
        self._table.use_columns(_OF_SEVERAL if several else _COLUMNS)
        rows: dict[Any, Row] = {
            ("task", task.id): Row(
                task, now if task.state in OPEN else 0.0, waits_for(task, fleet), several
            )
            for task in reversed(fleet.tasks)
        }
        rows |= {
            key: Row(task, 0.0, waits_for(task, fleet), several)
            for key, task in self._jobs.tasks(fleet).items()
        }
        self._table.update(rows)
        self._show_task()

    def _show_task(self) -> None:
        row = self._table.row(self._table.cursor)
        page = self._page
        width = page.size.width or self.app.size.width
        lines = _lines(row, width) if row is not None else []
        if row is not None and len(lines) > (page.size.height or _HEIGHT):
            # What scrolls has a bar, which would stand on the last column.
            lines = _lines(row, width - page.styles.scrollbar_size_vertical)
        page.show(lines)

    def on_live_table_cursor_moved(self) -> None:
        self._page.action_top()
        self._show_task()

    def action_read(self, lines: int) -> None:
        """Scroll what is told of the task under the cursor."""
        if lines > 0:
            self._page.action_scroll_down()
        else:
            self._page.action_scroll_up()

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        for ref in self.targets():
            if ref.kind not in DETAILS or not ref.host:
                self.say(f"a {ref.kind} is found in its list, not from here", "warning")
            elif ref.host not in self.fleet.hosts:
                self.say(f"host {ref.host} is not there any more", "warning")
            else:
                self.open(ref)

    def action_abort(self) -> None:
        task = self._chosen
        if task is None or task.state not in OPEN:
            self.say("this task has ended", "warning")
            return
        if not task.abortable:
            self.say("this task cannot be aborted once it has begun", "warning")
            return

        name = whose(task) if self.fleet.several else task.target_name

        def answered(yes: bool | None) -> None:
            if yes and not task.id:
                action, values = ends_by(task)
                self.act(action, (task.target,), **values)
            elif yes:
                self.joint.abort(task.id)
                self.say(f"{title_of(task)} of {name}: asked to stop")

        self.app.push_screen(
            ConfirmDialog(
                f"Abort: {title_of(task)} of {name}",
                [
                    "It stops at the next point where it can; what is done by then stays done."
                    if task.id
                    else "Somebody else began it, and may wait for it: what it wrote by then is a "
                    "part.",
                    task.text,
                ],
                yes="abort",
                no="go on",
                destructive=True,
            ),
            answered,
        )


def _lines(row: Row, width: int) -> Sequence[PageLine]:
    task = row.task
    return [
        (),
        *facts(
            (
                (title_of(task), Toned(row.text or str(task.state), _TONES[task.state])),
                ("what to try", Toned(in_labels(task.advice, ACTIONS.get(task.action)), "bold")),
                ("the same by hand", task.virsh),
            ),
            width,
        ),
    ]
