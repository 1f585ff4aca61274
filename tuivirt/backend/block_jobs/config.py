"""Whether the saved configuration follows a disk that has gone over to another image."""

from __future__ import annotations

from typing import Any

from ..errors import TuivirtError
from .read import chains_of


def follows(domain: Any, target: str, before: str, now: str) -> str:
    """What is to be said of the next start, after *vda is on …*; read anew."""
    try:
        if not domain.isPersistent():
            return ""
        live = chains_of(domain)[target].source
        saved = chains_of(domain, saved=True).get(target)
    except (TuivirtError, KeyError) as error:
        return f" (how its saved configuration is could not be read: {error})"
    if live != now:
        return f" (but libvirt says that it is on {live})"
    if saved is not None and saved.source == now:
        return ", now and at its next start"
    has = f"has {target} on {saved.source}" if saved is not None else f"has no {target}"
    as_before = " still" if saved is not None and saved.source == before else ""
    return (
        f" until it stops: its saved configuration{as_before} {has}, which libvirt has not "
        "changed; change it before the next start"
    )
