"""What has to be there before a domain is moved: images on the target, and their contents."""

from __future__ import annotations

import os.path
import threading
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

import libvirt

from ..errors import Aborted, BadInput, TuivirtError, from_libvirt
from ..model.migration import DiskFacts, Image, MigrationPlan, Stamp
from ..storage.slow import refresh
from . import images
from .copying import copy_volume
from .disks import has_backing
from .making import Folders, Made
from .times import stamp_of

if TYPE_CHECKING:
    from ..host import Host


class Mover(Protocol):
    """Whoever moves the domain."""

    source: Host
    target: Host
    aborted: threading.Event
    what: str

    def tell(self, text: str, fraction: float | None = None) -> None: ...

    def calling(self) -> AbstractContextManager[None]:
        """Around calls to both hosts."""

    def planned(self) -> MigrationPlan:
        """The plan as it is by now. Raises BadInput where it may not be carried out."""


class Prepared:
    """The target made ready; unless it is kept, leaving the context takes that back."""

    def __init__(self, mover: Mover, plan: MigrationPlan) -> None:
        self._mover = mover
        self.plan = plan
        self.copied: tuple[DiskFacts, ...] = ()
        self.troubles: list[str] = []
        """What is left that should not be, a clause each."""
        self.removed: tuple[str, ...] = ()
        """What was made and is gone again."""
        self._over: list[str] = []
        """The images there that are to be copied over."""
        self._overwritten: list[str] = []
        """Those of them that it was begun with."""
        self._made = Made(mover.target)
        self._kept = False

    def __enter__(self) -> Prepared:
        try:
            with (
                self._mover.calling(),
                Folders(self._mover.target, self._mover.aborted) as there,
                Folders(self._mover.source, self._mover.aborted) as here,
            ):
                self._look(here, there)
                self.copied = images.copied(self.plan.disks)
                self._make(there)
                if self.copied and not self.plan.values["live"]:
                    self._copy(here, there)
            self.troubles += [*there.left, *here.left]
        except BaseException as error:
            # After a defect of ours too: nobody else knows what was made.
            self._take_back(error)
            raise
        return self

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if not self._kept:
            self._take_back(error)

    def _take_back(self, error: BaseException | None) -> None:
        """Undo it; what is left is added to the error's account, libvirt's becomes one of ours."""
        told = self.undo()
        if isinstance(error, libvirt.libvirtError):
            ours = from_libvirt(error, self._mover.what)
            ours.done = told
            raise ours from error
        if isinstance(error, TuivirtError):
            error.done = "; ".join(part for part in (error.done, told) if part)

    def keep(self) -> None:
        """The images may be the domain's from now on: they are removed by ``undo`` alone."""
        self._kept = True
        if self.plan.values["live"]:
            self._overwritten += self._over

    def left(self) -> str:
        """What was made and is left, for the domain may use it."""
        self._kept = True
        paths = ", ".join(self._made.paths)
        return f"{paths} on {self._mover.target.name} is left, as it may be in use" if paths else ""

    def undo(self) -> str:
        """Remove what was made; what is to be told of that."""
        self._kept = True
        with self._mover.calling():
            gone, left = self._made.remove()
        said = []
        if left:
            said.append(f"an image is left that could not be removed: {', '.join(left)}")
        if self._overwritten:
            paths = ", ".join(self._overwritten)
            said.append(f"{paths} on {self._mover.target.name} is overwritten, at least in part")
        self.removed = tuple(gone)
        return "; ".join(said)

    def _look(self, here: Folders, there: Folders) -> None:
        """See what only a pool can tell, and plan again by that."""
        unknown = [
            move.disk
            for move in self.plan.disks
            if move.image is Image.LOOK and move.disk.source_type == "file"
        ]
        for disk in unknown:
            folder, name = os.path.split(disk.path)
            self._mover.tell(f"looking for {disk.path} on {self._mover.target.name}")
            pool = there.open(folder, make=disk.written)
            if pool is not None and (_has(pool, name) or not self.plan.values["live"]):
                # Whether it is the same file is told by the times that both hosts see.
                own = here.open(folder, make=True)
                if not self.plan.values["live"] and has_backing(disk.format):
                    self._look_below(own, name, here, there)
        if unknown:
            self.plan = self._mover.planned()

    def _look_below(self, pool: Any, name: str, here: Folders, there: Folders) -> None:
        """The image itself tells what it lies on, while the domain is off."""
        below = _stamp(pool.storageVolLookupByName(name)).backing if _has(pool, name) else ""
        if below.startswith("/"):
            for folders in (here, there):
                folders.open(os.path.dirname(below), make=True)

    def _make(self, there: Folders) -> None:
        live = bool(self.plan.values["live"])
        overlay = bool(self.plan.values.get("copy_storage_inc"))
        for move in self.plan.disks:
            disk = move.disk
            if move.image is Image.OVERWRITE:
                self._over.append(disk.path)
            elif move.image is Image.COPY and disk.source_type != "block":
                if self._mover.aborted.is_set():
                    raise Aborted(self._mover.what, "it was aborted before it began")
                self._mover.tell(f"making {disk.path} on {self._mover.target.name}")
                pool = self._pool(there, disk)
                self._made.make(pool, disk, as_file=not live, overlay=overlay)

    def _pool(self, there: Folders, disk: DiskFacts) -> Any:
        if disk.source_type == "volume":
            return self._mover.target.pool(disk.pool)
        return there.open(os.path.dirname(disk.path), make=True)

    def _copy(self, here: Folders, there: Folders) -> None:
        """A domain that is off has nobody else who would copy its images."""
        total = sum(disk.size_bytes or 0 for disk in self.copied) or 1
        done = 0

        def sent(size: int) -> None:
            nonlocal done
            done += size
            said = f"copying {disk.path}: {(total - done) >> 20} MiB left"
            self._mover.tell(said, min(1.0, done / total))

        source, target = self._mover.source, self._mover.target
        over = {m.disk.target for m in self.plan.disks if m.image is Image.OVERWRITE}
        volumes = {disk.target: self._volume(source, here, disk) for disk in self.copied}
        before = {name: _stamp(volume) for name, volume in volumes.items()}
        for disk in self.copied:
            if has_backing(disk.format) and before[disk.target].backing.startswith("/"):
                self._check_backing(before[disk.target].backing, disk, here, there)
            if disk.target in over:
                self._overwritten.append(disk.path)
            copy_volume(
                source,
                target,
                volumes[disk.target],
                self._volume(target, there, disk),
                sent=sent,
                aborted=self._mover.aborted,
                over=disk.target in over,
            )
            # It took the file for an empty raw image.
            refresh(target, self._pool(there, disk), self._mover.aborted)
        # Nothing keeps a domain from being started meanwhile. All at the end: they belong together.
        for disk in self.copied:
            if _stamp(volumes[disk.target]) != before[disk.target]:
                raise TuivirtError(
                    self._mover.what,
                    f"{disk.says} was changed while it was copied",
                    "was it started meanwhile? Then it is moved while it runs",
                )

    def _check_backing(self, below: str, disk: DiskFacts, here: Folders, there: Folders) -> None:
        """A copied overlay is worth nothing without what it lies on."""
        folder, name = os.path.split(below)
        what = f"{self._mover.what}: {disk.says} lies on {below}"
        pool = there.open(folder, make=True)
        if pool is None or not _has(pool, name):
            raise BadInput(
                what,
                f"{self._mover.target.name} has no such file",
                "Put it there first, or make the image independent of it (virsh blockpull)",
            )
        own = here.open(folder, make=True)
        if own is None or not _has(own, name):
            return  # A broken one stays as broken as it is.
        sizes = [_stamp(each.storageVolLookupByName(name)).capacity_bytes for each in (own, pool)]
        if sizes[0] != sizes[1]:
            raise BadInput(
                what,
                f"that has {sizes[1]} bytes on {self._mover.target.name}, and here {sizes[0]}",
                "It is another one: put this one there, or make the image independent of it (virsh"
                " blockpull)",
            )

    def _volume(self, host: Host, folders: Folders, disk: DiskFacts) -> Any:
        if disk.source_type == "volume":
            pool, name = host.pool(disk.pool), disk.volume
        else:
            folder, name = os.path.split(disk.path)
            pool = folders.open(folder, make=True)
        try:
            return pool.storageVolLookupByName(name)
        except libvirt.libvirtError as error:
            raise from_libvirt(error, f"cannot open {disk.says} on {host.name}") from error


def _stamp(volume: Any) -> Stamp:
    """As its file is now: libvirt looks at it again for that."""
    return stamp_of(str(volume.XMLDesc(0)))


def _has(pool: Any, name: str) -> bool:
    return name in pool.listVolumes()
