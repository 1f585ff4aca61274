"""Whose a file is, in words: asked before anything is written over it or takes it away."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..here import is_here
from ..model.finding import Finding, Weight
from .finder import Finder
from .usage import Usage, risks

if TYPE_CHECKING:
    from ..host import Host

_ANOTHER = "name another file: what this one holds would be lost"


def against_overwriting(
    host: Host, path: str, *, here: bool = False, advice: str = _ANOTHER
) -> list[Finding]:
    """That a file is somebody's, as a refusal; what lies on it, or could not be seen, as a risk.

    [] where it is nobody's. ``here``: it is this machine's, wherever ``host`` is. Raises
    TuivirtError.
    """
    if not path.startswith("/"):
        return []  # On a storage server.
    found = Finder(host, here=here)
    # What is not there yet has nothing on it.
    there = os.path.lexists(path) if here or is_here(host) else True
    usage = found.of(path, overlays=there)
    said = []
    if names := _phrases(usage):
        said.append(Finding(Weight.REFUSED, f"{path} is {', '.join(names)}", advice))
    said += [
        Finding(Weight.RISK, f"{each} lies on {path}, and is of no use without it", advice)
        for each in usage.overlays
    ]
    return said + risks(usage.unsure if there else ())


def owners(host: Host, path: str, *, here: bool = False) -> tuple[str, ...]:
    """What a file is, a phrase each: ``vda of web-01, which runs``; read anew.

    Raises TuivirtError.
    """
    if not path.startswith("/"):
        return ()
    return _phrases(Finder(host, here=here).of(path, overlays=False))


def _phrases(usage: Usage) -> tuple[str, ...]:
    said = [f"{use.said}, {use.state}" for use in usage.domains]
    return tuple(dict.fromkeys((*said, *usage.machine)))
