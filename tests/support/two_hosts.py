"""Two real daemons with storage of their own, as hosts ``near`` and ``far`` of the settings."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import libvirt

from tests.support.guests import UNDEFINE, Disk, Guest, domain_xml, make_sleeper
from tests.support.libvirtd import PrivateLibvirtd, revive_private

IMAGES = "/var/lib/libvirt/images"
"""The same path in each daemon's own folder: storage that is not shared."""
BY = ("--migrateuri", "tcp://127.0.0.1")
"""The way from one daemon to the other on this machine."""


class TwoHosts:
    """Both daemons may be ill-treated; guests end with them. A context manager."""

    def __init__(self, *, far_files: Mapping[str, str] | None = None) -> None:
        """``far_files`` are seen by the far one in the place of the machine's own, by path."""
        with ExitStack() as stack:
            self.near = stack.enter_context(PrivateLibvirtd("near"))
            self.far = stack.enter_context(PrivateLibvirtd("far", files=far_files))
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="two-", dir="/tmp"))
            for daemon in (self.near, self.far):
                self.image(daemon, "").mkdir()
            self._stack = stack.pop_all()
        file = Path(folder) / "tuivirt" / "config.toml"
        file.parent.mkdir()
        file.write_text(
            f'[[hosts]]\nname = "near"\nuri = "{self.near.uri}"\n'
            f'[[hosts]]\nname = "far"\nuri = "{self.far.uri}"\n'
        )
        self.env = {"XDG_CONFIG_HOME": folder}
        """What tuivirt has to be run with, to have both as its hosts."""

    def image(self, daemon: PrivateLibvirtd, name: str) -> Path:
        """A file of a daemon's image folder, as this machine sees it."""
        return daemon.folder / "lib" / "images" / name

    def idle(
        self, daemon: PrivateLibvirtd, name: str, *, fill_mib: int = 0, **options: Any
    ) -> Guest:
        """A guest without an operating system, that is off.

        ``fill_mib`` of its disk cannot be compressed: at 1 MiB/s it is copied for so many seconds.
        """
        path = make_sleeper(self.image(daemon, f"{name}.img"))
        with path.open("ab") as file:
            for _ in range(fill_mib):
                file.write(os.urandom(1 << 20))
        given = {"memory_mib": 32, "kernel": False, "disks": [Disk(Path(IMAGES, path.name))]}
        return Guest.define(daemon.uri, domain_xml(name, **{**given, **options}))

    def clear(self) -> None:
        """End and undefine all guests on both, their images, networks and pools too."""
        revive_private()  # One that crashed keeps them, and the next test would find them there.
        for daemon in (self.near, self.far):
            conn = libvirt.open(daemon.uri)
            lists = (conn.listAllDomains(), conn.listAllNetworks(), conn.listAllStoragePools())
            for each in (thing for things in lists for thing in things):
                kept = each.isPersistent()
                if each.isActive():
                    each.destroy()
                if kept:
                    each.undefineFlags(UNDEFINE) if each in lists[0] else each.undefine()
            conn.close()
            for image in self.image(daemon, "").iterdir():
                image.unlink()

    def close(self) -> None:
        """End both."""
        self._stack.close()

    def __enter__(self) -> TwoHosts:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
