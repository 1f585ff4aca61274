"""What speaks against having a domain write to an image: what snapshots keep, on all hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model.finding import Finding, Weight
from .finder import Finder
from .usage import Use, risks, some

if TYPE_CHECKING:
    from ..host import Host


def refuse_writing(host: Host, uuid: str, path: str, what: str, *, force: bool = False) -> None:
    """Raise BadInput where it would spoil a snapshot; a risk that ``force`` takes is none.

    ``uuid``: the domain that would get it. ``path``: where the image lies on the host; '' of one
    that lies on a storage server. Raises TuivirtError where the host cannot tell.
    """
    from ..images.judge import refuse_found

    if path:
        refuse_found(_against(host, uuid, path), what, force=force)


def _against(host: Host, uuid: str, path: str) -> list[Finding]:
    usage = Finder(host, overlays=False).of(path)
    kept = [use for use in usage.domains if use.frozen]
    own = [use for use in kept if use.uuid == uuid and not use.host]
    others = [use for use in kept if use not in own]
    # A domain that has it anyway may have been given it past its snapshots, as by a block commit
    # of another program, which leaves their records as they were.
    found = [(Weight.REFUSED, others), (Weight.RISK, own)]
    said = [_spoilt(weight, uses, path) for weight, uses in found if uses]
    return said + risks(usage.away)


def _spoilt(weight: Weight, uses: list[Use], path: str) -> Finding:
    names = some(use.said for use in uses)
    return Finding(
        weight,
        f"{', '.join(names)} {'keeps' if len(uses) == 1 else 'keep'} {path}: once it is written "
        "to, there is no going back to it",
        "attach it read-only (--mode readonly), or a copy of it; "
        f"{uses[0].letting_go} lets go of it",
    )
