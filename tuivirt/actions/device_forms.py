"""The fields of a device's form as they apply beside what is filled in; and what is asked for then.

Pure: what there is was looked up before (`FormFacts`), and a screen asks anew with each choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuivirt.backend.model.forms import FormFacts, KnownDevice
from tuivirt.backend.model.machine import Machine
from tuivirt.backend.model.when import When
from tuivirt.backend.xml.catalog import Kind, kinds
from tuivirt.backend.xml.field import Field, FieldType, Value
from tuivirt.backend.xml.offered import choices, initial, makes_sense, refusal
from tuivirt.backend.xml.tree import unit_factor

from .field_options import YES_OR_NO, field_named, option_named, worded

BLOCKS = "block devices"
FUNCTIONS = "virtual functions"
BRIDGES = "bridges"
LINKS = "network interfaces"
SECRETS = "secrets"
_SIZES = ("GiB", "MiB", "KiB")


@dataclass(frozen=True, slots=True)
class Shown:
    """One field of the form."""

    name: str
    """The option's."""
    choices: tuple[str, ...] = ()
    """What may be chosen; '' stands for nothing. Without any it is a text."""
    start: str = ""
    """Where it begins."""
    help: str = ""
    """A sentence."""
    missing: str = ""
    """What the host does not offer, and why: a sentence."""
    rare: bool = False
    unset: str = "default"
    """What choosing nothing means."""
    of: str = ""
    """What it belongs to: under another of these it starts anew."""
    listed: str = ""
    """What could be shown to choose from."""


def attaching(kind_name: str, facts: FormFacts, given: Mapping[str, Any]) -> tuple[Shown, ...]:
    """The fields for a new device beside these values of the form."""
    kind = kinds()[kind_name]
    values = _starting(kind, facts, given)
    return tuple(
        _shown(kind, field, facts, values, _start(field, facts, values), new=True)
        for field in kind.declaration.applying(values)
        if makes_sense(field, facts.machine)
    )


def changing(kind_name: str, facts: FormFacts, given: Mapping[str, Any]) -> tuple[Shown, ...]:
    """The fields of the device that is to be changed (``which``) beside these values."""
    kind = kinds()[kind_name]
    one = _meant(facts, given)
    if one is None:
        return ()
    values: dict[str, Any] = dict(one.values)
    values |= {field_named(n): v for n, v in given.items() if n not in ("which", "when")}
    return tuple(
        _shown(kind, field, facts, values, _text(field, one.values[field.name]), of=one)
        for field in kind.declaration.applying(values)
        if makes_sense(field, facts.machine)
    )


def asked_for(
    kind_name: str, facts: FormFacts, given: Mapping[str, Any], *, new: bool
) -> dict[str, Any]:
    """The form's values as the parameters of the verb: what says nothing is left out."""
    kind = kinds()[kind_name]
    kept = {name: given[name] for name in ("which", "when") if name in given}
    fields = {option_named(f.name): f for f in kind.declaration.fields if f.name != "which"}
    filled = {n: v for n, v in given.items() if n in fields and n not in kept}
    if new:
        said = {
            name: value
            for name, value in filled.items()
            # What the XML means where it is silent need not be written.
            if fields[name].required or value != _text(fields[name], fields[name].default)
        }
        return kept | said
    one = _meant(facts, given)
    before = {} if one is None else one.values
    changed = {
        name: value
        for name, value in filled.items()
        if value != _text(fields[name], before.get(fields[name].name))
    }
    cleared = [name for name, value in changed.items() if value == ""]
    said = {name: value for name, value in changed.items() if value != ""}
    return kept | said | ({"clear": ",".join(cleared)} if cleared else {})


def live_refusal(kind_name: str, facts: FormFacts, given: Mapping[str, Any], *, new: bool) -> str:
    """Why a running domain cannot have this done now, a clause; '' when it can, or is off."""
    kind = kinds()[kind_name]
    if not facts.active:
        return ""
    if new:
        values = _starting(kind, facts, given)
        whole = {field.name: field.nothing for field in kind.declaration.fields}
        return kind.live_refusal(whole | {n: v for n, v in values.items() if v not in ("", None)})
    asked = asked_for(kind_name, facts, given, new=False)
    cleared = [name for name in str(asked.get("clear", "")).split(",") if name]
    names = [*asked.keys() - {"which", "when", "clear"}, *cleared]
    return kind.update_refusal({field_named(name): "" for name in names})


def now_too(when: object) -> bool:
    """Whether a change at that time touches the running domain."""
    return when != When.NEXT_BOOT


def lacking_of(name: str, wanted: Sequence[str], facts: FormFacts) -> tuple[tuple[str, ...], str]:
    """Of a disk's field: which of the choices its host offers, and what of the rest is to be said.

    For verbs that are written by hand, with choices of their own.
    """
    field = kinds()["disk"].declaration[name]
    can = tuple(choice for choice in wanted if not refusal(field, choice, facts.machine))
    return can, _missing(field, (c for c in wanted if c not in can), facts.machine)


def _starting(kind: Kind, facts: FormFacts, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the form's fields, and of others those that they would begin with."""
    said = {field_named(name): value for name, value in given.items() if name != "when"}
    values: dict[str, Any] = {field.name: field.nothing for field in kind.declaration.fields}
    for field in kind.declaration.fields:
        values[field.name] = said.get(field.name, _start(field, facts, values))
    return values


def _start(field: Field, facts: FormFacts, beside: Mapping[str, Any]) -> str:
    """Where a new device's field begins: what suits best, else what silence would mean."""
    if field.name in facts.starts:
        return facts.starts[field.name]
    if field.name == "source" and beside.get("type") == "network" and facts.networks:
        return facts.networks[0]
    value = initial(field, facts.machine, beside)
    if value is None and (field.choices or field.type in YES_OR_NO):
        value = field.default
    return _text(field, value)


def _meant(facts: FormFacts, given: Mapping[str, Any]) -> KnownDevice | None:
    if len(facts.devices) == 1:
        return facts.devices[0]
    return next((one for one in facts.devices if one.label == given.get("which")), None)


def _shown(
    kind: Kind,
    field: Field,
    facts: FormFacts,
    values: Mapping[str, Any],
    start: str,
    *,
    new: bool = False,
    of: KnownDevice | None = None,
) -> Shown:
    machine = facts.machine
    can: tuple[str, ...] = ("yes", "no") if field.type in YES_OR_NO else field.offer.usual
    if field.choices:
        can = choices(field, machine, values)
    elif kind.name == "interface" and field.name == "source" and values["type"] == "network":
        can = facts.networks
    if can and start and start not in can and of is not None:
        # What the device has already stays to be chosen, offered or not.
        can = (*can, start)
    if can and not (start and (new or field.required or field.type is FieldType.FLAG)):
        can = ("", *can)
    missing = _missing(field, _suiting(field, values), machine)
    if field.name == "source" and can and can == facts.networks and facts.inactive:
        missing = f"Not active: {', '.join(facts.inactive)}."
    mark = f"{'' if of is None else of.label}/{_deciding(field, values)}"
    return Shown(
        option_named(field.name),
        can,
        start if not can or start in can else can[0],
        field.help,
        missing,
        not kind.declaration.is_common(field) and (new or start == _text(field, field.default)),
        "no" if field.type is FieldType.FLAG else "default",
        mark,
        _listed(kind, field, values),
    )


def _deciding(field: Field, values: Mapping[str, Any]) -> str:
    """The value of the field on which it hangs what this one may hold, if there is one."""
    offer = field.offer
    by = field.by or next((each[0] for each in (offer.beside, offer.starts) if each), "")
    return str(values.get(by, "")) if by else ""


def _suiting(field: Field, values: Mapping[str, Any]) -> Iterable[str]:
    beside = field.offer.beside
    suiting = None if beside is None else beside[1].get(str(values.get(beside[0])))
    return field.choices if suiting is None else suiting


def _missing(field: Field, wanted: Iterable[str], machine: Machine) -> str:
    """Of these choices, those that the machine cannot have, with the reason, said once each."""
    whys: dict[str, list[str]] = {}
    for choice in wanted:
        why = refusal(field, choice, machine)
        # Of what no machine of this hypervisor has, nobody needs to be told.
        if why and not _foreign(field, choice, machine):
            whys.setdefault(why, []).append(choice)
    if not whys:
        return ""
    said = (
        f"{', '.join(names)} {why if len(names) == 1 else _of_several(why)}"
        for why, names in whys.items()
    )
    return f"Not here: {'; '.join(said)}."


def _of_several(why: str) -> str:
    """A clause about one thing (``needs …``, ``is …``) as it is said of several."""
    verb, _, rest = why.partition(" ")
    several = {"needs": "need", "is": "are"}.get(verb, verb)
    return f"{several} {rest}"


_HYPERVISORS = frozenset(("xen", "lxc", "vz", "vmware", "vbox", "bhyve"))
_FAMILIES = frozenset(("x86", "arm", "ppc", "s390", "virt"))


def _foreign(field: Field, choice: str, machine: Machine) -> bool:
    needs = set(field.offer.needs.get(choice, ()))
    return bool(needs) and needs <= (_HYPERVISORS | _FAMILIES) - machine.traits


def _listed(kind: Kind, field: Field, values: Mapping[str, Any]) -> str:
    if kind.name == "disk" and field.name == "source" and values.get("source_type") == "block":
        return BLOCKS
    if field.name == "secret_uuid":
        return SECRETS
    if kind.name == "interface":
        if field.name == "pci":
            return FUNCTIONS
        if field.name == "source":
            return {"bridge": BRIDGES, "direct": LINKS}.get(str(values["type"]), "")
    return ""


def _text(field: Field, value: Value) -> str:
    """A value as the form has it."""
    if value is None:
        return "no" if field.type is FieldType.FLAG else ""
    if field.type is FieldType.SIZE and isinstance(value, int):
        fitting = (unit for unit in _SIZES if value and value % unit_factor(unit) == 0)
        unit = next(fitting, "")
        return f"{value // unit_factor(unit)} {unit}" if unit else str(value)
    return worded(value)
