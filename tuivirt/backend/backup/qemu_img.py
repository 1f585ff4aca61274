"""qemu-img run on this machine's image files: looked at, checked, put together."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from ..errors import Aborted, TuivirtError
from ..lifecycle import Progress

_FAR = re.compile(rb"\(\s*([0-9.]+)/100%\)")
LOOK_S = 60.0
"""How long a look at a file's header may take; the storage may be away."""
FREE_S = 15.0
"""How long QEMU may take to let go of a file that it has written."""
_UNCHECKED = 63
"""qemu-img check's status for a format that holds nothing to be checked."""
_LEAKS = 3
CHECK_S = 6 * 3600.0
"""All tables of an image are read: of terabytes on a slow disk that takes long."""


def virtual_size(path: Path, form: str) -> int:
    """The bytes that a guest would see of an image. Raises TuivirtError."""
    found = _json(["qemu-img", "info", "-U", "--output=json", "-f", form, "--", str(path)], path)
    size = found.get("virtual-size")
    if not isinstance(size, int):
        raise TuivirtError(f"cannot tell the size of {path}", "qemu-img does not tell it")
    return size


def damage_of(path: Path, form: str) -> str:
    """What ``qemu-img check`` finds wrong with an image, in words; '' when it is whole.

    Raises TuivirtError where it could not be looked at.
    """
    argv = ["qemu-img", "check", "--output=json", "-f", form, "--", str(path)]
    status, out, err = _once_free(argv, path, CHECK_S)
    if status in (0, _LEAKS, _UNCHECKED):
        return ""  # Leaked clusters cost room, and no data.
    try:
        errors = int(json.loads(out).get("corruptions", 0))
    except (ValueError, AttributeError, TypeError):
        errors = 0
    if errors:
        return f"{errors} errors"
    if status == 2:
        return err or "it is damaged"
    raise TuivirtError(f"cannot check {path}", err or f"qemu-img ended with {status}")


def lay_on(path: Path, below: str, form: str) -> None:
    """Name in an increment's header what lies below it: a file beside it, and its format.

    '': nothing does. Raises TuivirtError.
    """
    # A colon would make a protocol of what stands before it.
    argv = ["qemu-img", "rebase", "-u", "-f", "qcow2", "-b", f"./{below}" if below else ""]
    argv += ["-F", form] if below else []
    status, _out, err = _once_free([*argv, "--", str(path)], path)
    if status:
        raise TuivirtError(f"cannot write to {path}", err or f"qemu-img ended with {status}")


def flatten(
    layers: list[tuple[Path, str]],
    target: Path,
    form: str,
    *,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
    saying: str = "",
) -> None:
    """Write one image from a full one and the increments on it, the full one first.

    ``layers``: path and format of each. None of them is changed: which lies below which is said on
    the command line, not written into them. Raises Aborted, TuivirtError; what was written of
    ``target`` then stays.
    """
    nested: dict[str, Any] = {}
    for path, layer in layers:
        node: dict[str, Any] = {
            "driver": layer,
            "file": {"driver": "file", "filename": str(path)},
        }
        if nested:
            node["backing"] = nested
        elif layer == "qcow2":
            node["backing"] = None  # A name in its header would be opened, whatever it is.
        nested = node
    argv = ["qemu-img", "convert", "-p", "-O", form, f"json:{json.dumps(nested)}", str(target)]

    def tell(fraction: float) -> None:
        if progress is not None:
            progress(saying, fraction)

    status, _out, err = _run(argv, target, aborted, tell, timeout_s=None)
    if status:
        raise TuivirtError(f"cannot write {target}", err or f"qemu-img ended with {status}")


def _once_free(argv: list[str], path: Path, timeout_s: float = LOOK_S) -> tuple[int, str, str]:
    """As `_run`, once QEMU has let go of the file: it closes it some time after its job is over."""
    end = time.monotonic() + FREE_S
    while True:
        status, out, err = _run(argv, path, None, timeout_s=timeout_s)
        if not status or "Failed to get" not in err or time.monotonic() > end:
            return status, out, err
        time.sleep(0.05)


def _json(argv: list[str], path: Path) -> dict[str, Any]:
    status, out, err = _run(argv, path, None)
    try:
        found = json.loads(out) if not status else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise TuivirtError(f"cannot look at {path}", err or "qemu-img's answer cannot be read")
    return found


def _run(
    argv: list[str],
    path: Path,
    aborted: threading.Event | None,
    tell: Any = None,
    timeout_s: float | None = LOOK_S,
) -> tuple[int, str, str]:
    """Status, output and error; told meanwhile how far it is. Raises Aborted, TuivirtError."""
    pipe = subprocess.PIPE
    try:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)
    except OSError as error:
        why = f"qemu-img: {error.strerror}"
        raise TuivirtError(f"cannot look at {path}", why, "install qemu-utils") from error
    out: list[bytes] = []
    errors: list[bytes] = []
    readers = [
        threading.Thread(target=_read, args=(child.stdout, out, tell), daemon=True),
        threading.Thread(target=_read, args=(child.stderr, errors, None), daemon=True),
    ]
    for each in readers:
        each.start()
    stopped = False
    try:
        if aborted is None:
            child.wait(timeout_s)
        else:
            while child.poll() is None:
                stopped = aborted.wait(0.1)
                if stopped:
                    break
    except subprocess.TimeoutExpired as error:
        raise TuivirtError(
            f"cannot look at {path}",
            f"qemu-img has not answered within {timeout_s:g} s",
            "is the storage it lies on reachable?",
        ) from error
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        for each in readers:
            each.join()
        for end in (child.stdout, child.stderr):
            if end is not None:
                end.close()
    if stopped:
        raise Aborted(f"{path} is not written to its end", "it was aborted")
    text = b"".join(errors).decode(errors="replace").strip()
    return child.returncode, b"".join(out).decode(errors="replace"), text


def _read(end: Any, into: list[bytes], tell: Any) -> None:
    while piece := end.read1(65536):
        into.append(piece)
        found = _FAR.findall(piece)
        if found and tell is not None:
            tell(min(1.0, float(found[-1]) / 100))
