"""Who has an image: domains by their disks, volumes that lie on it; through chains of any length.

Paths are compared by where they really lead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote, urlsplit

from ..model.device import Disk, DomainConfig
from ..model.resources import Volume
from ..uses import Configs
from ..xml.tree import attribute, parse
from .paths import Real

Below = Callable[[str], str]
"""Given the real path of an image: that of its backing file, or ''."""


def users_of_volumes(
    configs: Configs, found: Sequence[Volume], real: Real = str
) -> dict[str, tuple[str, ...]]:
    """By volume key: the names of the domains that have it, and ``volume …`` for each that
    lies on it as its backing file.

    A domain has a volume by its path, by pool and name, or because a disk of it lies on it,
    over as many images as there are between.
    """
    known = below_of(found, real)
    having = domains_by_path(
        configs, places_of(found, real), lambda path: known.get(path, ""), real
    )
    overlays: dict[str, set[str]] = {}
    for volume in found:
        if volume.backing:
            overlays.setdefault(real(volume.backing), set()).add(volume.name)
    users = {}
    for volume in found:
        path = real(volume.path)
        names = having.get(path, ())
        above = overlays.get(path, ())
        if names or above:
            users[volume.key] = (*sorted(names), *(f"volume {name}" for name in sorted(above)))
    return users


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
