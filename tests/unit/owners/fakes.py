"""Hosts that tell of domains, pools and volumes without a libvirt."""

from __future__ import annotations

import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import libvirt

from tuivirt.backend.lanes import Lane
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.resources import Pool
from tuivirt.backend.owners import Finder


def gone(code: int = libvirt.VIR_ERR_NO_STORAGE_VOL) -> libvirt.libvirtError:
    error = libvirt.libvirtError("gone")
    error.err = (code, 0, "gone", 0, "", None, None, 0, 0)
    return error


def disk(source: str, form: str = "raw", more: str = "", kind: str = "file") -> str:
    word = {"file": "file", "block": "dev"}.get(kind, "name")
    return (
        f"<disk type='{kind}'><driver type='{form}'/><source {word}='{source}'/>{more}"
        "<target dev='vda'/></disk>"
    )


def record(
    name: str, kept: str, over: str = "", memory: str = "", form: str = "qcow2", more: str = ""
) -> str:
    """A snapshot of vda: external with an image ``over`` what it kept, else internal."""
    kind = "external" if over else "internal"
    since = f"<source file='{over}'/><driver type='qcow2'/>" if over else ""
    took = f"<memory snapshot='external' file='{memory}'/>" if memory else ""
    return (
        f"<domainsnapshot><name>{name}</name>{took}<disks>"
        f"<disk name='vda' snapshot='{kind}' type='file'>{since}</disk>"
        "<disk name='vdb' snapshot='no'/></disks>"
        f"<domain><devices>{disk(kept, form, more)}</devices></domain></domainsnapshot>"
    )


class Domain:
    def __init__(
        self,
        name: str,
        off: str = "",
        live: str = "",
        saved: bool = False,
        snapshots: tuple[str, ...] = (),
    ) -> None:
        self._name, self._off, self._live, self._saved = name, off, live, saved
        self.snapshots = snapshots
        """The record of each."""
        self.listed = 0

    def name(self) -> str:
        return self._name

    def UUIDString(self) -> str:
        return f"uuid of {self._name}"

    def isActive(self) -> bool:
        return bool(self._live)

    def isPersistent(self) -> bool:
        return True

    def hasManagedSaveImage(self, _flags: int) -> int:
        return int(self._saved)

    def listAllSnapshots(self, _flags: int) -> list[Any]:
        self.listed += 1
        return [SimpleNamespace(getXMLDesc=lambda _f, xml=xml: xml) for xml in self.snapshots]

    def XMLDesc(self, flags: int) -> str:
        devices = self._off if flags or not self._live else self._live
        return f"<domain><name>{self._name}</name><devices>{devices}</devices></domain>"


class PoolHandle:
    """A pool as libvirt has it; ``volumes``: by name the path, and what it lies on."""

    def __init__(
        self,
        name: str,
        kind: str,
        path: str,
        volumes: Mapping[str, tuple[str, str]],
        more: str = "",
    ) -> None:
        self._name, self._kind, self._path, self._more = name, kind, path, more
        self.volumes = volumes
        self.refused: libvirt.libvirtError | None = None
        self.active = True

    def name(self) -> str:
        return self._name

    def isActive(self) -> bool:
        return self.active

    def XMLDesc(self, _flags: int) -> str:
        return (
            f"<pool type='{self._kind}'><name>{self._name}</name><uuid>{self._name}</uuid>"
            f"<source>{self._more}</source><target><path>{self._path}</path></target></pool>"
        )

    def refresh(self, _flags: int) -> None:
        if self.refused is not None:
            raise self.refused

    def listAllVolumes(self, _flags: int) -> list[Any]:
        return [_volume(name, *each) for name, each in self.volumes.items()]


def _volume(name: str, path: str, below: str) -> Any:
    xml = f"<volume><name>{name}</name><key>{path}</key><target><path>{path}</path></target>"
    xml += f"<backingStore><path>{below}</path></backingStore>" if below else ""
    return SimpleNamespace(
        name=lambda: name, key=lambda: path, path=lambda: path, XMLDesc=lambda _f: xml + "</volume>"
    )


class Conn:
    def __init__(self, domains: tuple[Domain, ...], pools: tuple[PoolHandle, ...]) -> None:
        self.domains, self.pools = domains, pools
        self.waits: threading.Event | None = None

    def listAllDomains(self, flags: int) -> list[Domain]:
        if self.waits is not None:
            self.waits.wait(30)
        sorts = flags == libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT
        return [each for each in self.domains if each.snapshots or not sorts]

    def listAllStoragePools(self, _flags: int) -> list[PoolHandle]:
        return list(self.pools)

    def storageVolLookupByPath(self, path: str) -> Any:
        for pool in self.pools:
            for name, (place, below) in pool.volumes.items():
                if place == path:
                    return _volume(name, place, below)
        raise gone()

    def getLibVersion(self) -> int:
        return 9000000


class FakeHost:
    def __init__(
        self,
        name: str,
        *domains: Domain,
        local: bool = False,
        pools: tuple[PoolHandle, ...] = (),
        known: tuple[Pool, ...] = (),
        link: Link = Link.CONNECTED,
    ) -> None:
        self.name, self.uri, self.conn = name, f"qemu+ssh://{name}/system", Conn(domains, pools)
        info = SimpleNamespace(local=local, demo=False)
        self.snapshot = SimpleNamespace(
            info=info, link=link, pools={each.name: each for each in known}
        )
        self.answers = Lane(f"{name}-answers", 4)
        self.beside: tuple[Any, ...] = ()
        self.ended: dict[str, dict[str, Pool]] = {}

    def started(self) -> tuple[Any, ...]:
        return (self, *self.beside)


def pool(kind: str, path: str, source: str = "", name: str = "p") -> Pool:
    return Pool("h", name, name, "running", True, False, True, kind, path, source)


def owners(host: Any, path: str) -> tuple[str, ...]:
    """Who has an image, a phrase each."""
    return Finder(host, overlays=False).of(path).phrases


def overlay(path: Path, below: str) -> Path:
    name = below.encode()
    path.write_bytes(struct.pack(">4sIQI", b"QFI\xfb", 3, 512, len(name)).ljust(512) + name)
    return path
