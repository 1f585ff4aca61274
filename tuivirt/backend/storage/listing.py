"""A pool's volumes, and one of them, as text."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..here import is_here
from ..images.inside import Inside
from ..lookups import volumes
from ..model.resources import Volume
from .find import active_pool, find, human
from .images import Image, chain_of
from .judge import in_use
from .unfinished import about, by_volume

if TYPE_CHECKING:
    from ..host import Host


def as_text(host: Host, pool_key: str) -> str:
    """The volumes of a pool, a line each: name, size, what it takes, format, who has it."""
    pool = active_pool(host, pool_key)
    found = volumes(host, pool.UUIDString(), unread=True)
    if not found:
        return f"pool {pool.name()} has no volumes"
    width = max(len(each.name) for each in found)
    halves = by_volume(host, found)
    return "\n".join(_line(each, width, halves.get(each.name, "")) for each in found)


def _line(volume: Volume, width: int, half: str) -> str:
    said = [
        f"{_one_line(volume.name):<{width}}",
        f"{human(volume.capacity_bytes):>10}",
        f"takes {human(volume.allocation_bytes):>10}",
        f"{volume.format or volume.type:<6}",
    ]
    if volume.problem:
        said.append(volume.problem)
    if half:
        said.append(_one_line(half))
    if volume.users:
        said.append(f"used by {', '.join(volume.users)}")
    if volume.unsure:
        said.append(_one_line(volume.unsure))
    return "  ".join(said).rstrip()


def chain_below(host: Host, volume: Volume) -> list[Image]:
    """The volume's image and those below it: looked into on this machine, else as libvirt knows.

    The last has what is wrong with it, if anything is.
    """
    if is_here(host) and volume.path.startswith("/"):
        return list(chain_of(volume.path, volume.format))
    top = Image(
        volume.path,
        volume.format,
        volume.capacity_bytes,
        volume.allocation_bytes,
        volume.backing,
        volume.backing_format,
    )
    return [top, Image(volume.backing, volume.backing_format)] if volume.backing else [top]


def details(host: Host, pool_key: str, name: str) -> str:
    """All that there is to say of one: sizes, format, the chain below it, who has it.

    Raises TuivirtError.
    """
    found = find(host, pool_key, name)
    volume, users = found.volume, in_use(host, found)
    pairs = [
        ("name", volume.name),
        ("pool", volume.pool),
        ("path", volume.path),
        ("type", volume.type),
        ("format", volume.format),
        ("encrypted", _locked(volume)),
        ("capacity", _size(volume.capacity_bytes)),
        ("takes", _size(volume.allocation_bytes)),
        ("its file", _size(volume.physical_bytes)),
    ]
    said = [f"{label:<10} {value}" for label, value in pairs if value]
    top, *below = chain_below(host, volume)
    said += [f"{'problem':<10} {top.problem}"] if top.problem else []
    halves = [line for each in about(host, volume.path) for line in each.lines]
    said += [f"{'upload' if not n else '':<10} {each}" for n, each in enumerate(halves)]
    said += [
        f"{'snapshots' if not n else '':<10} {_inside(e)}" for n, e in enumerate(top.snapshots)
    ]
    said += [f"{'lies on' if not n else '':<10} {_image(e)}" for n, e in enumerate(below)]
    who = [f"domain {each}" for each in users.running]
    who += [f"domain {each} (off)" for each in users.off]
    who += [f"{each.said}, which keeps it" for each in users.kept]
    who += [f"volume {each}, which lies on it" for each in users.volumes]
    who += [f"image {each}, which lies on it" for each in users.images]
    who += [f"this machine: {each}" for each in users.machine]
    said += [f"{'used by' if not n else '':<10} {each}" for n, each in enumerate(who or ["nobody"])]
    said += [f"{'not sure' if not n else '':<10} {e}" for n, e in enumerate(users.unsure)]
    return "\n".join(map(_one_line, said))


def _locked(volume: Volume) -> str:
    if not volume.encryption:
        return ""
    with_ = f"with secret {volume.secret}" if volume.secret else "libvirt knows not by which secret"
    return f"{volume.encryption}, {with_}"


def _one_line(text: str) -> str:
    """A name may hold a line's end, and must not look like a line of ours."""
    return " ".join(text.splitlines())


def _size(count: int | None) -> str:
    return "" if count is None else f"{human(count)} ({count} bytes)"


def _inside(snapshot: Inside) -> str:
    taken = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(snapshot.taken))
    memory = f"{human(snapshot.memory_bytes)} of memory" if snapshot.memory_bytes else "no memory"
    return f"{snapshot.name}, {taken}, {memory}"


def _image(image: Image) -> str:
    words = [image.path, image.format]
    if image.capacity_bytes is not None:
        words.append(human(image.capacity_bytes))
    if image.problem:
        words.append(f"but: {image.problem}")
    return ", ".join(word for word in words if word)
