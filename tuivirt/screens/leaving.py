"""What leaving means while tasks are under way: each is named, with what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from textual.await_complete import AwaitComplete

from tuivirt.actions.registry import ACTIONS
from tuivirt.backend.model.console import ConsoleSession
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.widgets.dialogs import ConfirmDialog
from tuivirt.widgets.text import age, plain, size_bytes

from .painting import ages_every_s
from .parting import has_begun
from .waiting import waits_for

_OF_THE_GUEST = ("shutdown", "reboot")
LOOK_AGAIN_S = 1.0
"""How often it is brought up to date, at most."""
_DETACHING = "detach-"
"""Actions that ask the guest, and then wait for what it does: those, and those that begin so."""
ANOTHER = "something else is under way by now: look, and press it again"


class UnderWay(NamedTuple):
    """What would be left alone."""

    tasks: Sequence[Task]
    fleet: Fleet
    sessions: Sequence[ConsoleSession] = ()

    @property
    def sending(self) -> Sequence[ConsoleSession]:
        """Consoles to which a text is being sent."""
        return [session for session in self.sessions if session.sending is not None]

    @property
    def is_anything(self) -> bool:
        return bool(self.tasks or self.sending)


class LeaveDialog(ConfirmDialog):
    """Asked when tuivirt is left while something runs; ctrl+q again is the answer *leave*.

    It tells what is under way now, and takes no *leave* for what it has not told, or only just.
    """

    def __init__(self, look: Callable[[], UnderWay], slow: bool) -> None:
        """``look`` tells what is under way; ``slow``: that is drawn less often."""
        self._look, self._slow = look, slow
        now = look()
        self._named = _names(now)
        super().__init__("Leave tuivirt", _lines(now), yes="leave", no="stay")

    def on_mount(self) -> None:
        # A host that is emptied begins one move after another.
        every_s = max(LOOK_AGAIN_S, ages_every_s(self._slow))
        self.set_interval(every_s, self._look_again)

    def _look_again(self) -> bool:
        """Tell what is under way now; whether there is anything that was not told so."""
        now = self._look()
        more = bool(_names(now) - self._named)
        if more:
            self._guard.typed()  # Nobody has read it yet.
        self._named = _names(now)
        self._sentences = tuple(_lines(now))
        self.draw()
        return more

    def dismiss(self, result: bool | None = None) -> AwaitComplete:
        if result and self._look_again():
            self._complain(ANOTHER)
            return AwaitComplete()
        return super().dismiss(result)


def _names(now: UnderWay) -> frozenset[object]:
    """All that is under way, each with what it depends on what becomes of it."""
    told = ((task.id, bool(waits_for(task, now.fleet)), has_begun(task)) for task in now.tasks)
    return frozenset((*told, *map(id, now.sending)))


def _lines(now: UnderWay) -> list[str]:
    lines = []
    if now.tasks:
        count = "A task is" if len(now.tasks) == 1 else f"{len(now.tasks)} tasks are"
        lines = [f"{count} under way.", *(_becomes(task, now.fleet) for task in now.tasks)]
    lines += map(_cut_short, now.sending)
    return lines or ["Nothing is under way any more."]


def _cut_short(session: ConsoleSession) -> str:
    text = session.sending
    if text is None:  # It has ended just now.
        return f"{session.name} {session.device}: all was sent."
    done = f"{size_bytes(text.sent)} of {size_bytes(text.total)}"
    return (
        f"{plain(text.what)} is being sent to {session.name} {session.device}, {done} so far. "
        "The rest is not sent."
    )


def _becomes(task: Task, fleet: Fleet) -> str:
    action = ACTIONS.get(task.action)
    title = action.title if action else task.action
    where = f" @{task.target.host}" if fleet.several else ""
    so_long = age(task.so_far_s())
    return f"{title}: {plain(task.target_name)}{where}, {task.state} for {so_long}. " + _fate(
        task, fleet
    )


def _fate(task: Task, fleet: Fleet) -> str:
    waits = waits_for(task, fleet)
    if waits:
        return f"There is {waits}. Whether it is done then, nobody here will see."
    if task.action == "evacuate":
        return "What it has begun is named for itself; no other domain is moved."
    if task.action == "migrate":
        return _fate_of_a_move(task)
    asked = task.action in _OF_THE_GUEST or task.action.startswith(_DETACHING)
    if task.state is TaskState.PENDING or asked:
        return "The guest was asked and may still do it; it is no longer followed."
    return (
        "What libvirt was asked for goes on there, but how it ends is no longer followed; "
        "a step that it was not asked for yet is not done."
    )


def _fate_of_a_move(task: Task) -> str:
    """libvirt breaks one off when whoever leads it goes: the source's daemon, or this program."""
    words = task.virsh.split()
    if "--p2p" in words and has_begun(task):
        return (
            "The daemons go on with it by themselves, but how it ends is no longer followed; if it "
            "fails, images that were made for it stay on the target."
        )
    unless = ""
    if "--postcopy" in words:
        unless = ", unless it was switched to post-copy: then both hosts must be looked at"
    return (
        f"It is aborted{unless}. The guest stays where it is, and images that were being made for "
        "it stay on the target."
    )
