"""The tab of a domain's backups: the one under way, the last, and the checkpoints as a tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tuivirt.actions import lookups
from tuivirt.actions.errors import TuivirtError
from tuivirt.backend.model.checkpoint import BackupJob, Backups, Checkpoint, rows
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.record import record
from tuivirt.backend.model.ref import Ref
from tuivirt.backend.model.snapshot import SnapshotRow, described
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.widgets.block import Block
from tuivirt.widgets.columns import Column
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.page import PageLine
from tuivirt.widgets.text import NONE, size_bytes
from tuivirt.widgets.tones import Toned

from .parts_view import ASK_AGAIN_S, PartsView
from .processors_view import LookUp
from .snapshots_view import ago_cell, name_cell, taken_cell

WHILE_ONE_RUNS_S = 2.0
KEYS = "b backs up   ⏎ since that one   + makes one   - deletes one   y its XML"
KEYS_WITHOUT = "+ makes one   - deletes one   y its XML"
EMPTY = (
    "No checkpoints: nothing notes what is written, and each backup takes all.\n"
    "A backup that makes one is what a later one takes up from: b, and a name at Checkpoint."
)
NONE_TAKEN = "This host's libvirt takes no backups."
HERE = "No backup is under way: b begins one, to a folder or a pool."
ELSEWHERE = (
    "No backup is under way: b offers one to who pulls it (Pull, and an address at Listen). To "
    "files it is begun by tuivirt on that host alone."
)
"""Of a host whose files are not this machine's: neither room nor result could be looked at."""
MOST_LINES = 3
"""Of what is told of the last backup, and of the files of one that runs: the tree needs room."""


@record(frozen=True, slots=True)
class Row:
    """A checkpoint in its tree."""

    checkpoint: Checkpoint
    place: SnapshotRow
    sizes: Mapping[str, int] | None = None
    """By target, the bytes written since; None: not known."""


def _since(row: Row) -> str:
    return size_bytes(sum(row.sizes.values())) if row.sizes else NONE


def _disks(row: Row) -> str:
    sizes, several = row.sizes or {}, len(row.checkpoint.targets) > 1
    return ", ".join(
        f"{target} {size_bytes(sizes[target])}" if several and target in sizes else target
        for target in row.checkpoint.targets
    )


COLUMNS: tuple[Column[Row], ...] = (
    Column("name", "CHECKPOINT", lambda r: name_cell(r.place), width=24, max_width=60),
    Column("taken", "MADE", lambda r: taken_cell(r.place), width=16),
    Column("ago", "AGO", lambda r: ago_cell(r.place), width=8, align="right", priority=2),
    Column("since", "WRITTEN SINCE", _since, width=13, align="right"),
    Column("disks", "DISKS", _disks, width=16, max_width=60),
    Column(
        "description",
        "DESCRIPTION",
        lambda r: described(r.place),
        width=16,
        max_width=80,
        priority=1,
    ),
)


class BackupsView(PartsView):
    """Enter on a checkpoint asks for a backup of what was written since."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "back_up", "Back up", show=False, id="backups.begin"),
        Binding("y", "wish('checkpoint-dumpxml')", "XML", show=False, id="backups.xml"),
    ]
    PARAMETER = "checkpointname"
    MAKES = "checkpoint-create"
    ON_KEYS: ClassVar[dict[str, str]] = {"attach-disk": MAKES, "detach-disk": "checkpoint-delete"}

    def __init__(self, *, id: str | None = None) -> None:
        table: LiveTable[Row] = LiveTable(
            COLUMNS,
            caption="Checkpoints",
            search=lambda row: f"{row.checkpoint.name} {row.checkpoint.description} {_disks(row)}",
            empty="Reading the checkpoints …",
        )
        super().__init__(table, id=id)
        self._facts = Block()
        self._known: Backups | None = None
        self._sizes: Mapping[str, Mapping[str, int]] = {}
        self._sizes_at: float | None = None
        self._last: Task | None = None
        self._active = False

    def compose(self) -> ComposeResult:
        yield self._facts
        yield from super().compose()

    def name_of(self, row: Row) -> str:
        return row.checkpoint.name

    @property
    def is_known(self) -> bool:
        return self._known is not None

    @property
    def ask_again_s(self) -> float:
        under_way = self._known is not None and self._known.running is not None
        return WHILE_ONE_RUNS_S if under_way else super().ask_again_s

    def ask(
        self, domain: Domain, token: object, look_up: LookUp, answered: Callable[[], None]
    ) -> None:
        self._active = domain.active
        super().ask(domain, token, look_up, answered)

    def read(self, domain: Domain, look_up: LookUp) -> None:
        key = (lookups.backups, domain.ref)
        look_up(domain.host, lookups.backups, domain.uuid, then=self.take, alone=key)

    def read_deeper(self, domain: Domain, look_up: LookUp) -> None:
        known, last = self._known, self._sizes_at
        if known is None or not known.checkpoints or known.running is not None:
            return  # The job holds the images: libvirt would tell none.
        if last is None or self._asked_at - last >= ASK_AGAIN_S:
            self._sizes_at = self._asked_at
            self.ask_deeper(domain, look_up, lookups.checkpoint_sizes, self._take_sizes)

    def show_found(self, found: Backups) -> None:
        self._known = found
        self.table.set_empty(EMPTY if found.taken else "No checkpoints.")
        self._show_tree()
        keys = KEYS if found.taken else KEYS_WITHOUT
        self._tell(keys if found.checkpoints else "", "dim")

    def show_last(self, tasks: Sequence[Task], ref: Ref) -> None:
        """The facts above the tree; of backups that are over the tasks alone tell."""
        mine = [task for task in tasks if task.action == "backup-begin" and task.target == ref]
        # One that was refused is no backup: it is not to hide the one before it.
        ended = [task for task in mine if task.ended is not None and _began(task)]
        self._last = max(ended, key=lambda task: (task.started, task.id), default=None)
        if self._known is not None:
            self._facts.show(self._fact_lines(self._known))

    def _show_tree(self) -> None:
        found = rows(self._known.checkpoints) if self._known is not None else ()
        self.table.update(
            {each.name: Row(each, place, self._sizes.get(each.name)) for each, place in found}
        )

    def _take_sizes(self, answer: Mapping[str, Mapping[str, int]] | TuivirtError) -> None:
        if not isinstance(answer, TuivirtError):  # That they cannot be read was told already.
            self._sizes = answer
            self._show_tree()

    def _fact_lines(self, known: Backups) -> list[PageLine]:
        width = max(20, self.size.width - 4)
        if known.running is not None:
            said = _of_running(known.running)
        elif not known.taken:
            said = [(NONE_TAKEN, "")]
        elif self._active:
            said = [(HERE if known.here else ELSEWHERE, "")]
        else:
            said = [("It is off: a backup can be begun once it runs.", "")]
        if known.running is None:
            said.append(_of_last(self._last, known.checkpoints))
        return [
            (Toned(f" {line}", tone),)
            for text, tone in said
            if text
            for line in wrap(
                text, width, subsequent_indent="   ", max_lines=MOST_LINES, placeholder=" …"
            )
        ]

    def action_back_up(self) -> None:
        newest = _newest(self._known.checkpoints) if self._known is not None else None
        self._wish_backup(newest, {})

    def _wish_backup(self, near: Checkpoint | None, values: dict[str, str]) -> None:
        """Into the folder of the backup that made ``near``, where files can be written."""
        known = self._known
        if known is not None and not known.taken:
            self._tell(NONE_TAKEN, "warn")
            return
        if near is not None and near.folder and known is not None and known.here:
            values = {**values, "to": near.folder}
        self.post_message(self.Wished("backup-begin", dict(values)))

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        event.stop()
        if (row := self.table.row(event.key)) is not None:
            self._wish_backup(row.checkpoint, {"incremental": row.checkpoint.name})


def _of_running(running: BackupJob) -> list[tuple[str, str]]:
    what = f"what is new since {running.incremental}" if running.incremental else "all of it"
    if running.mode == "pull":
        said = [(f"A backup is under way: {what} is offered to who pulls it.", "accent")]
        said.append((f"at {running.offered}", ""))
        return [*said, ("backup-end ends it (a, Backup, checkpoints…).", "dim")]
    far = ""
    if running.total_bytes:
        share = min(100, 100 * running.done_bytes // running.total_bytes)
        done, total = size_bytes(running.done_bytes), size_bytes(running.total_bytes)
        far = f", {done} of {total}, {share} %"
    said = [(f"A backup is under way: {what} is copied{far}.", "accent")]
    files = running.files
    said += [(f"{target} → {file}", "") for target, file in files[:MOST_LINES]]
    if len(files) > MOST_LINES:
        said.append((f"and {len(files) - MOST_LINES} disks more", "dim"))
    return [*said, (":job shows it, and ends it.", "dim")]


def _newest(checkpoints: Sequence[Checkpoint]) -> Checkpoint | None:
    """Of those that backups made."""
    made = [each for each in checkpoints if each.of_backup]
    return max(made, key=lambda each: each.created or 0.0, default=None)


def _began(task: Task) -> bool:
    return task.begun or task.state is TaskState.DONE


def _of_last(last: Task | None, checkpoints: Sequence[Checkpoint]) -> tuple[str, str]:
    """The last one: by its task, or by the newest checkpoint that a backup made, if later."""
    newest = _newest(checkpoints)
    made = newest.created or 0.0 if newest is not None else 0.0
    # Its own checkpoint was made while it was under way.
    if last is not None and (last.ended or 0.0) >= made:
        return f"The last: {last.text}", "" if last.state is TaskState.DONE else "warn"
    if newest is None:
        return "", ""
    where = f"to {newest.folder}" if newest.folder else "and libvirt does not know where it lies"
    return f"The last that made a checkpoint: with {newest.name}, {where}.", "dim"
