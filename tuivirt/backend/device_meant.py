"""Which device of a domain is meant, in both of its configurations."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .errors import BadInput
from .model.when import When
from .room import NEXT_BOOT
from .sides import Sides
from .xml.catalog import Kind
from .xml.errors import XmlError
from .xml.found import Found, found, pairs, pick


@dataclass(frozen=True, slots=True)
class Meant:
    """The device that is meant, and where it is changed."""

    now: Found | None
    then: Found | None
    live: bool
    saved: bool

    @property
    def label(self) -> str:
        one = self.now if self.live else self.then
        assert one is not None
        return one.label


def choose(
    before: Sides,
    kind: Kind,
    which: str,
    when: str,
    what: str,
    *,
    loosely: bool = False,
    leaving: Collection[str] = (),
) -> Meant:
    """The device of either configuration that ``which`` means. Raises BadInput.

    ``loosely`` as `pairs` takes it; ``leaving``: the aliases of those that the guest was asked
    to let go of.
    """
    live, saved = before.choose(when)
    nows, thens = found(before.live, kind), found(before.saved, kind)
    try:
        now, then = pick(nows, which), pick(thens, which)
    except XmlError as error:
        raise BadInput(what, str(error), "say which") from error
    # Of one that was changed since, the other half is wanted; of one that goes, only its own.
    # What the guest was asked to let go of has no other half any more.
    stays = [one for one in nows if one.alias not in leaving]
    twins = {
        one.number: other
        for one, other in zip(stays, pairs(stays, thens, loosely=loosely), strict=True)
    }
    if now is None and then is not None:
        now = next((one for one in stays if twins[one.number] is then), None)
    if now is not None:
        then = twins.get(now.number) or then
    if now is None and then is None:
        has = ", ".join(dict.fromkeys(each.label for each in (*nows, *thens)))
        raise BadInput(f"{before.name} has no {kind.called(which)}", f"it has {has}" if has else "")
    if when == When.AUTO:
        live, saved = live and now is not None, saved and then is not None
    if live and now is None:
        raise BadInput(what, "the running domain does not have it", NEXT_BOOT)
    if saved and then is None:
        raise BadInput(what, "the saved configuration does not have it", "do it now only")
    return Meant(now, then, live, saved)
