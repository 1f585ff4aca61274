"""Block jobs that must not begin, or whose beginning nobody saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.contract.conftest import Heard, started
from tests.support.guests import Define, Disk, Guest, domain_xml, make_image, unique_name
from tests.support.libvirtd import PrivateLibvirtd
from tests.support.writer import filled_image, overlay
from tuivirt.backend.block_jobs import control, copy
from tuivirt.backend.block_jobs.journal import begun_of
from tuivirt.backend.block_jobs.read import chains_of
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.host import Host


def test_a_shallow_copy_goes_only_to_what_lies_on_the_same_image(
    host: Host, define: Define, images: Path
) -> None:
    base = filled_image(images / "base.qcow2", 4)
    other = filled_image(images / "other.qcow2", 4, seed=2)
    disk = Disk(overlay(images / "top.qcow2", base), form="qcow2")
    guest = define(disks=[disk], memory_mib=32, kernel=False)
    guest.start()
    alone = make_image(images / "alone.qcow2", "4M", "qcow2")
    wrong = overlay(images / "wrong.qcow2", other)
    (images / "link.qcow2").symlink_to(base)
    right = overlay(images / "right.qcow2", images / "link.qcow2")
    values: dict[str, Any] = {"path": "vda", "shallow": True, "reuse_external": True}
    for dest, why in ((wrong, f"{wrong} lies on {other}"), (alone, f"{alone} stands alone")):
        with pytest.raises(BadInput, match=f"{why}, and vda lies on {base}"):
            copy.copy(host, guest.uuid, {**values, "dest": str(dest), "pivot": True}, force=True)
    copy.copy(host, guest.uuid, {**values, "dest": str(right), "pivot": True}, force=True)
    assert chains_of(guest.domain)["vda"].source == str(right)


def test_a_connection_that_breaks_as_a_job_is_begun_is_the_error_that_is_told(
    private_libvirtd: PrivateLibvirtd, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(filled_image(images / "one.qcow2", 4), form="qcow2")
    xml = domain_xml(unique_name(), disks=[disk], memory_mib=32, kernel=False)
    with Guest.define(private_libvirtd.uri, xml) as guest:
        guest.start()
        host = started(private_libvirtd.uri, Heard())
        real = libvirt.virDomain.blockCopy

        def killed(*args: Any) -> Any:
            private_libvirtd.kill()
            return real(*args)

        monkeypatch.setattr(libvirt.virDomain, "blockCopy", killed)
        try:
            with pytest.raises(TuivirtError, match="cannot copy vda of") as caught:
                copy.copy(host, guest.uuid, {"path": "vda", "dest": str(images / "two.qcow2")})
            assert f"tuivirt blockjob {guest.name} vda" in caught.value.advice
        finally:
            host.close()
            private_libvirtd.start()
            guest.reconnect()
        # It may have begun: what was written down is there still.
        assert [each.kind for each in begun_of(guest.domain)] == ["copy"]


def test_a_job_that_libvirt_refuses_leaves_nothing_written_down(
    host: Host, define: Define, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(filled_image(images / "one.qcow2", 4), form="qcow2")
    guest = define(disks=[disk], memory_mib=32, kernel=False)
    guest.start()

    def refused(*_args: Any) -> None:
        raise libvirt.libvirtError("no such thing")

    monkeypatch.setattr(libvirt.virDomain, "blockCopy", refused)
    with pytest.raises(TuivirtError, match="cannot copy"):
        copy.copy(host, guest.uuid, {"path": "vda", "dest": str(images / "two.qcow2")})
    assert begun_of(guest.domain) == ()
    assert control.report(host, guest.uuid) == f"no block job runs on {guest.name}"
