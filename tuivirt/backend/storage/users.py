"""Who has an image: domains by their disks, volumes that lie on it; through chains of any length.

Paths are compared by where they really lead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ..model.device import Disk, DomainConfig
from ..model.resources import Volume
from ..uses import Configs
from ..xml.tree import attribute, parse
from .paths import Real

if TYPE_CHECKING:
    from ..owners.named import Named

Below = Callable[[str], str]
"""Given the real path of an image: that of its backing file, or ''."""


def users_of_volumes(
    configs: Configs, found: Sequence[Volume], real: Real = str, kept: Iterable[Named] = ()
) -> dict[str, tuple[str, ...]]:
    """By volume key: the names of the domains that have it, ``volume …`` for each that lies on it
    as its backing file, and ``snapshot … of …`` for those that keep it.

    A domain has a volume by its path, by pool and name, or because a disk of it lies on it,
    over as many images as there are between. So has a snapshot; ``kept``: what snapshots keep.
    """
    known = below_of(found, real)
    having = domains_by_path(
        configs, places_of(found, real), lambda path: known.get(path, ""), real
    )
    overlays: dict[str, set[str]] = {}
    for volume in found:
        if volume.backing:
            overlays.setdefault(real(volume.backing), set()).add(volume.name)
    keeping = _keeping(kept, lambda path: known.get(path, ""), real)
    users = {}
    for volume in found:
        path = real(volume.path)
        names = having.get(path, ())
        above = overlays.get(path, ())
        by = _snapshots(keeping[path], names) if path in keeping else ()
        if names or above or by:
            lying = (f"volume {name}" for name in sorted(above))
            users[volume.key] = (*sorted(names), *lying, *by)
    return users


def _keeping(
    kept: Iterable[Named], below: Below, real: Real
) -> dict[str, dict[str, dict[str, bool]]]:
    """By real path of an image, and by domain: its snapshots that keep it.

    With each whether nobody may write to it; what was written since a snapshot is not frozen.
    """
    keeping: dict[str, dict[str, dict[str, bool]]] = {}
    for each in kept:
        lower = (path for one in each.below for path in chain(real(one), below))
        paths = dict.fromkeys((*chain(real(each.path), below), *lower))
        for path in paths if each.frozen else (real(each.path),):
            named = keeping.setdefault(path, {}).setdefault(each.domain, {})
            named[each.snapshot] = named.get(each.snapshot, False) or each.frozen
    return keeping


def _snapshots(keeping: Mapping[str, Mapping[str, bool]], having: Iterable[str]) -> Iterator[str]:
    """Which of a domain that has the image itself are told only where it may not be written to."""
    own = set(having)
    for domain, snapshots in sorted(keeping.items()):
        names = sorted(name for name, frozen in snapshots.items() if frozen or domain not in own)
        if len(names) == 1:
            yield f"snapshot {names[0]} of {domain}"
        elif names:
            yield f"{len(names)} snapshots of {domain}"


def below_of(volumes: Iterable[Volume], real: Real) -> dict[str, str]:
    """What each of the volumes lies on."""
    return {real(each.path): real(each.backing) for each in volumes if each.backing}


def places_of(volumes: Iterable[Volume], real: Real) -> dict[tuple[str, str], str]:
    """Where the volume of that pool and name lies."""
    return {(each.pool, each.name): real(each.path) for each in volumes}


def domains_by_path(
    configs: Configs, places: Mapping[tuple[str, str], str], below: Below, real: Real
) -> dict[str, set[str]]:
    """By real path of an image: the domains that have it, as a disk or below one."""
    having: dict[str, set[str]] = {}
    for name, each in configs.items():
        for config in each:
            for path in images_of(config, places, real):
                for lower in chain(path, below):
                    having.setdefault(lower, set()).add(name)
    return having


def images_of(
    config: DomainConfig, places: Mapping[tuple[str, str], str], real: Real
) -> Iterator[str]:
    """The real paths of all images that a configuration names, backing files too."""
    for disk in config.disks:
        top = path_of(disk, places, real)
        for path in (top, *map(real, disk.backing), *map(real, mirror_of(disk))):
            if path:
                yield path


def path_of(disk: Disk, places: Mapping[tuple[str, str], str], real: Real) -> str:
    """Where a disk's image really lies, as libvirt's volumes are told by; '' for none.

    That of a storage server is told as its volume is: by what stands behind the server's name.
    """
    if disk.volume:
        return places.get((disk.pool, disk.volume), "")
    if disk.source_type == "network":
        return unquote(urlsplit(disk.source).path).lstrip("/") if "://" in disk.source else ""
    return real(disk.source) if disk.source else ""


def mirror_of(disk: Disk) -> tuple[str, ...]:
    """Where a block job copies the disk to, as far as its XML is known."""
    if "<mirror" not in disk.xml:
        return ()
    root = parse(disk.xml, "disk")
    found = (
        attribute(root, place, name)
        for place, name in (
            ("mirror", "file"),
            ("mirror", "dev"),
            ("mirror/source", "file"),
            ("mirror/source", "dev"),
        )
    )
    return tuple(dict.fromkeys(path for path in found if path))


def chain(path: str, below: Below) -> Iterator[str]:
    """An image and all that is below it; one that lies on itself is told once."""
    seen: set[str] = set()
    while path and path not in seen:
        seen.add(path)
        yield path
        path = below(path)
