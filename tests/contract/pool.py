"""A pool of files, made for a test."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from tuivirt.backend.host import Host
from tuivirt.backend.lookups import volumes
from tuivirt.backend.storage import create


class TestPool:
    """A pool of files in a folder, for as long as a test lasts."""

    __test__ = False

    def __init__(self, host: Host, folder: Path) -> None:
        self.host = host
        self.folder = folder
        self.name = f"tuivirt-test-{uuid.uuid4().hex[:8]}"
        xml = (
            f"<pool type='dir'><name>{self.name}</name>"
            f"<target><path>{escape(str(folder))}</path></target></pool>"
        )
        self.handle = host.conn.storagePoolCreateXML(xml, 0)
        self.key = self.handle.UUIDString()

    def make(self, vol: str, capacity: str = "8M", **values: Any) -> Path:
        create.create(self.host, self.key, {"vol": vol, "capacity": capacity, **values})
        return self.folder / vol

    def users(self, vol: str) -> tuple[str, ...]:
        return next(each.users for each in volumes(self.host, self.key) if each.name == vol)

    def size(self, vol: str) -> int:
        return int(self.handle.storageVolLookupByName(vol).info()[1])

    def names(self) -> list[str]:
        return sorted(self.handle.listVolumes())

    def close(self) -> None:
        self.handle.destroy()
