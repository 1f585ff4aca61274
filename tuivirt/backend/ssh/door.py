"""Where the ssh of one host asks, and says what it has to say.

A folder that only this user may enter, with a socket for questions, a pipe for standard error and
our own ``ssh`` and ``askpass``. No answer is written into it, nor into an environment or argument.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shlex
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from ..model.question import Question, QuestionKind

if TYPE_CHECKING:
    from ..inquiry import Inquiry

SILENT_S = 60.0
"""How long a try may take, without the time in which the operator is asked. ssh itself waits for
ever for a host that accepts a connection and says nothing."""
KEEP_BYTES = 8192
"""How much of what ssh said is kept: its end."""
LONGEST_PROMPT = 65536
_HERE = Path(__file__).parent
_KEPT = re.compile(
    r"Enter passphrase for |.*'s password:\s*$|(\([^()]*@[^()]*\) )?Password:\s*$", re.DOTALL
)
"""What has the same answer next time; a one-time code or a token's PIN has not, or must not."""
_YES_NO = re.compile(r"\(yes/no")


class Door:
    """The way to one host by ssh; ``uri`` is the operator's, ``self.uri`` the one for libvirt.

    Raises OSError when its folder cannot be made.
    """

    def __init__(self, uri: str, inquiry: Inquiry) -> None:
        self._inquiry = inquiry
        self._folder = _private_folder()
        before, command = _split(uri)
        self.uri = before + quote(str(self._folder / "ssh"))
        self._lock = threading.Lock()
        self._said = b""
        self._deadline: float | None = None
        """When the try under way has taken too long."""
        self.given_up = False
        """Whether this try was ended here."""
        self._question: Question | None = None
        self._helper: socket.socket | None = None
        self._closing = False
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(self._folder / "socket"))
        self._listening.listen()
        os.mkfifo(self._folder / "said", 0o600)
        # Open for writing too: so ssh never waits for a reader, and we never see an end.
        self._pipe = os.open(self._folder / "said", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._woken, self._wake_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        told = {"command": command, "python": sys.executable, "helper": str(_HERE / "askpass.py")}
        (self._folder / "told").write_text(
            "".join(f"{name}={shlex.quote(value)}\n" for name, value in told.items())
        )
        for name in ("ssh", "askpass"):
            _put(_HERE / f"{name}.sh", self._folder / name)
        threading.Thread(target=self._run, name="ssh-questions", daemon=True).start()

    # -- one try ------------------------------------------------------------------------------

    def begin(self) -> None:
        """A try begins: what was said before is of no interest."""
        self.forget()
        with self._lock:
            self.given_up = False
            self._deadline = time.monotonic() + SILENT_S
        (self._folder / "pid").unlink(missing_ok=True)
        self._wake()

    def settled(self) -> None:
        """The try has ended, well or not: nobody waits for it any more."""
        with self._lock:
            self._deadline = None
        self._wake()

    def said(self) -> str:
        """The end of what ssh, and the host's shell, said on standard error since the try began."""
        self._drain()
        return self._said.decode(errors="replace").strip()

    def forget(self) -> None:
        """What was said until now is of no interest any more."""
        self._drain()
        with self._lock:
            self._said = b""

    @property
    def ssh(self) -> int | None:
        """The process of the ssh that was started last."""
        with contextlib.suppress(OSError, ValueError):
            return int((self._folder / "pid").read_text())
        return None

    def give_up(self) -> None:
        """End the ssh of the try under way: libvirt has no way to."""
        with self._lock:
            if self._deadline is None:
                return
            self._deadline = None
            self.given_up = True
            # libvirt reaps it only after the try, so that the number is still that of this ssh.
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((self._folder / "pid").read_text()), signal.SIGTERM)

    def close(self) -> None:
        """Take the folder away; an ssh that is still on its way is ended."""
        self.give_up()
        self._closing = True
        self._wake()
        shutil.rmtree(self._folder, ignore_errors=True)

    # -- its thread ---------------------------------------------------------------------------

    def _wake(self) -> None:
        # Full, so it wakes anyway; or closed, so it has. Under the lock: the number of one that is
        # just being closed may be another connection's a moment later.
        with self._lock, contextlib.suppress(OSError):
            os.write(self._wake_end, b".")

    def _drain(self) -> None:
        with self._lock, contextlib.suppress(BlockingIOError, OSError):
            while part := os.read(self._pipe, 4096):
                self._said = (self._said + part)[-KEEP_BYTES:]

    def _run(self) -> None:
        try:
            while not self._closing:
                self._turn()
        except Exception as error:
            # A defect of ours: shown. Nobody listens any more, so what ssh asks is refused.
            self._inquiry.defect(error)
        finally:
            with self._lock:
                self._listening.close()
                if self._helper is not None:
                    self._helper.close()
                for end in (self._pipe, self._woken, self._wake_end):
                    os.close(end)
                self._pipe = self._wake_end = -1

    def _turn(self) -> None:
        poll = select.poll()
        for end in (self._pipe, self._woken, self._helper or self._listening):
            poll.register(end, select.POLLIN)
        ready = {fd for fd, _event in poll.poll(self._left_ms())}
        self._drain()
        if self._woken in ready:
            with contextlib.suppress(BlockingIOError):
                while os.read(self._woken, 4096):
                    pass
        if self._helper is not None and self._helper.fileno() in ready:
            self._helper_left()
        elif self._listening.fileno() in ready:
            self._let_in()
        question = self._question
        if question is not None and not question.open:
            self._reply(question.wait())
        if self._left_ms() == 0:
            self.give_up()

    def _left_ms(self) -> float | None:
        """For how long nothing need be done, in milliseconds; None: for ever."""
        with self._lock:
            if self._deadline is None:
                return None
            if self._inquiry.waiting:
                self._deadline = time.monotonic() + SILENT_S
                return None
            return max(0.0, self._deadline - time.monotonic()) * 1000

    def _let_in(self) -> None:
        helper, _ = self._listening.accept()
        try:
            helper.settimeout(5.0)
            _pid, uid, _gid = struct.unpack(
                "3i", helper.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            )
            if uid != os.geteuid():
                raise OSError("somebody else's")
            length = int.from_bytes(_exactly(helper, 4), "big")
            if length > LONGEST_PROMPT:
                raise OSError("no question of ssh's")
            hint, _, prompt = _exactly(helper, length).decode(errors="replace").partition("\n")
        except OSError:
            helper.close()
            return
        self._helper = helper
        if hint == "none":
            # "Touch your key": nothing to answer, and ssh ends its helper when that was done.
            self._inquiry.tell(prompt)
            return
        kind = QuestionKind.SECRET
        if hint == "confirm" or _YES_NO.search(prompt):
            kind = QuestionKind.YES_NO
        self._question = self._inquiry.post(kind, prompt, kept=bool(_KEPT.match(prompt)))
        self._question.when_done(self._wake)

    def _helper_left(self) -> None:
        question, self._question = self._question, None
        if question is not None:
            question.withdraw()
        self._reply(None)

    def _reply(self, answer: str | None) -> None:
        helper, self._helper, self._question = self._helper, None, None
        if helper is None:
            return
        if answer is None and self._inquiry.unanswered:
            # It would go on with an empty password, and that may lock an account.
            self.give_up()
        with helper, contextlib.suppress(OSError):
            if answer is not None:
                helper.sendall(b"+" + answer.encode(errors="surrogateescape"))


def _exactly(end: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        part = end.recv(length - len(found))
        if not part:
            raise OSError("it left in the middle of a question")
        found += part
    return found


def _private_folder() -> Path:
    """A new folder for this user alone, its path short enough for a socket's name."""
    own = os.environ.get("XDG_RUNTIME_DIR", "")
    for place in (own, tempfile.gettempdir(), "/tmp"):
        if not place or len(place) > 80:
            continue
        with contextlib.suppress(OSError):
            return Path(tempfile.mkdtemp(prefix="tuivirt-", dir=place))
    raise OSError("no place for a folder: tried XDG_RUNTIME_DIR, TMPDIR and /tmp")


def _put(program: Path, name: Path) -> None:
    """``program`` under another name: a link, as a copy may lie where nothing may be run."""
    if os.access(program, os.X_OK):
        name.symlink_to(program)
    else:  # Installed by something that does not keep modes.
        shutil.copyfile(program, name)
        name.chmod(0o700)


def _split(uri: str) -> tuple[str, str]:
    """A URI up to the value of its ``command=``, last now; and what that was, or ``ssh``."""
    head, _, query = uri.partition("?")
    command, others = "ssh", []
    for part in re.split("[&;]", query):
        name, _, value = part.partition("=")
        if name == "command" and value:
            command = unquote(value)
        elif part:
            others.append(part)
    return f"{head}?{''.join(f'{part}&' for part in others)}command=", command
