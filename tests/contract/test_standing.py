"""A guest that fills what its images lie on: told, with the way out, and nothing of it is lost."""

from __future__ import annotations

import re
from pathlib import Path

import libvirt

from tests.contract.conftest import Heard, started
from tests.support.guests import Define, Disk, make_image
from tests.support.small import enlarge
from tests.support.writer import is_whole
from tuivirt.backend import lifecycle
from tuivirt.backend.host import Host
from tuivirt.backend.snapshots import make
from tuivirt.backend.snapshots.read import snapshots_of


def test_one_whose_overlay_cannot_grow_is_told_of_and_goes_on_where_it_stopped(
    qemu_uri: str, small: Path, define: Define
) -> None:
    disk = Disk(make_image(small / "one.qcow2", "32M", "qcow2"), form="qcow2")
    guest = define(disks=[disk])
    shell = guest.boot()
    heard = Heard()
    host = started(qemu_uri, heard)
    try:
        make.create(host, guest.uuid, {"name_": "a", "kind": "external"})
        overlay = small / "one.a"
        assert overlay.exists()
        shell.run("dd if=/dev/urandom of=/big bs=1M count=9 2>/dev/null")
        kept = digest(shell.run("md5sum </big"))
        shell.send("dd if=/big of=/dev/vda bs=64k conv=fsync 2>/dev/null; echo written $?\n")
        full = f"{guest.name} stands still: no room is left for {overlay} (vda)."
        assert "Make room there, then resume it" in heard.notice(full)
        assert guest.domain.state(0) == [
            libvirt.VIR_DOMAIN_PAUSED,
            libvirt.VIR_DOMAIN_PAUSED_IOERROR,
        ]
        # Whoever comes now is told as well.
        later = Heard()
        other = Host("there", qemu_uri, publish=later)
        other.start()
        try:
            assert "Make room there, then resume it" in later.notice(full)
        finally:
            other.close()
        enlarge(small, "64m")
        lifecycle.resume(host, guest.uuid)
        shell.expect("written 0")
        shell.run("echo 3 >/proc/sys/vm/drop_caches")
        assert digest(shell.run("dd if=/dev/vda bs=1M count=9 2>/dev/null | md5sum")) == kept
        guest.destroy()
        assert is_whole(overlay)
        assert [each.name for each in snapshots_of(host, guest.uuid)] == ["a"]
    finally:
        host.close()


def digest(said: str) -> str:
    found = re.search(r"\b[0-9a-f]{32}\b", said)
    assert found, said
    return found[0]
