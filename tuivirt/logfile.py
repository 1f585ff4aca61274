"""Where defects are written while the screen holds the terminal."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from tuivirt.backend.uri import shown
from tuivirt.widgets.text import plain

_log = logging.getLogger("tuivirt")


class Harmless(logging.Formatter):
    """Lines that a terminal may show: what guests and hosts said is in them, and URIs."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(plain(shown(line)) for line in super().format(record).split("\n"))


def default_path() -> Path:
    """``$XDG_STATE_HOME/tuivirt/tuivirt.log``."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(base) / "tuivirt" / "tuivirt.log"


def log_to_file(path: Path | None = None) -> None:
    """Write warnings and worse to the log file, made with the first of them."""
    path = path or default_path()
    if _log.handlers:
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler: logging.Handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    except OSError:
        # No place to write: tasks and notices still say what went wrong, without the traceback.
        handler = logging.NullHandler()
    handler.setFormatter(Harmless("%(asctime)s %(name)s %(levelname)s %(message)s"))
    _log.addHandler(handler)
    _log.propagate = False


def log_defect(error: BaseException) -> None:
    """Keep what nobody expected, and where it came from."""
    _log.error("unexpected %s", type(error).__name__, exc_info=error)


def log_warning(text: str) -> None:
    """Keep what the operator was told before the screen took the terminal."""
    _log.warning("%s", text)
