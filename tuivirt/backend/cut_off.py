"""What was cut off when a program was killed, looked for behind the first picture of a host."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .host import Host

_FILES = ("dir", "fs", "netfs")


def uploads_folder() -> Path:
    """``$XDG_STATE_HOME/tuivirt/uploads``: of volumes whose own folder may not be written to."""
    return _state() / "uploads"


def begun_folder() -> Path:
    """``$XDG_STATE_HOME/tuivirt/begun``: what this user has begun, wherever it lies."""
    return _state() / "begun"


def _state() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(base) / "tuivirt"


def pool_folders(host: Host) -> list[Path]:
    """The folders of the host's pools, where they are this machine's."""
    from .here import is_here

    if not is_here(host):
        return []
    pools = host.snapshot.pools.values()
    return [Path(p.path) for p in pools if p.active and p.type in _FILES and p.path]


def look(host: Host) -> None:
    """Have the operator told of it, once. A pool may lie on a dead server: nobody waits for it."""
    if host.generation > 1:
        return  # What this program itself has begun since then was told when it failed.

    tell_begun(host)

    def work() -> None:
        from .marks import marks_in

        folders = pool_folders(host)
        if any(marks_in(folder) for folder in (uploads_folder(), *folders)):
            # Seldom there: the start need not hold them.
            from .images import beside
            from .storage import unfinished

            unfinished.tell(host)
            beside.tell(host, folders, but=unfinished.VERB)

    _aside(host, work)


def tell_begun(host: Host, within_s: float = 0.0) -> None:
    """Have the operator told of what this user has begun and nobody works on, once.

    It may lie on a dead server: it is waited for ``within_s`` seconds, and told later else.
    """
    from .here import is_here

    if not is_here(host):
        return

    def work() -> None:
        from .marks import marks_in

        if marks_in(begun_folder()):
            from . import begun

            begun.tell(host)

    _aside(host, work).join(within_s)


def _aside(host: Host, work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, name=f"{host.name}-cut-off", daemon=True)
    thread.start()
    return thread
