"""Options of an image format as they are typed: ``cluster_size=2M,lazy_refcounts=on``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import BadInput
from ..sizes import MOST_BYTES, read_size

_NAME = re.compile(r"[a-z][a-z0-9_.-]*")
_ELSEWHERE = {
    "backing_file": "what it lies on is said with image-create or image-rebase",
    "backing_fmt": "what it lies on is said with image-create or image-rebase",
    "data_file": "an image whose data lie elsewhere is not made here",
    "size": "its size is changed with image-resize",
}


def read_options(text: str) -> dict[str, str]:
    """By name; two commas in a value are one. Raises BadInput."""
    found: dict[str, str] = {}
    for part in re.split(r"(?<!,),(?!,)", text) if text.strip() else ():
        name, equals, value = part.strip().partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise BadInput(
                f"{part.strip()!r} is no option", advice="as in cluster_size=2M,compat=1.1"
            )
        if name in _ELSEWHERE:
            raise BadInput(f"{name} is not taken here", _ELSEWHERE[name])
        if name.startswith("encrypt"):
            raise BadInput(
                "images are not encrypted here", advice="qemu-img create --object secret"
            )
        if name in found:
            raise BadInput(f"{name} is said twice")
        found[name] = value.replace(",,", ",")
    return found


def in_words(options: Mapping[str, str]) -> list[str]:
    """The options as qemu-img takes them."""
    words: list[str] = []
    for name, value in options.items():
        words += ["-o", f"{name}={value.replace(',', ',,')}"]
    return words


def bytes_of(text: str, now: int = 0) -> int:
    """``20GiB``, or ``+5G`` and ``-5G`` beside what it has ``now``. Raises BadInput.

    A number needs its unit: those of qemu-img and of virsh mean different things without.
    """
    said = text.strip()
    number = said[1:] if said[:1] in "+-" else said
    size = read_size(number)
    if size is None or not re.search(r"[A-Za-z]", number):
        raise BadInput(f"{text!r} is no size", advice="give it with a unit, as in 20GiB or +5GiB")
    if said[:1] in ("+", "-"):
        size = now + size if said[0] == "+" else now - size
    if not 0 < size <= MOST_BYTES:
        raise BadInput(f"{text} cannot be", f"that would be {size} bytes")
    return size
