"""Backups whose end nobody saw: tuivirt was killed, libvirt went on, and the manifest says running.

What is pushed is noted before its manifest is there, until that says how it ended or is gone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..begun import BACKUP, FOLDER, first, folder_mark, forget, is_gone, note, say
from ..errors import TuivirtError
from ..marks import Told
from . import job, manifest
from .before import left_behind, under_way

if TYPE_CHECKING:
    from ..host import Host
    from .order import Order

_DOMAIN = "uuid"


@contextlib.contextmanager
def noted(host: Host, uuid: str, order: Order) -> Iterator[None]:
    """Around a backup that is pushed: the next start knows of it unless its end is seen."""
    path = order.manifest
    assert path is not None
    said = {"verb": BACKUP, "source": order.name, "target": str(path), _DOMAIN: uuid}
    mark = note(order.name, {**said, FOLDER: folder_mark(str(path.parent))})
    try:
        yield
    finally:
        if mark is not None:
            mark.end(stays=_may_run(path))


def _read(path: Path) -> manifest.Manifest | None:
    """What the manifest says; None: it is not there. Raises TuivirtError where nobody can tell."""
    try:
        return manifest.read(path)
    except TuivirtError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def _may_run(path: Path) -> bool:
    try:
        found = _read(path)
    except TuivirtError:
        return True  # The next start tells why.
    return found is not None and found.state == manifest.RUNNING


def tell_noted(host: Host, path: Path, told: Told) -> None:
    """Have the operator know of a backup of this host's domain, and what can be done with it."""
    uuid, name, place = (str(told.said.get(key)) for key in (_DOMAIN, "source", "target"))
    if uuid not in host.snapshot.domains:
        return  # Another connection's; of one that is gone the next backup in that folder tells.
    try:
        found = _read(Path(place))
    except TuivirtError as error:
        if first(str(path)):
            text = f"how the backup of {name} ended cannot be seen now ({error})"
            say(host, text, f"see that {place} can be read, and start anew; or remove {path}")
        return
    if found is None or found.state != manifest.RUNNING:
        if found is not None or is_gone(place, told):
            forget(path)
        return
    if not first(str(path)):
        return
    try:
        running = under_way(host, uuid)
    except TuivirtError as error:
        say(
            host,
            f"whether the backup of {name} goes on cannot be asked ({error}): {place} says running",
            f"see: tuivirt backup-info {name}",
        )
        return
    left = left_behind({Path(place): found}, running)
    if not left:
        say(
            host,
            f"the backup of {name} goes on, and nobody follows it: {place} says running, whatever "
            "becomes of it",
            f"tuivirt backup-info {name} shows it; backup-end {name} ends it, to begin anew",
        )
    for each in left:
        how, way = _remembered(host, uuid)
        say(host, f"{name}: {each.text}; {how}", f"{each.advice}, and begin anew{way}")


def _remembered(host: Host, uuid: str) -> tuple[str, str]:
    """How libvirt says that the domain's last backup ended, and another way out."""
    ended = job.remembered(host, uuid)
    if ended.how == "unknown":
        return "libvirt does not know how its last backup ended", ""
    why = f" ({ended.why})" if ended.why else ""
    way = "; or check its files (tuivirt image-check) and restore it by hand (qemu-img)"
    return (
        f"libvirt says of its last backup: {ended.how}{why}",
        way if ended.how == "completed" else "",
    )
