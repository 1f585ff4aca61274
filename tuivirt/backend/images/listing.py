"""An image told as text: what it is, what it lies on, who has it; and what one would need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..model.size import spelled
from . import beside, judge
from .conversion import room_needed
from .here import require_here
from .options import read_options
from .read import Chain, Image, read_chain, real_path
from .users import Usage, Users

if TYPE_CHECKING:
    from ..host import Host


def as_text(host: Host, path: str, form: str = "") -> str:
    """An image, a line for each thing. Raises TuivirtError. Source: ``qemu-img info``."""
    require_here(host)
    real = real_path(path)
    usage = Users(host).of(real)
    chain = read_chain(real, judge.form_of(usage, form))
    return "\n".join(judge.one_line(line) for line in _lines(chain, usage))


def _lines(chain: Chain, usage: Usage) -> Iterator[str]:
    top = chain.top
    yield f"{top.path}: {top.form}{', a device' if top.block else ''}"
    exact = f" ({top.size_bytes} bytes)" if top.size_bytes >= 1024 else ""
    yield f"size: {spelled(top.size_bytes)}{exact}"
    if not top.block:
        yield f"takes: {spelled(top.used_bytes)}"
    for below in chain.images[1:]:
        yield f"lies on: {below.path}: {below.form}, {spelled(below.size_bytes)}"
    if chain.problem:
        yield f"lies on: {chain.problem}" + (f" ({chain.advice})" if chain.advice else "")
    if top.data_file:
        yield f"its data lie in: {top.data_file}"
    for what, names in (("snapshots", top.snapshots), ("bitmaps", top.bitmaps)):
        if names:
            yield f"{what}: {', '.join(names)}"
    if top.encrypted:
        yield "it is encrypted: without its secret no verb here reads it or writes to it"
    if top.corrupt:
        yield "it is marked as corrupt: tuivirt image-check"
    for use in usage.domains:
        how = "lies below" if use.below else "is"
        yield f"{how} {use.phrase}"
    for overlay in usage.overlays:
        yield f"lies below: {overlay}"
    for each in usage.machine:
        yield f"in use by this machine: {each}"
    notes = [*judge.about_format(top, usage, reads=False), *beside.about(top.path, writing=False)]
    for finding in notes:
        yield f"note: {finding.text}" + (f": {finding.advice}" if finding.advice else "")


def measured(host: Host, path: str, form: str, source_format: str = "", options: str = "") -> str:
    """What an image would take as another format, as text.

    Raises TuivirtError. Source: ``qemu-img measure``.
    """
    require_here(host)
    chosen = read_options(options)
    image = _readable(host, path, source_format)
    judge.refuse_found(judge.against_encrypted([image]), f"cannot measure {image.path}")
    least = room_needed(image, form, chosen)
    most = room_needed(image, form, {**chosen, "preallocation": "full"})
    return (
        f"{image.path} takes {spelled(least)} ({least} bytes) as {form}, "
        f"and {spelled(most)} ({most} bytes) once it is full"
    )


def _readable(host: Host, path: str, form: str) -> Image:
    real = real_path(path)
    return read_chain(real, judge.form_of(Users(host).of(real), form)).top
