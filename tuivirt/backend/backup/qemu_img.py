"""The images of a backup: looked at, checked, put together, by qemu-img on this machine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..images import tool
from ..images.read import read_image
from ..lifecycle import Progress

FREE_S = 15.0
"""How long QEMU may take to let go of a file that it has written."""
_UNCHECKED = 63
"""qemu-img check's status for a format that holds nothing to be checked."""
_SOUND, _DAMAGED, _LEAKS = 0, 2, 3
CHECK_S = 6 * 3600.0
"""All tables of an image are read: of terabytes on a slow disk that takes long."""


def virtual_size(path: Path, form: str) -> int:
    """The bytes that a guest would see of an image. Raises TuivirtError."""
    return read_image(str(path), form).size_bytes


def damage_of(path: Path, form: str, *, aborted: threading.Event | None = None) -> str:
    """What ``qemu-img check`` finds wrong with an image, in words; '' when it is whole.

    Raises Aborted, and TuivirtError where it could not be looked at.
    """
    words = ["check", "--output=json", "-f", form, "--", str(path)]
    answer = _once_free(words, CHECK_S, aborted)
    if answer.status in (_SOUND, _LEAKS, _UNCHECKED):
        return ""  # Leaked clusters cost room, and no data.
    failure = tool.failed(f"cannot check {path}", answer)
    try:
        errors = int(json.loads(answer.out).get("corruptions", 0))
    except (ValueError, AttributeError, TypeError):
        errors = 0
    if errors:
        return f"{errors} errors"
    if answer.status == _DAMAGED:
        return failure.why
    raise failure


def lay_on(path: Path, below: str, form: str) -> None:
    """Name in an increment's header what lies below it: a file beside it, and its format.

    '': nothing does. Raises TuivirtError.
    """
    # A colon would make a protocol of what stands before it.
    words = ["rebase", "-u", "-f", "qcow2", "-b", f"./{below}" if below else ""]
    words += ["-F", form] if below else []
    answer = _once_free([*words, "--", str(path)], tool.ANSWER_S)
    if answer.status:
        raise tool.failed(f"cannot write to {path}", answer)


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
    words = ["convert", "-p", "-O", form, "--", f"json:{json.dumps(nested)}", str(target)]
    answer = tool.run(words, aborted=aborted, progress=progress, saying=saying)
    if answer.status:
        raise tool.failed(f"cannot write {target}", answer)


def _once_free(
    words: Sequence[str], timeout_s: float, aborted: threading.Event | None = None
) -> tool.Answer:
    """What it says once QEMU has let go of the file: it closes it some time after its job."""
    end = time.monotonic() + FREE_S
    while True:
        answer = tool.run(words, timeout_s=timeout_s, aborted=aborted)
        if not answer.status or not tool.is_locked(answer) or time.monotonic() > end:
            return answer
        time.sleep(0.05)
