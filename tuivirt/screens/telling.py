"""What the footer says, and when a host's age is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuivirt.actions.advice import in_labels, sentence
from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.registry import ACTIONS
from tuivirt.actions.whose import whose, with_host
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.backend.model.task import Task, TaskState

if TYPE_CHECKING:
    from tuivirt.widgets.dialogs import MessageDialog

Notice = tuple[str, str]
"""Text and severity."""

_SEVERITY = {
    TaskState.DONE: "information",
    TaskState.FAILED: "error",
    TaskState.ABORTED: "warning",
    TaskState.PENDING: "warning",
}


def after(text: str, advice: str) -> str:
    """What happened, and in a sentence of its own what to do next."""
    if not advice:
        return text
    return f"{text.removesuffix('.')}. {sentence(advice)}"


def joined(error: TuivirtError) -> str:
    """All that an error tells, in one line."""
    return after(str(error), error.advice)


def in_lines(error: TuivirtError) -> str:
    """All that an error tells, the advice on a line of its own."""
    return "\n".join(part for part in (str(error), sentence(error.advice)) if part)


def error_dialog(error: TuivirtError) -> MessageDialog:
    """An error in full: what, libvirt's code and words, and what to do next."""
    from tuivirt.widgets.dialogs import MessageDialog

    why = error.why + (f" (libvirt error {error.code})" if error.code is not None else "")
    done = f"Done all the same: {error.done}\n" if error.done else ""
    return MessageDialog("That did not work", error.what, why, done + sentence(error.advice))


def notice_of(task: Task, *, several: bool = False) -> Notice | None:
    """The text and severity of a task's news; None while there is nothing to say.

    ``several``: there are other hosts, so the object is told with its own.
    """
    name = whose(task) if several else task.target_name
    if task.state is TaskState.RUNNING:
        return (f"{name}: {task.text}", "information") if task.text else None
    text = task.text
    if task.state is TaskState.PENDING:
        # What the guest has not done yet; how it ends names the object itself.
        text = f"{name}: {text}"
    elif several:
        text = with_host(text, task)
    text = after(text, in_labels(task.advice, ACTIONS.get(task.action)))
    return text or f"{task.action} {name}", _SEVERITY[task.state]


class News:
    """What stands in the footer as one thing after the other tells of itself.

    Of many tasks done at once the last stood there, mostly one that went well. A failure is not
    passed over: it stays until a key is pressed after it, and those that follow are counted.
    """

    def __init__(self) -> None:
        self._failed: set[int] = set()
        self._failed_at = 0.0
        self._told: Notice | None = None

    def of(
        self, task: Task, standing: Notice, pressed_at: float, *, several: bool = False
    ) -> Notice:
        """What stands there now that a task has told of itself; ``pressed_at``: the last key."""
        told = notice_of(task, several=several)
        if told is None:
            return standing
        if task.state is not TaskState.FAILED:
            return self.beside(told, standing, pressed_at)
        if not self._holds(standing, pressed_at):
            self._failed.clear()
        self._failed.add(task.id)
        self._failed_at = time.monotonic()
        count = len(self._failed)
        text = told[0] if count == 1 else f"{count} failed (:job lists them), {told[0]}"
        self._told = text, told[1]
        return self._told

    def beside(self, said: Notice, standing: Notice, pressed_at: float) -> Notice:
        """What stands there when something else is said: an error too goes before what failed."""
        return standing if said[1] != "error" and self._holds(standing, pressed_at) else said

    def _holds(self, standing: Notice, pressed_at: float) -> bool:
        """Whether a failure stands there that nobody has seen yet, as far as is known."""
        return standing is self._told and pressed_at <= self._failed_at


def first_notice(notice: str, problems: Sequence[str]) -> tuple[str, str]:
    """What is said at the start, and its severity: ``notice``, and what is wrong in the settings.

    Of several problems the first; the events screen has them all.
    """
    said = [notice] if notice else []
    if problems:
        more = f" (and {len(problems) - 1} more, see :events)" if len(problems) > 1 else ""
        said.append(problems[0] + more)
    return ". ".join(said), "warning" if said else "information"


def counts_on(host: HostSnapshot) -> bool:
    """Whether its screen changes with time alone: an age, or the next try, is told."""
    if host.link is Link.CLOSED:
        return False
    at = host.data_at
    late = at is not None and time.monotonic() - at > 3 * host.sampling.interval_s
    return at is None or host.retry_at is not None or late
