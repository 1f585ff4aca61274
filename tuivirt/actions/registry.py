"""What a user can do, declared once: a typed function each.

From the declaration derive the key, the palette entry, the menu row, the form, the
``tuivirt VERB`` subcommand, the help, the equivalent virsh command and the libvirt call.

    @action("domain", key="s", virsh="virsh start {name}[paused? --paused]", api="virDomain…")
    def start(run: Run, domain: Domain, *, paused: Annotated[bool, Option("…")] = False) -> str:
        '''Start a domain that is off.'''

The parameters after the object are keyword-only; those without a default must be given. The
returned sentence says what is true now; an exception (TuivirtError) says what went wrong.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.backend.model.record import record
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.when import When
from tuivirt.backend.settling import Outcome, Settling
from tuivirt.backend.uri import shown

from .template import check_template, fill, fill_words

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.model.finding import Planned
    from tuivirt.backend.model.task import Task
    from tuivirt.backend.roster import Roster


@record(frozen=True, slots=True)
class Option:
    """What the UI and the command line say of a parameter, beside its type."""

    help: str
    label: str = ""
    choices: tuple[str, ...] = ()
    positional: bool = False
    """A plain argument on the command line, not an option."""
    minimum: float | None = None
    """The least a number may be."""
    cli_only: bool = False
    """The screen has no field for it: it asks in its own way."""
    several: bool = False
    """On the command line it takes all words that are left, as one text with spaces."""


@record(frozen=True, slots=True)
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
    minimum: float | None = None
    cli_only: bool = False
    several: bool = False

    @property
    def flag(self) -> str:
        """Its option on the command line."""
        return "--" + self.name.rstrip("_").replace("_", "-")

    def convert(self, value: Any) -> Any:
        """``value``, a form's or command line's text perhaps, as this parameter's type.

        Unset (None or an empty text) becomes the default. Raises BadInput.
        """
        if value is None or value == "":
            if self.required:
                raise BadInput(f"{self.label} is missing")
            return self.default
        if isinstance(value, str) and "\0" in value:
            raise BadInput(f"{self.label} holds a NUL character")
        converted = self._typed(value)
        if self.choices and str(converted) not in self.choices:
            raise BadInput(f"{self.label} cannot be {value!r}", f"it is one of {_or(self.choices)}")
        if self.minimum is not None and converted < self.minimum:
            raise BadInput(f"{self.label} cannot be {value}", f"the least is {self.minimum:g}")
        return converted

    def _typed(self, value: Any) -> Any:
        if self.type is bool:
            if isinstance(value, bool):
                return value
            try:
                return _TRUTH[str(value).casefold()]
            except KeyError:
                raise BadInput(f"{self.label} cannot be {value!r}", "it is yes or no") from None
        try:
            converted = self.type(value)
        except (ValueError, TypeError):
            wanted = _or(self.choices) if self.choices else _WANTED.get(self.type, "a value")
            raise BadInput(f"{self.label} cannot be {value!r}", f"it is {wanted}") from None
        if converted != converted or converted in (float("inf"), float("-inf")):
            raise BadInput(f"{self.label} cannot be {value!r}", "it is a finite number")
        return converted


_TRUTH = {"yes": True, "true": True, "on": True, "1": True} | {
    "no": False,
    "false": False,
    "off": False,
    "0": False,
}
_WANTED: dict[type, str] = {int: "a whole number", float: "a number"}


def _or(choices: tuple[str, ...]) -> str:
    *first, last = choices
    return f"{', '.join(first)} or {last}" if first else last


class Pending(Settling, Exception):
    """Raised by an action that asked for something the guest has not done yet.

    The backend follows it by events and settles it, with the final sentence or the error.
    """

    def __init__(self, text: str, advice: str = "") -> None:
        Settling.__init__(self)
        Exception.__init__(self, text)
        self.text = text
        self.advice = advice


def text_or_pending(outcome: Outcome) -> str:
    """What is true now; raises Pending where the guest has been asked and has not done it yet."""
    if not outcome.asked:
        return outcome.text
    pending = Pending(outcome.text, outcome.advice)
    outcome.on_settled(pending.settle)
    raise pending


class Run(Protocol):
    """What a running action is given."""

    @property
    def host(self) -> Host: ...

    @property
    def roster(self) -> Roster:
        """The hosts of this run. Raises TypeError where there are none to change."""

    @property
    def aborted(self) -> threading.Event:
        """Set when the operator wants it to stop."""

    def progress(self, text: str, fraction: float | None = None) -> None:
        """Say what is being done now, and how far it is (0 to 1).

        Whoever shows it names the object before it.
        """

    def tell(self, text: str) -> None:
        """Say what whoever waits has to know before it ends: a script hears of no progress."""

    def begin(self, action: str, ref: Ref, name: str, values: Mapping[str, Any]) -> Begun:
        """Begin another action on this host, as a task of its own. Raises TuivirtError."""

    def chose(self, **values: Any) -> None:
        """Say what became of values that were left open, for the equivalent command."""


class Begun(Protocol):
    """A task that another one began."""

    @property
    def task(self) -> Task:
        """As it stands."""

    @property
    def rested(self) -> threading.Event:
        """Set once it has ended, or is pending."""

    def stop(self) -> None:
        """Ask it to stop; again does nothing."""


def _right(_values: Mapping[str, Any]) -> None:
    """Whatever each value may be, it may be beside any other."""


@record(frozen=True, slots=True)
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
    changes: bool
    """False: it works on a read-only connection too."""
    bulk: bool
    """It makes sense for several marked objects at once."""
    destructive: bool
    confirm: str
    """A sentence template ({name}) that says what will be lost; empty: no question asked."""
    unavailable: Callable[[Any], str]
    """Given the model object (Domain, Network …): why it cannot be done now, or ''."""
    losses: Callable[[Any], str]
    """Given the model object: what else goes with it, a sentence, or ''."""
    view: bool
    """It shows something and needs the terminal or a screen: never run as a background task."""
    plan: Callable[[Host, str, Mapping[str, Any]], Planned] | None
    """Given the object's key and the values: what would be done, shown before it is asked for."""
    check: Callable[[Mapping[str, Any]], None] = _right
    """Given all values, typed: raises BadInput where they cannot be right together."""
    otherwise: tuple[str, frozenset[str]] = ("", frozenset())
    """Another template for ``virsh``, where one of these parameters is said: its own verb lacks
    them."""
    lane: str = "actions"
    """Of its host's lanes the one that it runs on; ``moves`` is for what takes long."""
    told: Callable[[], tuple[Parameter, ...]] = tuple
    """Reads its parameters."""
    new: bool = False
    """It makes an object, and is given none (None)."""
    offline: bool = False
    """It needs no connection to the host."""
    ends: bool = False
    """It ends the connection to its host: what is under way there is told first."""
    other: str = ""
    """The parameter that names another host, or several, whose connections it needs as well."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What it can be told beside the object. Raises TypeError for one without an Option.

        Read when first asked for: those of all actions take 4 ms, which the start need not wait.
        """
        return self.told()

    def refusal(self, thing: Any, snapshot: HostSnapshot | None = None) -> str:
        """Why it cannot be done to ``thing`` on this host now, or ''."""
        if snapshot is not None and not self.offline:
            if self.changes and snapshot.info is not None and snapshot.info.readonly:
                return "the connection is read-only"
            if snapshot.info is None or snapshot.link in (Link.LOST, Link.FAILED, Link.CLOSED):
                return f"host {snapshot.name} is not connected"
        if self.changes and not self.view and isinstance(thing, Domain) and thing.arriving:
            return "it is arriving from another host; abort the move there"
        return self.unavailable(thing)

    def question(self, thing: Any) -> str:
        """What the operator is asked before it is done to ``thing``; '' when nothing is asked."""
        asked = self.question_of(thing.name)
        losses = self.losses(thing)
        return f"{asked} {losses}" if asked and losses else asked

    def question_of(self, name: str) -> str:
        """The same of what ``name`` says (*each of them*), without what goes with it."""
        return fill_words(self.confirm, name)

    def equivalent(self, name: str, values: Mapping[str, Any], thing: Any = None) -> str:
        """The virsh command that does the same to ``thing``; '' where there is none.

        For a domain, a time that is left to its state is told as what that means now: virsh's
        ``--persistent`` fails on a transient one.
        """
        known = {**{p.name: p.default for p in self.parameters}, **values}
        if isinstance(thing, Domain):
            known |= {
                word: value.of(active=thing.active, persistent=thing.persistent)
                for word, value in known.items()
                if isinstance(value, When)
            }
        template, lacked = self.otherwise
        beyond = any(known.get(each) is not None for each in lacked)
        return shown(fill(template if beyond else self.virsh, name, known))

    def convert(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """``values`` with each of this action's parameters, typed. Raises BadInput."""
        unknown = values.keys() - {p.name for p in self.parameters}
        if unknown:
            raise BadInput(f"{self.name} has no {', '.join(sorted(unknown))}")
        converted = {p.name: p.convert(values.get(p.name)) for p in self.parameters}
        self.check(converted)
        return converted


ACTIONS: dict[str, Action] = {}
"""Every action by name, in the order of declaration; `catalog` fills it."""

_taken_keys: dict[tuple[Kind, str], str] = {}


def _nothing(_thing: Any) -> str:
    return ""


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
    losses: Callable[[Any], str] = _nothing,
    view: bool = False,
    plan: Callable[[Host, str, Mapping[str, Any]], Planned] | None = None,
    check: Callable[[Mapping[str, Any]], None] = _right,
    more: tuple[Parameter, ...] = (),
    otherwise: tuple[str, frozenset[str]] = ("", frozenset()),
    lane: str = "actions",
    new: bool = False,
    offline: bool = False,
    ends: bool = False,
    other: str = "",
) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Declare a function as an action; its name, signature and docstring are read.

    ``more`` are parameters that the function takes as ``**keywords``; the rest is Action's.

    Raises TypeError for a declaration that cannot be right: no docstring, a name or key taken
    twice, a template that names no parameter. A parameter that is not an Annotated one is told
    when the parameters are first asked for.
    """

    def declare(function: Callable[..., str]) -> Callable[..., str]:
        name = function.__name__.rstrip("_").replace("_", "-")
        help_text = inspect.getdoc(function) or ""
        if not help_text:
            raise TypeError(f"action {name} has no docstring")
        if name in ACTIONS:
            raise TypeError(f"action {name} is declared twice")
        of = Kind(kind)
        if key and _taken_keys.setdefault((of, key), name) != name:
            raise TypeError(f"action {name}: key {key} is {_taken_keys[of, key]}'s")
        check_template(name, virsh, {*_keyword_only(function), *(p.name for p in more)})
        check_template(name, confirm, set())
        ACTIONS[name] = Action(
            name=name,
            object=of,
            title=title or name.replace("-", " ").capitalize(),
            help=help_text,
            key=key,
            virsh=virsh,
            api=api,
            function=function,
            changes=changes,
            bulk=bulk,
            destructive=destructive,
            confirm=confirm,
            unavailable=unavailable,
            losses=losses,
            view=view,
            plan=plan,
            check=check,
            otherwise=otherwise,
            lane=lane,
            told=partial(_told, function, more),
            new=new,
            offline=offline,
            ends=ends,
            other=other,
        )
        return function

    return declare


def _keyword_only(function: Callable[..., str]) -> tuple[str, ...]:
    code = function.__code__
    return code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]


def _told(function: Callable[..., str], more: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    from .signatures import parameters_of  # When they are first asked for.

    return (*parameters_of(function), *more)
