"""What guests print, kept in files that are safe to look at with ``cat``.

A line is a time stamp (ISO 8601, of the moment its first character came, with milliseconds and
zone) and plain text, see ``consoletext``. It is in the file as soon as it has ended; one that
has not, as a prompt, is held back until it does, or until the log is closed. Nothing is synced:
a crash of the host may cost what the kernel had not written yet.

    2026-11-21T13:40:01.123+00:00 -- begins: local/web-01/serial0 --
    2026-11-21T13:40:05.210+00:00 web-01 login: root

A file that has grown to LIMIT_BYTES is renamed to end in ``.1``, in place of an older one, so
that a log never takes more than twice as much.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from .consoletext import ConsoleText, harmless
from .errors import BadInput, TuivirtError

LIMIT_BYTES = 16 * 1024 * 1024
RETRY_S = 5.0
"""After a failure, what comes within this time is lost without another try."""
NAME_CHARS = 100
"""Of a name that is too long for a file, so much is kept before its digest."""

_OTHER = "name another file (log)"

_FLAGS = (
    os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
)  # Not blocking: opening a FIFO would wait for its reader.


def state_folder() -> Path:
    """``$XDG_STATE_HOME/tuivirt/console``."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(base) / "tuivirt" / "console"


def log_path(host_name: str, domain: str, device: str) -> Path:
    """Where a console is recorded unless somebody says otherwise; two never share a file.

    ``domain`` is its name, or its UUID where it has none; all three may hold anything.
    """
    # The last hyphen is the one before the device: none is in its own part.
    file = f"{safe_name(domain)}-{safe_name(device, hyphens=False)}.log"
    return state_folder() / safe_name(host_name) / file


def safe_name(name: str, *, hyphens: bool = True) -> str:
    """``name`` as a file may be called, each name another: what is odd becomes ``%XX``."""
    safe = quote(name.encode("utf-8", "surrogateescape"), safe="+").replace("~", "%7E")
    if not hyphens:
        safe = safe.replace("-", "%2D")
    if safe.startswith("."):
        safe = "%2E" + safe[1:]
    if len(safe) > NAME_CHARS:
        digest = sha256(safe.encode()).hexdigest()[:16]
        safe = f"{safe[:NAME_CHARS]}~{digest}"
    return safe or "%"


def older(path: Path) -> Path:
    """Where the generation before the file at ``path`` is."""
    return path.with_name(path.name + ".1")


def open_log(host_name: str, domain: str, device: str, path: str | None) -> ConsoleLog:
    """Begin to record a console in the file at ``path``; None: at its ``log_path``.

    ``~`` and ``~user`` are a home. Raises TuivirtError when that file cannot be written.
    """
    where = log_path(host_name, domain, device) if path is None else _meant(path)
    try:
        return ConsoleLog(where, what=f"{host_name}/{domain}/{device}")
    except (OSError, ValueError) as error:  # A ValueError is a NUL in it.
        why = getattr(error, "strerror", None) or str(error)
        advice = _OTHER if path is not None else ""
        raise TuivirtError(f"cannot record to {where}", why, advice) from error


def _meant(path: str) -> Path:
    if not path:
        raise BadInput("cannot record to a file without a name", advice=_OTHER)
    expanded = os.path.expanduser(path)
    if expanded.startswith("~"):  # What it does not know it leaves as it is.
        user = path[1:].partition("/")[0]
        why = f"there is no user {user!r}; write ./{path} if it begins so"
        raise BadInput(f"cannot record to {path}", why, _OTHER)
    return Path(expanded)


class ConsoleLog:
    """One file that is written to, by one thread at a time.

    Raises OSError when it cannot be opened, or is no regular file. After that nothing is raised:
    a log that cannot be written must not stop its console.
    """

    def __init__(self, path: Path, *, what: str) -> None:
        self.path = path
        self.error: OSError | None = None
        """The first thing that went wrong. It is tried again, and the log then tells of the gap."""
        self._what = harmless(what)
        self._text = ConsoleText()
        self._began = ""
        """When the unfinished line began."""
        self._lost = 0
        self._retry_at = 0.0
        self._torn = False
        """The file may end in half a line."""
        self._closed = False
        _make_folder(path.parent)
        self._file = _open(path)
        try:
            self._write_all(self._mark("begins"))
        except OSError:
            os.close(self._file)
            raise

    def write(self, data: bytes) -> None:
        """Take what the guest printed, cut anywhere."""
        if self._closed:
            return
        now = _now()
        self._put_lines(self._text.feed(data), now)
        if self._text.unfinished and not self._began:
            self._began = now

    def close(self) -> None:
        """Write what is left, and an end."""
        if self._closed:
            return
        self._closed = True
        now = _now()
        self._put_lines(self._text.end(), now)
        self._retry_at = 0.0
        self._put(self._mark("ends"))
        if self._file >= 0:
            try:
                os.close(self._file)
            except OSError as error:  # Some file systems tell of a failed write only now.
                self.error = self.error or error

    def _put_lines(self, lines: list[str], now: str) -> None:
        if not lines:
            return
        times = [self._began or now] + [now] * (len(lines) - 1)
        self._began = ""
        self._put("".join(f"{t} {x}".rstrip(" ") + "\n" for t, x in zip(times, lines, strict=True)))

    def _mark(self, word: str) -> str:
        return f"{_now()} -- {word}: {self._what} --\n"

    def _put(self, text: str) -> None:
        if time.monotonic() < self._retry_at:
            self._lost += text.count("\n")
            return
        try:
            self._renew()
            if self._lost:
                gap = f"{_now()} -- {self._lost} lines are missing: they could not be written --\n"
                self._write_all("\n" * self._torn + gap)
                self._lost, self._torn = 0, False
            self._write_all(text)
        except OSError as error:
            self.error = self.error or error
            self._lost += text.count("\n")
            self._retry_at = time.monotonic() + RETRY_S

    def _renew(self) -> None:
        """Go on in a new file when this one is full, was moved away or deleted."""
        if self._file >= 0:
            known = os.fstat(self._file)
            with contextlib.suppress(FileNotFoundError):
                there = os.stat(self.path, follow_symlinks=False)
                is_ours = (there.st_dev, there.st_ino) == (known.st_dev, known.st_ino)
                if is_ours and known.st_size < LIMIT_BYTES:
                    return
                if is_ours:
                    os.replace(self.path, older(self.path))
            os.close(self._file)
            self._file = -1
        _make_folder(self.path.parent)
        self._file = _open(self.path)
        self._torn = False
        self._write_all(self._mark("goes on"))

    def _write_all(self, text: str) -> None:
        data = text.encode()
        while data:
            written = os.write(self._file, data)
            data = data[written:]
            self._torn = bool(data)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="milliseconds")


def _make_folder(folder: Path) -> None:
    """Make it and what it lies in, for nobody else to look into."""
    for each in [*reversed(folder.parents), folder]:
        if not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)


def _open(path: Path) -> int:
    try:
        file = os.open(path, _FLAGS, 0o600)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.ELOOP):  # A FIFO nobody reads, a symbolic link.
            raise _not_regular(path) from error
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise _not_regular(path)
    return file


def _not_regular(path: Path) -> OSError:
    return OSError(errno.EINVAL, "it is not a regular file", str(path))
