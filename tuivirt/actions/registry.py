"""What a user can do, declared once: a typed function each.

From the declaration derive the key, the palette entry, the menu row, the form, the
``tuivirt VERB`` subcommand, the help, the equivalent virsh command and the libvirt call.

    @action("domain", key="u", virsh="virsh start {name}", api="virDomainCreateWithFlags")
    def start(run: Run, domain: Domain, *, paused: Annotated[bool, Option("…help…")] = False) -> str:
        '''Start a domain that is off.'''

The parameters after the object are keyword-only; those without a default must be given. The
returned sentence says what is true now; an exception (TuivirtError) says what went wrong.
"""

from __future__ import annotations

import inspect
import re
import shlex
import threading
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from tuivirt.backend.host import Host
from tuivirt.backend.model.host import HostSnapshot
from tuivirt.backend.model.ref import Kind
from tuivirt.backend.model.when import When


@dataclass(frozen=True, slots=True)
class Option:
    """What the UI and the command line say of a parameter, beside its type."""

    help: str
    label: str = ""
    choices: tuple[str, ...] = ()
    positional: bool = False
    """A plain argument on the command line, not an option."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an action, read from the function's signature."""

    name: str
    type: type
    """str, int, float, bool or When."""
    help: str
    label: str
    required: bool
    default: Any = None
    choices: tuple[str, ...] = ()
    positional: bool = False

    @property
    def flag(self) -> str:
        """Its option on the command line."""
        return "--" + self.name.replace("_", "-")


class Pending(Exception):
    """Raised by an action that asked for something the guest has not done yet.

    The backend follows it by events and calls ``settle`` once, with the final sentence or the
    error.
    """

    def __init__(self, text: str, advice: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.advice = advice
        self._settled: Callable[[str | BaseException], None] | None = None
        self._outcome: str | BaseException | None = None
        self._lock = threading.Lock()

    def settle(self, outcome: str | BaseException) -> None:
        """Tell how it ended; from any thread, once."""
        with self._lock:
            if self._outcome is not None:
                return
            self._outcome = outcome
            settled = self._settled
        if settled is not None:
            settled(outcome)

    def on_settled(self, settled: Callable[[str | BaseException], None]) -> None:
        """Have ``settled`` called when it ends, at once if it already has."""
        with self._lock:
            self._settled = settled
            outcome = self._outcome
        if outcome is not None:
            settled(outcome)


class Run(Protocol):
    """What a running action is given."""

    @property
    def host(self) -> Host: ...

    @property
    def aborted(self) -> threading.Event:
        """Set when the operator wants it to stop."""

    def progress(self, text: str, fraction: float | None = None) -> None:
        """Say what is being done now, and how far it is (0 to 1)."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a user can do."""

    name: str
    """The command line's verb, as in ``attach-disk``; also the id of its key binding."""
    object: Kind
    title: str
    """As the menu shows it: ``Attach a disk``."""
    help: str
    key: str
    """Default key in Textual's notation; empty: only in menu and palette."""
    virsh: str
    """Template with {name} and the parameters' names; empty where virsh has no equivalent."""
    api: str
    """The libvirt call it makes."""
    function: Callable[..., str]
    parameters: tuple[Parameter, ...]
    changes: bool
    """False: it works on a read-only connection too."""
    bulk: bool
    """It makes sense for several marked objects at once."""
    destructive: bool
    confirm: str
    """A sentence template ({name}) that says what will be lost; empty: no question asked."""
    unavailable: Callable[[Any], str]
    """Given the model object (Domain, Network …): why it cannot be done now, or ''."""

    def refusal(self, thing: Any, snapshot: HostSnapshot | None = None) -> str:
        """Why it cannot be done to ``thing`` on this host now, or ''."""
        if snapshot is not None and self.changes:
            if snapshot.info is not None and snapshot.info.readonly:
                return "the connection is read-only"
            if snapshot.info is None or snapshot.link in ("lost", "failed", "closed"):
                return f"host {snapshot.name} is not connected"
        return self.unavailable(thing)

    def equivalent(self, name: str, values: dict[str, Any]) -> str:
        """The virsh command that does the same, with these values."""
        return _fill(self.virsh, name, values)


ACTIONS: dict[str, Action] = {}
"""Every action by name, in the order of declaration."""


def _nothing(_thing: Any) -> str:
    return ""


def _fill(template: str, name: str, values: dict[str, Any]) -> str:
    """Replace {name} and {parameter} with quoted words; ``[…]`` parts go when a value is unset."""
    known = {"name": name, **values}

    def quoted(match: re.Match[str]) -> str:
        value = known.get(match[1])
        return shlex.quote(str(value))

    def optional(match: re.Match[str]) -> str:
        part = match[1]
        names = re.findall(r"\{(\w+)\}", part)
        condition = re.match(r"(\w+)\?", part)
        if condition:
            return part[condition.end() :] if known.get(condition[1]) else ""
        return part if names and all(known.get(n) not in (None, "", False) for n in names) else ""

    text = re.sub(r"\[([^\[\]]*)\]", optional, template)
    text = re.sub(r"\{(\w+)\}", quoted, text)
    return re.sub(r"  +", " ", text).strip()


def action(
    kind: str,
    *,
    virsh: str,
    api: str,
    title: str = "",
    key: str = "",
    changes: bool = True,
    bulk: bool = True,
    destructive: bool = False,
    confirm: str = "",
    unavailable: Callable[[Any], str] = _nothing,
) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Declare a function as an action; its name, signature and docstring are read."""

    def declare(function: Callable[..., str]) -> Callable[..., str]:
        name = function.__name__.rstrip("_").replace("_", "-")
        help_text = inspect.getdoc(function) or ""
        if not help_text:
            raise TypeError(f"action {name} has no docstring")
        ACTIONS[name] = Action(
            name=name,
            object=Kind(kind),
            title=title or name.replace("-", " ").capitalize(),
            help=help_text,
            key=key,
            virsh=virsh,
            api=api,
            function=function,
            parameters=_parameters(function),
            changes=changes,
            bulk=bulk,
            destructive=destructive,
            confirm=confirm,
            unavailable=unavailable,
        )
        return function

    return declare


def _parameters(function: Callable[..., str]) -> tuple[Parameter, ...]:
    hints = typing.get_type_hints(function, include_extras=True)
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        hint = hints[name]
        option = next((m for m in getattr(hint, "__metadata__", ()) if isinstance(m, Option)), None)
        if option is None:
            raise TypeError(f"{function.__name__}({name}): Annotated[…, Option(…)] is missing")
        plain = typing.get_args(hint)[0]
        if isinstance(plain, types.UnionType):
            plain = next(a for a in typing.get_args(plain) if a is not type(None))
        choices = option.choices
        if isinstance(plain, type) and issubclass(plain, StrEnum) and not choices:
            choices = tuple(plain)
        required = parameter.default is inspect.Parameter.empty
        found.append(
            Parameter(
                name=name,
                type=plain,
                help=option.help,
                label=option.label or name.replace("_", " ").capitalize(),
                required=required,
                default=None if required else parameter.default,
                choices=choices,
                positional=option.positional,
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Request:
    """A wish of the user: this action, on these objects, with these values."""

    action: str
    keys: tuple[tuple[str, str], ...]
    """(host name, object key) of each target."""
    values: dict[str, Any] = field(default_factory=dict)
