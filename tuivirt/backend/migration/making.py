"""Images made on the target before their contents are copied, and removed when that failed."""

from __future__ import annotations

import os.path
import threading
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from weakref import WeakKeyDictionary

import libvirt

from ..errors import Silent, TuivirtError, from_libvirt
from ..model.migration import DiskFacts
from ..storage.slow import LOOK_S, call_for_pool
from .disks import pool_of

if TYPE_CHECKING:
    from ..host import Host


class _Lease:
    """A pool that was made or started for a time, and how many need it."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.users = 1


class _Leases:
    """Those of one host: what moves at the same time often has its images in one folder."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.by_folder: dict[str, _Lease] = {}


_leases: WeakKeyDictionary[Host, _Leases] = WeakKeyDictionary()
_leases_lock = threading.Lock()


def _leases_of(host: Host) -> _Leases:
    with _leases_lock:
        return _leases.setdefault(host, _Leases())


class Folders:
    """Pools for folders of a host: those that it has, or made for the time of a migration.

    libvirt makes, lists and deletes files in pools only. Leaving the context stops those that
    were made or started for it, unless another one needs them; the files in them stay.

    A pool may hang with its server for hours. ``aborted``, which may be set meanwhile, ends the
    waiting for it; where nobody can set it that takes `LOOK_S` at most.
    """

    def __init__(self, host: Host, aborted: threading.Event | None = None) -> None:
        self._host = host
        self._aborted = aborted
        self._leases = _leases_of(host)
        self._used: set[str] = set()
        self._state = threading.Lock()
        self._opening = 0
        self._closed = False
        self.left: list[str] = []
        """What could not be stopped again, a clause each."""

    def __enter__(self) -> Folders:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def open(self, folder: str, *, make: bool) -> Any | None:
        """libvirt's pool for a folder, fresh. ``make``: one is made, the folder too, if it has to.

        None where there is none and none may be made. Raises Aborted, TuivirtError.
        """
        where = f"{folder} on {self._host.name}"
        with self._state:
            self._closed = False
            self._opening += 1
        try:
            return call_for_pool(
                lambda: self._opened(folder, make),
                f"the look into {where}",
                "",
                self._aborted,
                None,
                LOOK_S if self._aborted is None else float("inf"),
            )
        except libvirt.libvirtError as error:
            raise from_libvirt(
                error,
                f"cannot look into {where}",
                "make a storage pool for that folder there, or copy the image yourself",
            ) from error

    def _opened(self, folder: str, make: bool) -> Any | None:
        try:
            with self._leases.lock:
                pool = self._leased(folder)
                if pool is None:
                    pool = pool_of(self._host, folder)
                if pool is None:
                    pool = self._lease(folder, make)
            if pool is not None:
                pool.refresh(0)
            return pool
        finally:
            with self._state:
                self._opening -= 1
                late = self._closed and not self._opening
            if late:
                self._release()  # Nobody waited for it any more.

    def _leased(self, folder: str) -> Any | None:
        lease = self._leases.by_folder.get(folder)
        if lease is None:
            return None
        if folder not in self._used:
            lease.users += 1
            self._used.add(folder)
        return lease.pool

    def _lease(self, folder: str, make: bool) -> Any | None:
        pool = self._started(folder, make)
        if pool is None and make:
            pool = self._made(folder)
        if pool is not None:
            self._leases.by_folder[folder] = _Lease(pool)
            self._used.add(folder)
        return pool

    def _started(self, folder: str, make: bool) -> Any | None:
        """The pool that is defined for it and off, started for the time."""
        for known in self._host.snapshot.pools.values():
            if not known.active and known.path and _same(known.path, folder):
                if known.type not in ("", "dir"):
                    # Stopped again, it would be unmounted, or logged out of: the images with it.
                    if not make:
                        return None
                    raise TuivirtError(
                        f"the storage pool {known.name} for {folder} on {self._host.name} is off",
                        advice=f"start it first: tuivirt pool-start {known.name}@{self._host.name}",
                    )
                pool = self._host.pool(known.uuid)
                pool.create(0)
                return pool
        return None

    def _made(self, folder: str) -> Any:
        from ..xml.tree import lxml

        etree = lxml()
        root = etree.Element("pool", type="dir")
        etree.SubElement(root, "name").text = f"tuivirt-{uuid4().hex[:8]}"
        target = etree.SubElement(root, "target")
        etree.SubElement(target, "path").text = folder
        xml = etree.tostring(root, encoding="unicode")
        flags = libvirt.VIR_STORAGE_POOL_CREATE_WITH_BUILD
        return self._host.conn.storagePoolCreateXML(xml, flags)

    def close(self) -> None:
        """Stop what nobody else needs; a failure is kept in ``left``."""
        with self._state:
            self._closed = True
            opening = self._opening
        after = f"storage pools that were made on {self._host.name} for a time"
        if opening:
            self.left.append(f"{after} are stopped once libvirt answers for them")
            return
        if not self._used:
            return
        try:
            call_for_pool(self._release, f"the stop of {after}", "", None, None, LOOK_S)
        except Silent as error:
            self.left.append(str(error))

    def _release(self) -> None:
        with self._leases.lock:
            for folder in self._used:
                lease = self._leases.by_folder[folder]
                lease.users -= 1
                if lease.users:
                    continue
                del self._leases.by_folder[folder]
                try:
                    lease.pool.destroy()
                except libvirt.libvirtError as error:
                    self.left.append(
                        f"the storage pool for {folder} on {self._host.name} could not be stopped:"
                        f" {error.get_error_message() or error}"
                    )
            self._used.clear()


def _same(one: str, other: str) -> bool:
    return os.path.normpath(one) == os.path.normpath(other)


class Made:
    """The images that were made on the target, so that they can be removed again."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._paths: list[str] = []

    @property
    def paths(self) -> tuple[str, ...]:
        """Where they are."""
        return tuple(self._paths)

    def make(self, pool: Any, disk: DiskFacts, *, as_file: bool, overlay: bool) -> Any:
        """An empty image for a disk. Raises TuivirtError.

        ``as_file``: for a copy of the file, byte by byte. ``overlay``: it lies on the same
        backing file as the disk. Source: virStorageVolCreateXML.
        """
        from ..xml.tree import lxml

        etree = lxml()
        root = etree.Element("volume")
        name = disk.volume or os.path.basename(disk.path)
        etree.SubElement(root, "name").text = name
        size = disk.size_bytes if as_file else disk.capacity_bytes
        etree.SubElement(root, "capacity", unit="bytes").text = str(size or 0)
        etree.SubElement(root, "allocation", unit="bytes").text = "0"
        target = etree.SubElement(root, "target")
        form = "raw" if as_file else disk.format
        etree.SubElement(target, "format", type=form)
        if overlay and not as_file and disk.backing:
            backing = etree.SubElement(root, "backingStore")
            etree.SubElement(backing, "path").text = disk.backing[0]
            if disk.backing_format:
                # Without it the image would say that what it lies on is raw.
                etree.SubElement(backing, "format", type=disk.backing_format)
        try:
            volume = pool.createXML(etree.tostring(root, encoding="unicode"), 0)
        except libvirt.libvirtError as error:
            raise from_libvirt(
                error, f"cannot make the image {disk.path or name} on {self._host.name}"
            ) from error
        self._paths.append(str(volume.path()))
        return volume

    def remove(self) -> tuple[list[str], list[str]]:
        """Delete them: the paths that are gone, and of each that is not why, a clause."""
        gone: list[str] = []
        left: list[str] = []
        with Folders(self._host) as folders:
            while self._paths:
                path = self._paths.pop()
                try:
                    pool = folders.open(os.path.dirname(path), make=True)
                    assert pool is not None
                    pool.storageVolLookupByName(os.path.basename(path)).delete(0)
                except libvirt.libvirtError as error:
                    left.append(
                        f"{path} on {self._host.name} ({error.get_error_message() or error})"
                    )
                except TuivirtError as error:
                    left.append(f"{path} on {self._host.name} ({error})")
                else:
                    gone.append(path)
        left += folders.left
        return gone, left
