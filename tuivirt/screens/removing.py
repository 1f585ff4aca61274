"""Several devices of a domain taken away: one question that names all, a task for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tuivirt.actions.catalog import find_action
from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.removals import Removal, removals
from tuivirt.backend.model.device import Device, Disk, DomainDetail, Interface
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Ref
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.widgets.dialogs import ConfirmDialog
from tuivirt.widgets.text import plain

from .disk_choice import boot_disks
from .telling import joined
from .wishes import Target

if TYPE_CHECKING:
    from tuivirt.actions.registry import Action

    from .domain import DomainScreen

_OF_DISKS = "detach-disk"
_WRONG = (TaskState.FAILED, TaskState.ABORTED)

Submit = Callable[["Action", Ref, str, dict[str, object]], Task]


def question(name: str, removals: Sequence[Removal], detail: DomainDetail) -> ConfirmDialog:
    """Names every device, what is lost with them, what goes later, and what stays."""
    going = [one for one in removals if one.action]
    now = [one for one in going if not one.remark]
    sentences = [f"{len(going)} devices: {_names(going)}."]
    if now:
        sentences.append("What the guest does with them ends.")
    disks = [str((one.values or {}).get("target", "")) for one in going if one.action == _OF_DISKS]
    if disks:
        sentences.append(
            "What the guest has not written to its disks yet is lost; the images themselves stay."
        )
    for target in sorted(boot_disks(detail).intersection(disks)):
        what = "the guest may lose its system" if detail.live else "without it, it may not start"
        sentences.append(f"⚠ {plain(name)} boots from {plain(target)}: {what}.")
    for one in removals:
        what = "with the next boot only" if one.action else "stays"
        if one.remark:
            sentences.append(f"{plain(one.what)} {what}: {plain(one.remark)}.")
    return ConfirmDialog(
        f"Remove {len(going)} devices: {plain(name)}",
        sentences,
        yes=f"remove {len(going)} devices",
        destructive=True,
    )


def _names(removals: Sequence[Removal]) -> str:
    return ", ".join(plain(one.what) for one in removals)


class Removing:
    """The devices of one domain that are being taken away, until the end of each is known."""

    def __init__(self, ref: Ref, removals: Sequence[Removal]) -> None:
        self._ref = ref
        self._going = [one for one in removals if one.action]
        self._tasks: dict[int, Removal] = {}
        self._not: list[str] = []

    @property
    def count(self) -> int:
        """How many can go at all."""
        return len(self._going)

    def begin(self, fleet: Fleet, submit: Submit, named: str) -> None:
        """A task for each device, until something refuses the rest of them: `ended` tells it.

        ``named`` is the domain as the question called it: it may have stood open for long.
        """
        for one in self._going:
            action = find_action(one.action)
            assert action is not None, one.action
            target = Target(fleet, action, self._ref)
            if target.refusal or target.name != named:
                why = target.refusal or f"it is called {target.name} by now"
                self._not.append(f"{named}: {why}")
                return
            try:
                task = submit(action, self._ref, named, dict(one.values or {}))
            except TuivirtError as error:
                self._not.append(f"{one.what}: {joined(error)}")
            else:
                self._tasks[task.id] = one

    def ended(self, fleet: Fleet) -> tuple[str, str] | None:
        """What became of all of them, and its severity; None until nothing runs for them."""
        tasks = [task for task in fleet.tasks if task.id in self._tasks]
        if any(task.state is TaskState.RUNNING for task in tasks) or len(tasks) < len(self._tasks):
            return None
        done = sum(task.state is TaskState.DONE for task in tasks)
        waiting = [self._tasks[t.id].what for t in tasks if t.state is TaskState.PENDING]
        failed = [*self._not, *(t.text for t in tasks if t.state in _WRONG)]
        if done == self.count:
            later = sum(bool(one.remark) for one in self._going)
            said = f", {later} of them with the next boot" if later else ""
            return f"{done} devices are removed{said}", "information"
        parts = [f"{done} of {self.count} devices are removed"]
        if waiting:
            parts.append(f"the guest still holds {', '.join(waiting)}")
        if failed:
            more = f" (and {len(failed) - 1} more, see :job)" if len(failed) > 1 else ""
            parts.append(f"{failed[0]}{more}")
        return "; ".join(parts), "error" if failed else "warning"


def begin_removing(
    screen: DomainScreen,
    chosen: Sequence[Disk | Interface | Device],
    detail: DomainDetail,
    then: Callable[[], None],
) -> None:
    """Ask for one as any action asks; for several once, and ``then`` begin.

    What cannot go at all is said, and left out.
    """
    fleet, ref = screen.fleet, screen.ref
    host = fleet.hosts.get(ref.host)
    version = host.info.hypervisor_version if host is not None and host.info is not None else ""
    asked = removals(detail, chosen, version)
    going = [one for one in asked if one.action]
    if not going:
        screen.say(f"{asked[0].what}: {asked[0].remark}", "warning")
        return
    if len(asked) == 1:
        values = dict(going[0].values or {})
        if not going[0].remark:
            del values["when"]  # The form asks.
        screen.joint.act(going[0].action, (ref,), values)
        return
    name = str(getattr(fleet.find(ref), "name", ref.key))

    def answered(yes: bool | None) -> None:
        if not yes:
            return
        removing = Removing(ref, asked)
        removing.begin(screen.fleet, screen.joint.submit, name)
        then()
        told = removing.ended(screen.fleet)
        if told is None:
            screen.removing.append(removing)
        else:  # None was begun.
            screen.say(*told)

    screen.app.push_screen(question(name, asked, detail), answered)
