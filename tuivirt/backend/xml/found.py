"""The devices of a kind that a configuration has, and which of them is meant.

A saved configuration has no aliases but those that users gave, and the running one has others
with each start: what tells one device from another is its identity (a MAC address, a port, a
name), else its address, else its number among those of its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial

from ..model.device import Device, Disk, DomainConfig, Interface
from ..model.record import record
from .catalog import Kind
from .edit import Selector, identity_of, like
from .errors import AmbiguousDevice
from .field import Value
from .hostdev import place_and_identity
from .tree import parse


@record(frozen=True, slots=True)
class Found:
    """One device of a configuration."""

    kind: Kind
    number: int
    """Among those of its kind, from 0."""
    xml: str
    alias: str
    address: str
    values: Mapping[str, Value]
    identity: str
    """Its MAC address, port, name …; '' where its kind has none, or it is silent."""
    label: str
    """What an operator calls it."""

    def is_called(self, word: str) -> bool:
        """Whether the operator may mean it by ``word``."""
        names = (self.label, self.alias, self.address, self.address.partition(" ")[2])
        return word.lower() in {
            name.lower() for name in (*names, self.identity, _numbered(self.number)) if name
        }

    @property
    def selector(self) -> Selector:
        """Finds it in the configuration that it is from."""
        tag = self.kind.name
        return Selector(f"{self.kind.noun} {self.label}", lambda e: e.tag == tag, self.number)


def found(config: DomainConfig | None, kind: Kind) -> tuple[Found, ...]:
    """The devices of a kind, in their order; of one that was only skimmed, none."""
    if config is None:
        return ()
    devices: Sequence[Disk | Interface | Device] = config.disks
    if kind.name == "interface":
        devices = config.interfaces
    elif kind.name != "disk":
        devices = [device for device in config.devices if device.kind == kind.name]
    parsed = [(d, kind.declaration.parse(parse(d.xml, kind.name))) for d in devices if d.xml]
    identities = [_identity(kind, values) for _device, values in parsed]
    return tuple(
        Found(
            kind,
            number,
            device.xml,
            device.alias,
            device.address,
            values,
            identity,
            identity
            if identity and identities.count(identity) == 1
            else device.address.partition(" ")[2] or _numbered(number),
        )
        for number, ((device, values), identity) in enumerate(zip(parsed, identities, strict=True))
    )


def twin(one: Found, others: Sequence[Found]) -> Found | None:
    """The same device in the other configuration, or None."""
    same_identity = [each for each in others if one.identity and each.identity == one.identity]
    if len(same_identity) == 1:
        return same_identity[0]
    meant = like(one.xml)
    same = [each for each in others if meant.matches(parse(each.xml))]
    at_place = [each for each in same or others if one.address and each.address == one.address]
    # What was changed for the next boot, and has no address by which it could be known.
    others_of_it = others if not one.identity else same_identity
    at_number = [
        each
        for each in others_of_it
        if each.number == one.number and (one.identity or not (one.address and each.address))
    ]
    return next(iter(at_place or same or at_number), None)


def pairs(
    nows: Sequence[Found], thens: Sequence[Found], *, loosely: bool = False
) -> list[Found | None]:
    """For each running device of a kind the saved one that is the same, or None; no two have one.

    ``loosely``: one that has changed, and that was given another address when it was plugged
    in, is taken for what is left over, in their order. Who removes one cannot want that.
    """
    says = {each.xml: identity_of(parse(each.xml)) for each in (*nows, *thens)}
    ways: list[Callable[[Found], Hashable]] = [
        lambda one: (says[one.xml], one.address) if one.address else None,
        lambda one: (one.identity, says[one.xml]) if one.identity else None,
        lambda one: one.identity,
        lambda one: says[one.xml],
        lambda one: one.address,
    ]
    twins: list[Found | None] = [None] * len(nows)
    left = list(thens)

    def pair(fits: Callable[[Found, Found], bool]) -> None:
        for number, now in enumerate(nows):
            other = next((each for each in left if fits(now, each)), None)
            if twins[number] is None and other is not None:
                twins[number] = other
                left.remove(other)

    for way in ways:
        pair(partial(_same, way))
    pair(
        lambda now, then: (
            not (now.identity or then.identity) and (loosely or not (now.address and then.address))
        )
    )
    return twins


def _same(way: Callable[[Found], Hashable], now: Found, then: Found) -> bool:
    return bool(way(now)) and way(now) == way(then)


def pick(devices: Sequence[Found], word: str) -> Found | None:
    """The device that ``word`` means; without one the only one. Raises AmbiguousDevice."""
    meant = [each for each in devices if not word or each.is_called(word)]
    if len(meant) > 1:
        labels = ", ".join(each.label for each in meant)
        raise AmbiguousDevice(f"there is more than one: {labels}")
    return meant[0] if meant else None


def _identity(kind: Kind, values: Mapping[str, Value]) -> str:
    if kind.name == "hostdev":
        place, identity = place_and_identity(values)
        return place or identity
    said = (values[name] for name in kind.identity)
    return ":".join(str(value) for value in said if value not in ("", None))


def _numbered(number: int) -> str:
    return f"#{number + 1}"
