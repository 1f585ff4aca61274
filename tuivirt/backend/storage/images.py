"""An image, and those below it, as qemu-img tells of them on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import BadInput
from ..images import tool
from ..images.inside import Inside, inside_of

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
    snapshots: tuple[Inside, ...] = ()
    """The internal ones that lie in it."""


def look(path: str, form: str = "") -> Image:
    """One image. Raises BadInput. Source: ``qemu-img info -U``, which opens none below it.

    ``form``: its format where it is known; of a raw one a guest may have written what looks
    like another.
    """
    return _image(path, tool.info(path, form if form in _FORMATS else ""))


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
        snapshots=inside_of(told),
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
