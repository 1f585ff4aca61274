"""What the footer says of a task, and when a host's age is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuivirt.actions.advice import in_labels, sentence
from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.registry import ACTIONS
from tuivirt.actions.whose import whose, with_host
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.backend.model.ref import Ref
from tuivirt.backend.model.task import Task, TaskState

if TYPE_CHECKING:
    from tuivirt.widgets.dialogs import MessageDialog

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


def notice_of(task: Task, *, several: bool = False) -> tuple[str, str] | None:
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


class TaskNews:
    """What is said as one task after the other tells of itself: a failure is not passed over.

    Of many done at once the last stood there, mostly one that went well. A failure stays until a
    key is pressed after it, and those that follow are counted.
    """

    def __init__(self) -> None:
        self._failed: set[int] = set()
        self._failed_at = 0.0

    def of(self, task: Task, pressed_at: float, *, several: bool = False) -> tuple[str, str] | None:
        """The text and severity; None: what stands there stays. ``pressed_at``: the last key."""
        if pressed_at > self._failed_at:
            self._failed.clear()
        told = notice_of(task, several=several)
        if task.state is not TaskState.FAILED or told is None:
            return None if self._failed else told
        self._failed.add(task.id)
        self._failed_at = time.monotonic()
        count = len(self._failed)
        return told if count == 1 else (f"{count} failed (:job lists them), {told[0]}", told[1])


def where_it_went(ref: Ref, known: Domain | None, fleet: Fleet) -> str:
    """Of a domain that is not on its host any more; ``known``: as it was when it was."""
    there = (host for host in fleet.hosts.values() if host.link is Link.CONNECTED)
    now = next((host for host in there if ref.key in host.domains), None)
    if now is not None:
        said = f"{now.domains[ref.key].name} is on {now.name} now, and no longer on {ref.host}."
    else:
        said = f"{known.name if known else ref.key} is gone."
    return f"{said} Below is what was known last." if known else said


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
