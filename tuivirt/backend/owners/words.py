"""Whose a file is, in words: asked before anything is written over it or takes it away."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

import libvirt

from ..errors import Silent, is_gone
from ..here import is_here
from ..model.finding import Finding, Weight
from ..storage import slow
from ..storage.slow import refresh
from .finder import Finder
from .survey import pools_of
from .usage import risks, some

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
    # What is not there yet has nothing on it, and nobody looks through large pools for it.
    local = here or is_here(host)
    there, silent = (os.path.lexists(path), "") if local else _is_volume(host, path)
    usage = Finder(host, here=here, overlays=there).of(path)
    said = []
    if names := usage.phrases:
        said.append(Finding(Weight.REFUSED, f"{path} is {', '.join(some(names))}", advice))
    said += [
        Finding(Weight.RISK, f"{each} lies on {path}, and is of no use without it", advice)
        for each in usage.overlays
    ]
    unsure = usage.unsure if there or not local else ()
    return said + risks((silent, *unsure) if silent else unsure)


def _is_volume(host: Host, path: str) -> tuple[bool, str]:
    """Whether the file is there, as far as the pool of its folder knows when it looks again.

    And why that is not known, where its server does not answer: a sentence.
    """
    try:
        for pool in pools_of(host):
            if pool.active and posixpath.normpath(pool.path) == posixpath.dirname(path):
                refresh(host, pool.handle, limit_s=slow.LOOK_S)
    except Silent as error:
        return True, f"whether {path} is there is not known: {error}"
    except libvirt.libvirtError:
        return True, ""  # It may be.
    try:
        host.conn.storageVolLookupByPath(path)
    except libvirt.libvirtError as error:
        return not is_gone(error), ""
    return True, ""
