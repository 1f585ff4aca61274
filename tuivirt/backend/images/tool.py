"""qemu-img, run for an image: how far it is, its abort, and what its errors mean.

It is given arguments one by one, and paths that begin with a slash: those it never takes for
anything else, whatever colons, commas or quotes are in them.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import Aborted, BadInput, TuivirtError
from ..lifecycle import Progress

QEMU_IMG = "qemu-img"
ANSWER_S = 60.0
"""What only reads an image's head is answered within that; on a dead NFS server never."""
PROBE_S = 10.0
"""Whoever asks for a disk's format stands before a form meanwhile."""
_EVERY_S = 0.1
_SHORT_S = 0.001
"""A process that has said all is mostly gone so soon."""
_TERM_S = 5.0
"""For so long it may take to end by itself; then it is killed."""
_KILLED_S = 5.0
"""A killed process that is there for longer hangs in the kernel."""
_MOST_BYTES = 4 << 20
_FAR = re.compile(rb"\(\s*([0-9.]+)/100%\)")

ending = threading.Event()
"""Set when the program ends: what runs is aborted."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How it ended, and what it said."""

    status: int
    out: str
    err: str


def run(
    words: Sequence[str],
    *,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
    saying: str = "",
    timeout_s: float | None = None,
) -> Answer:
    """Run ``qemu-img words``; what it said, whatever its status.

    ``progress`` hears ``saying`` and how far it is, where -p is among the words. Raises Aborted
    once it has ended, BadInput where there is no qemu-img, TuivirtError after ``timeout_s``.
    """
    child = _begin(words)
    kept = {"out": b"", "err": b""}
    told: float | None = None
    asked = 0.0
    late = False
    until = time.monotonic() + timeout_s if timeout_s is not None else float("inf")
    try:
        for kind, data in _said(child):
            kept[kind] = (kept[kind] + data)[-_MOST_BYTES:]
            now = time.monotonic()
            late = late or now > until
            if not asked and (late or _is_over(aborted)):
                asked = now
                # Who has not answered in all that time heeds nothing milder.
                _signal(child, signal.SIGKILL if late else signal.SIGTERM)
            elif asked and now - asked > _TERM_S:
                _signal(child, signal.SIGKILL)
                if now - asked > _TERM_S + _KILLED_S:
                    raise _hangs(child, words)
            far = _far(kept["out"])
            if progress is not None and (told is None or (far is not None and far != told)):
                told = far or 0.0
                progress(saying, far)
    except BaseException:
        _signal(child, signal.SIGKILL)
        raise
    status = child.returncode
    if late:
        raise TuivirtError(
            f"qemu-img {words[0]} has not answered within {timeout_s:g} s",
            advice="is the storage that it lies on reachable?",
        )
    # One that was done before it heard of the abort is done.
    if asked and status != 0:
        raise Aborted(f"qemu-img {words[0]} was aborted")
    return Answer(status, _text(kept["out"]), _text(kept["err"]))


def _is_over(aborted: threading.Event | None) -> bool:
    return ending.is_set() or (aborted is not None and aborted.is_set())


def _said(child: subprocess.Popen[bytes]) -> Iterator[tuple[str, bytes]]:
    """What it says as it comes, "out" or "err", and b"" from time to time, until it has ended.

    One that has closed both ends can still hang, in the kernel, over the last file that it has
    open: nothing here waits for it without an end.
    """
    assert child.stdout is not None
    assert child.stderr is not None
    with child.stdout, child.stderr, selectors.DefaultSelector() as waiting:
        waiting.register(child.stdout, selectors.EVENT_READ, "out")
        waiting.register(child.stderr, selectors.EVENT_READ, "err")
        while waiting.get_map():
            for key, _events in waiting.select(_EVERY_S):
                data = os.read(key.fd, 1 << 16)
                if not data:
                    waiting.unregister(key.fileobj)
                yield key.data, data
            yield "out", b""
    pause = _SHORT_S
    while child.poll() is None:
        yield "out", b""
        time.sleep(pause)
        pause = min(2 * pause, _EVERY_S)


def _begin(words: Sequence[str]) -> subprocess.Popen[bytes]:
    if shutil.which(QEMU_IMG) is None:
        raise BadInput(
            "there is no qemu-img on this machine",
            advice="install it: qemu-utils (Debian, Ubuntu) or qemu-img (Fedora, SUSE)",
        )
    # Killed with the thread that waits for it, so that it goes even when we are killed.
    bound = shutil.which("setpriv")
    before = [bound, "--pdeathsig", "KILL"] if bound else []
    try:
        return subprocess.Popen(
            [*before, QEMU_IMG, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
            # Of its own, so that ctrl+c at a terminal comes to it through the abort alone.
            process_group=0,
        )
    except OSError as error:
        raise TuivirtError("cannot run qemu-img", str(error)) from error


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        pass  # It has ended meanwhile.


def _hangs(child: subprocess.Popen[bytes], words: Sequence[str]) -> TuivirtError:
    return TuivirtError(
        f"qemu-img {words[0]} (process {child.pid}) was killed and has not ended",
        "it hangs in the kernel, which waits for the storage",
        "it ends once the storage answers; what it wrote is then to be removed",
    )


def _far(out: bytes) -> float | None:
    found = _FAR.findall(out[-64:])
    try:
        return min(1.0, float(found[-1]) / 100) if found else None
    except ValueError:
        return None


def _text(said: bytes) -> str:
    return said.decode(errors="replace")


def ask(words: Sequence[str], what: str, timeout_s: float = ANSWER_S) -> dict[str, Any]:
    """What ``qemu-img words --output=json`` answers. Raises TuivirtError."""
    answer = run([words[0], "--output=json", *words[1:]], timeout_s=timeout_s)
    if answer.status != 0:
        raise failed(what, answer)
    return read_json(answer, what)


def info(path: str, form: str = "") -> dict[str, Any]:
    """What an image tells of itself; ``form`` as far as it is known, or else it is looked for.

    Raises BadInput, whatever the reason is. Source: ``qemu-img info -U``, which takes no lock.
    """
    what = f"cannot look into {path}"
    try:
        return ask(["info", "-U", *(["-f", form] if form else []), "--", path], what, PROBE_S)
    except Aborted:
        raise
    except TuivirtError as error:
        raise BadInput(what, error.why or error.what, error.advice) from error


def read_json(answer: Answer, what: str) -> dict[str, Any]:
    """Its answer, read. Raises TuivirtError."""
    try:
        found = json.loads(answer.out)
    except ValueError as error:
        raise TuivirtError(what, f"qemu-img's answer cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise TuivirtError(what, "qemu-img's answer cannot be read")
    return found


_LOCKED = r'Failed to get (shared )?"|Failed to lock byte'
_EXPLAINED = (
    (
        _LOCKED,
        "another process has the image open",
        "wait for it, or end it; fuser says which one it is",
    ),
    (r"key-secret", "it is encrypted, and its secret is not asked for here",
     "qemu-img works on it by hand, with --object secret and --image-opts"),
    (r"No space left", "", "make room where it is written, or write it elsewhere"),
    (r"Disk quota", "", "the user's quota is used up: write it elsewhere"),
    (r"File too large", "", "the file system there takes no file that large"),
    (r"Permission denied", "", "run tuivirt as a user who may, or change whose the file is"),
    (r"Read-only file system", "", "write it elsewhere"),
    (r"not in \w+ format|Unknown file format", "", "say which format it is"),
    (r"[Cc]orrupt|refcount", "", "look at it: tuivirt image-check"),
    (r"Input/output error", "", "the storage below fails: the kernel's log (dmesg) says more"),
    (r"has snapshots|with snapshots|internal snapshots", "", "delete its snapshots first"),
    (r"[Uu]nknown option|Invalid parameter|does not support|not supported", "",
     "the format has not that option: qemu-img convert -O FORMAT -o help lists them"),
)  # fmt: skip


def is_locked(answer: Answer) -> bool:
    """Whether it failed as somebody else has the image open."""
    return bool(re.search(_LOCKED, answer.err))


def failed(what: str, answer: Answer) -> TuivirtError:
    """What went wrong, in qemu-img's words, with what they mean and what to do."""
    lines = [line.removeprefix("qemu-img: ").strip() for line in answer.err.splitlines()]
    said = "; ".join(line for line in lines if line and not line.startswith("Try 'qemu-img"))
    if not said and answer.status < 0:
        said = f"qemu-img was ended by signal {-answer.status}"
    for pattern, meaning, advice in _EXPLAINED:
        if re.search(pattern, said):
            return TuivirtError(what, f"{meaning}: {said}" if meaning else said, advice)
    return TuivirtError(what, said or f"qemu-img ended with {answer.status} and said nothing")
