"""``tuivirt VERB NAME …``: an action on one or several objects, and whether it worked."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tuivirt.actions.advice import in_options
from tuivirt.actions.here import run_here
from tuivirt.actions.registry import Action
from tuivirt.actions.runner import Tasks
from tuivirt.actions.whose import with_host
from tuivirt.backend.errors import BadInput, NotFound, TuivirtError
from tuivirt.backend.events import EventHub
from tuivirt.backend.host import Host
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.backend.model.when import When
from tuivirt.widgets.text import fit, plain

from .output import DONE, FAILED, advised, complain, say, to_json
from .parser import may_leave_host_out
from .stdout import CannotWrite
from .told import Heeding


def values_of(action: Action, given: argparse.Namespace) -> dict[str, Any]:
    """The action's values as typed, ``when`` left open. Raises BadInput: bad usage."""
    values = {}
    for parameter in action.parameters:
        name = parameter.name
        called = replace(parameter, label=name.upper() if parameter.positional else parameter.flag)
        value = None if called.type is When else getattr(given, name)
        values[name] = called.convert(" ".join(value) if isinstance(value, list) else value)
    action.check(values)
    return values


def when_of(given: argparse.Namespace, domain: Domain) -> When:
    """virsh's flags as the configuration they mean for this domain."""
    if given.current and (given.live or given.config or given.persistent):
        raise BadInput("--current excludes --live, --config and --persistent")
    if given.current:
        return When.NOW if domain.active else When.NEXT_BOOT
    if given.live:
        return When.BOTH if given.config or given.persistent else When.NOW
    if given.persistent:
        return When.BOTH if domain.active else When.NEXT_BOOT
    return When.NEXT_BOOT if given.config else When.AUTO


def check_flags(given: argparse.Namespace) -> None:
    """Raise BadInput for flags that exclude one another, before anything is connected."""
    if hasattr(given, "current"):
        when_of(given, Domain("", "", "", None, DomainState.SHUTOFF))


def hosts_named(texts: Sequence[str], names: Iterable[str]) -> set[str] | None:
    """The hosts that the objects' ``@host`` pick; None when one of them picks none."""
    known = set(names)
    picked = {text.rpartition("@")[2] for text in texts if "@" in text}
    all_pick = bool(texts) and all(
        "@" in text and text.rpartition("@")[2] in known for text in texts
    )
    return picked if all_pick else None


def take_host(action: Action, given: argparse.Namespace, names: Iterable[str]) -> None:
    """Tell the host among the words of ``[HOST] FILE …``: the first one, where it names one."""
    if not may_leave_host_out(action):
        return
    words = given.objects
    places = [p.name for p in action.parameters if p.positional]
    rest = [getattr(given, place) for place in places]
    if rest and words and words[0] not in set(names) and rest[-1] is None:
        # The word of each place belongs into the next one.
        for place, word in zip(places, [*words, *rest], strict=False):
            setattr(given, place, word)
        given.objects = []


def with_targets(
    picked: set[str] | None, values: Mapping[str, Any], otherwise: Iterable[str]
) -> set[str] | None:
    """The hosts that are connected: those ``picked``, and those that something is moved to.

    None: ``otherwise``, those of this run.
    """
    words = str(values.get("dest") or values.get("to") or "")
    targets = {word.strip() for word in words.split(",") if word.strip() and "://" not in word}
    if not targets:
        return picked
    return targets | (set(otherwise) if picked is None else picked)


def resolve(
    kind: Kind, text: str, hosts: Sequence[Host], absent: Sequence[str]
) -> tuple[Host, Any]:
    """The object that ``text`` names, and its host.

    ``absent``: hosts that did not answer, and that could have one of that name as well.
    Raises NotFound or BadInput.
    """
    found = _matches(kind, text, hosts)
    name, _, host_name = text.rpartition("@")
    if not found and name:
        chosen = [host for host in hosts if host.name == host_name]
        if chosen:
            text, hosts, absent = name, chosen, ()
            found = _matches(kind, name, hosts)
        elif host_name in absent:
            raise NotFound(f"host {host_name} did not answer")
    if not found:
        where = ", ".join(host.name for host in hosts) or "any host that answered"
        raise NotFound(
            f"there is no {kind} {text!r} on {where}", advice=f"see: tuivirt list {kind}s"
        )
    if len(found) > 1:
        choices = ", ".join(f"{thing.name}@{host.name}" for host, thing in found)
        if len({host.name for host, _ in found}) < len(found):
            choices = ", ".join(f"{t.uuid}@{h.name} ({t.name})" for h, t in found)
        raise BadInput(f"{text!r} names more than one {kind}", choices, "say which")
    if absent and kind is not Kind.HOST:  # A host's name is its own.
        host, thing = found[0]
        raise BadInput(
            f"it is not sure which {kind} {text!r} is",
            f"{', '.join(absent)} did not answer and may have one as well",
            f"say {thing.name}@{host.name}",
        )
    return found[0]


def only_host(action: Action, hosts: Sequence[Host]) -> tuple[Host, Any]:
    """The host that an action is meant for that names none: the one that it can be done on.

    Raises BadInput where there are several. Where there is none, the action itself says why.
    """
    able = [host for host in hosts if not action.unavailable(host.snapshot)] or hosts[:1]
    if len(able) > 1:
        names = ", ".join(host.name for host in able)
        raise BadInput(f"{action.name} could be meant for {names}", advice="say which: -c NAME")
    return able[0], able[0].snapshot


def _matches(kind: Kind, text: str, hosts: Sequence[Host]) -> list[tuple[Host, Any]]:
    return [
        (host, thing)
        for host in hosts
        for thing in _things(host, kind)
        if text == thing.name
        or text.lower() == getattr(thing, "uuid", None)
        or text == str(getattr(thing, "id", None))
        or (text != "" and text.lower() in _places(thing))
    ]


def _places(thing: Any) -> tuple[str, ...]:
    """What else a host's device is called by: its address, a mediated one's UUID."""
    address = getattr(thing, "address", "")
    return address, address.removeprefix("0000:"), getattr(thing, "mdev_uuid", "")


def _things(host: Host, kind: Kind) -> Iterable[Any]:
    snapshot = host.snapshot
    of_kind: Mapping[Kind, Mapping[str, Any]] = {
        Kind.DOMAIN: snapshot.domains,
        Kind.NETWORK: snapshot.networks,
        Kind.POOL: snapshot.pools,
        Kind.DEVICE: snapshot.devices,
        Kind.HOST: {host.name: snapshot},
    }
    return of_kind[kind].values()


def run_action(
    action: Action,
    given: argparse.Namespace,
    values: Mapping[str, Any],
    hub: EventHub,
    hosts: Sequence[Host],
    absent: Sequence[str],
) -> int:
    """Do it to each object in turn; the exit status."""
    tasks = Tasks(hub.publish)
    status = DONE
    # Two hosts may have one of the same name.
    several = len(given.objects) > 1 and len(hosts) > 1
    for text in given.objects or [""]:
        where = ""
        try:
            if given.objects:
                host, thing = resolve(action.object, text, hosts, absent)
            else:
                host, thing = only_host(action, hosts)
            where = host.name
            wanted = dict(values)
            for parameter in action.parameters:
                if parameter.type is When:
                    wanted[parameter.name] = when_of(given, thing)
            if action.view:
                shown = run_here(action, host, thing.ref, wanted)
                if action.changes:
                    # It had the terminal; standard output is the guest's alone.
                    if shown:
                        complain(shown, host.name)
                else:
                    say_text(shown, given.output == "json")
            else:
                object_ = (thing.ref, thing.name)
                as_json = given.output == "json"
                if not run_one(tasks, action, host, *object_, wanted, as_json, several):
                    status = FAILED
        except TuivirtError as error:
            complain(advised(str(error), in_options(error.advice, action)), where)
            status = FAILED
    return status


def run_one(
    tasks: Tasks,
    action: Action,
    host: Host,
    ref: Ref,
    name: str,
    values: Mapping[str, Any],
    as_json: bool,
    several: bool = False,
) -> bool:
    """Do it to one object and say how it went, if one of ``several`` with its host; whether it
    was done.

    Raises Told when a signal ended it, once that is said.
    """
    telling = Progress(as_json)
    with Heeding():
        task = tasks.run_sync(action, host, ref, name, values, on_change=telling.show)
        telling.clear()
        done = task.state is TaskState.DONE
        if as_json:
            say(to_json(_task_record(task, host, action)))
        elif done:
            text = with_host(task.text, task) if several else task.text
            say("\n".join(plain(line) for line in text.splitlines()))
        if not done:
            complain(advised(task.text, in_options(task.advice, action)), host.name)
    return done


def _task_record(task: Task, host: Host, action: Action) -> dict[str, Any]:
    return {
        "action": task.action,
        "host": host.name,
        "object": str(task.target.kind),
        "name": task.target_name,
        "key": task.target.key,
        "state": str(task.state),
        "text": task.text,
        "advice": in_options(task.advice, action),
        "virsh": task.virsh,
    }


def say_text(text: str, as_json: bool) -> None:
    """Print what a view returned: as it is, but harmless where a terminal would show it."""
    if as_json:
        say(to_json(text))
    elif sys.stdout is not None and sys.stdout.isatty():
        say("\n".join(plain(line) for line in text.splitlines()))
    else:
        say(text.rstrip("\n"))


class Progress:
    """The task's progress on one line of standard error, where that is a terminal.

    What it tells before it ends is said at once, whatever reads it: of JSON there is one answer,
    so it goes to standard error there.
    """

    def __init__(self, as_json: bool = False) -> None:
        self._shown = False
        self._told = ""
        self._as_json = as_json
        self._terminal = sys.stderr.isatty()

    def show(self, task: Task) -> None:
        if task.told != self._told:
            self._told = task.told
            self.clear()
            line = plain(task.told)
            # Where nobody reads it any more, the end says so.
            with contextlib.suppress(BrokenPipeError, CannotWrite):
                print(line, file=sys.stderr, flush=True) if self._as_json else say(line)
        if not self._terminal or task.state is not TaskState.RUNNING or not task.text:
            return
        far = "" if task.fraction is None else f" {task.fraction:.0%}"
        # One that went over into a second line could not be cleared any more.
        room = shutil.get_terminal_size().columns - 1
        self._put(fit(f"{task.target_name}: {task.text}{far}", room, pad=False))
        self._shown = True

    def clear(self) -> None:
        if self._shown:
            self._put("")
            self._shown = False

    def _put(self, line: str) -> None:
        # The terminal may have gone: that is no reason for the task to fail half-way.
        with contextlib.suppress(OSError):
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
