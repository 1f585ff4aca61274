"""An image, and those below it, as qemu-img tells of them on this machine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..disks import PROBE_TIMEOUT_S
from ..errors import BadInput

MOST_BELOW = 200
"""QEMU itself gives up on a chain that is longer."""
_FORMATS = frozenset(("raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc", "vhdx"))
"""Those that libvirt and qemu-img call the same."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a chain."""

    path: str
    format: str = ""
    capacity_bytes: int | None = None
    allocation_bytes: int | None = None
    backing: str = ""
    """Where its backing file lies: a path, or a URI."""
    backing_format: str = ""
    problem: str = ""
    """What is wrong with it; it is the last of its chain then."""


def look(path: str, form: str = "") -> Image:
    """One image. Raises BadInput. Source: ``qemu-img info -U``, which opens none below it.

    ``form``: its format where it is known; of a raw one a guest may have written what looks
    like another.
    """
    as_known = ("-f", form) if form in _FORMATS else ()
    argv = ["qemu-img", "info", "-U", "--output=json", *as_known, "--", path]
    what = f"cannot look into {path}"
    try:
        answer = subprocess.run(
            argv, capture_output=True, timeout=PROBE_TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as error:
        raise BadInput(what, "no qemu-img here", "install qemu-utils (qemu-img)") from error
    except subprocess.TimeoutExpired as error:
        why = f"qemu-img has not answered within {PROBE_TIMEOUT_S:g} s"
        raise BadInput(what, why, "is the storage it lies on reachable?") from error
    if answer.returncode:
        why = answer.stderr.decode(errors="replace").strip().removeprefix("qemu-img: ")
        raise BadInput(what, why)
    try:
        told = json.loads(answer.stdout)
    except ValueError as error:
        raise BadInput(what, "qemu-img's answer cannot be read") from error
    return _image(path, told)


def _image(path: str, told: dict[str, Any]) -> Image:
    data = (told.get("format-specific") or {}).get("data") or {}
    return Image(
        path=path,
        format=str(told.get("format") or ""),
        capacity_bytes=told.get("virtual-size"),
        allocation_bytes=told.get("actual-size"),
        backing=str(told.get("full-backing-filename") or told.get("backing-filename") or ""),
        backing_format=str(told.get("backing-filename-format") or ""),
        problem="it is marked as corrupt" if data.get("corrupt") else "",
    )


def chain_of(path: str, form: str = "") -> Iterator[Image]:
    """An image and those below it, nearest first; the last has what is wrong, if anything is.

    One on a server is told by its URI and not looked into.
    """
    from os.path import realpath

    seen: set[str] = set()
    while path:
        real = realpath(path) if path.startswith("/") else path
        if real in seen:
            yield Image(path, form, problem="it lies on itself: the chain is a loop")
            return
        seen.add(real)
        if not path.startswith("/"):
            yield Image(path, form)
            return
        try:
            image = look(path, form)
        except BadInput as error:
            yield Image(path, form, problem=error.why)
            return
        if len(seen) > MOST_BELOW:
            yield Image(path, form, problem=f"there are more than {MOST_BELOW} above it")
            return
        yield image
        path, form = image.backing, image.backing_format
