"""Who has an image: domains, running or not, other images that lie on it, this machine itself."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import libvirt

from ..disks import path_of
from ..errors import from_libvirt, if_offered, is_gone
from ..model.device import Disk
from ..model.host import Link
from ..passthrough import blocks as kernel
from ..passthrough.diskuse import Uses
from ..sides import parse_text, read_texts
from . import header
from .here import not_here
from .read import MOST_BELOW

if TYPE_CHECKING:
    from ..host import Host

MOST_FILES = 5000
"""In a folder with more of them not all are looked at for what they lie on."""
_FOLDERS = ("dir", "fs", "netfs")
"""Types of pools whose volumes are files in a folder."""


@dataclass(frozen=True, slots=True)
class Use:
    """A domain's use of an image."""

    domain: str
    target: str
    """The disk, as in ``vda``."""
    running: bool
    """The domain runs with it: it is open."""
    below: bool
    """The disk does not have it itself, but lies on it."""
    reads_only: bool
    form: str
    """What the domain says of its format; '' where that is not told."""
    saved: bool
    """The domain has a managed save."""

    @property
    def said(self) -> str:
        """``vda of web-01``."""
        return f"{self.target} of {self.domain}"


@dataclass(frozen=True, slots=True)
class Usage:
    """All that uses one image."""

    path: str
    domains: tuple[Use, ...] = ()
    overlays: tuple[str, ...] = ()
    """Paths of images that lie on it, as far as they are beside it or in a pool."""
    machine: tuple[str, ...] = ()
    """What this machine does with it, a phrase each."""

    @property
    def form(self) -> str:
        """The format that the domains agree on; '' where none says it."""
        forms = {use.form for use in self.domains if use.form}
        return forms.pop() if len(forms) == 1 else ""


class Users:
    """Who uses the images of this machine at one moment.

    The domains of all connections to this machine are asked. Raises TuivirtError. Source:
    virConnectListAllDomains, each domain's XML, the heads of qcow2 images, /sys and /proc.
    """

    def __init__(self, host: Host) -> None:
        self._found: dict[str, list[Use]] = {}
        self._folders: set[str] = set()
        for each in dict.fromkeys((host, *host.started())):
            now = each.snapshot
            is_there = each is host or now.link is Link.CONNECTED
            if is_there and not not_here(each.name, now.info):
                self._read(each)

    def of(self, path: str) -> Usage:
        """Who uses the image at this real path."""
        return Usage(
            path,
            tuple(self._found.get(path, ())),
            tuple(overlays(path, (os.path.dirname(path), *sorted(self._folders)))),
            tuple(dict.fromkeys(by_machine(path))),
        )

    def _read(self, host: Host) -> None:
        pools = host.snapshot.pools.values()
        self._folders |= {pool.path for pool in pools if pool.type in _FOLDERS and pool.path}
        try:
            for handle in host.conn.listAllDomains(0):
                self._read_domain(host, handle)
        except libvirt.libvirtError as error:
            what = f"cannot tell which domains of {host.name} use the image"
            raise from_libvirt(error, what) from error

    def _read_domain(self, host: Host, handle: Any) -> None:
        try:
            name, texts = handle.name(), read_texts(handle)
            saved = bool(if_offered(lambda: handle.hasManagedSaveImage(0), 0))
        except libvirt.libvirtError as error:
            if is_gone(error):
                return
            raise
        what = f"cannot read the configuration of {name}"
        for running, text in zip((True, False), texts, strict=True):
            config = parse_text(text, what)
            for disk in config.disks if config is not None else ():
                for use, path in _uses(host, name, disk, running, saved):
                    known = self._found.setdefault(path, [])
                    # A running domain's saved configuration mostly tells the same again.
                    if not any((u.domain, u.target) == (use.domain, use.target) for u in known):
                        known.append(use)


def _uses(
    host: Host, domain: str, disk: Disk, running: bool, saved: bool
) -> Iterator[tuple[Use, str]]:
    source = path_of(host, disk) if disk.source_type == "volume" else disk.source
    if disk.source_type not in ("file", "block", "volume") or not source.startswith("/"):
        return
    reads_only = disk.readonly or disk.device == "cdrom"
    top = os.path.realpath(source)
    yield Use(domain, disk.target, running, False, reads_only, disk.format, saved), top
    for path in dict.fromkeys((*map(os.path.realpath, disk.backing), *_below(top))):
        if path != top:
            yield Use(domain, disk.target, running, True, True, "", saved), path


def _below(path: str) -> Iterator[str]:
    """What a qcow2 image lies on, nearest first."""
    seen = {path}
    while (backing := header.backing_of(path)) and len(seen) < MOST_BELOW:
        path = os.path.realpath(backing)
        if path in seen:
            return
        seen.add(path)
        yield path


def overlays(path: str, folders: Iterable[str]) -> Iterator[str]:
    """The images in these folders that lie on the one at this real path."""
    for folder in dict.fromkeys(map(os.path.realpath, folders)):
        for each in _files(folder):
            backing = header.backing_of(each)
            if backing and each != path and os.path.realpath(backing) == path:
                yield each


def _files(folder: str) -> Sequence[str]:
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    found.append(entry.path)
                if len(found) == MOST_FILES:
                    break
    except OSError:
        return ()  # Not ours to read: what lies there is not known.
    return sorted(found)


def by_machine(path: str) -> Iterator[str]:
    """What this machine does with a block device, or with a file as a device of its own."""
    uses = Uses()
    name = kernel.name_of(path) if path.startswith("/dev/") else ""
    if name:
        yield from kernel.reasons(name, {}, uses)
        return
    for each in Path("/sys/class/block").glob("loop*/loop/backing_file"):
        try:
            backing = each.read_text(errors="surrogateescape").rstrip("\n")
        except OSError:
            continue  # It was taken down meanwhile.
        if backing == path:
            loop = each.parent.parent.name
            beyond = ", ".join(use for use in kernel.reasons(loop, {}, uses) if use)
            yield f"it is this machine's /dev/{loop}" + (f" ({beyond})" if beyond else "")
