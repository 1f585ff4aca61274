"""Block jobs of real guests that write meanwhile: copied, committed, pulled, aborted."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.contract.cli import tuivirt
from tests.contract.pool import TestPool
from tests.support.guests import Define, Disk, Guest, make_image
from tests.support.libvirtd import until
from tests.support.writer import Writer, filled_image, is_whole, overlay
from tuivirt.backend.block_jobs import commit, control, copy, pull
from tuivirt.backend.block_jobs.read import chains_of, jobs_of
from tuivirt.backend.errors import Aborted, BadInput, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.storage.place import Place, seen

SLOW = {"bandwidth": 1}
"""MiB/s: what a test can look at while it lasts."""


@pytest.fixture
def filled(define: Define, images: Path) -> Guest:
    """A guest with a disk of 24 MiB that are in use, off."""
    return define(disks=[Disk(filled_image(images / "one.qcow2"), form="qcow2")])


@pytest.fixture
def stacked(define: Define, images: Path) -> Guest:
    """A guest whose disk is top on mid on base, off."""
    return define(disks=[Disk(stack(images), form="qcow2")])


def stack(images: Path) -> Path:
    base = filled_image(images / "base.qcow2")
    return overlay(images / "top.qcow2", overlay(images / "mid.qcow2", base))


def source(guest: Guest, *, saved: bool = False) -> str:
    return chains_of(guest.domain, saved=saved)["vda"].source


def begun(guest: Guest) -> bool:
    return bool(jobs_of(guest.domain))


class Behind:
    """A verb on a thread of its own, once its job has begun."""

    def __init__(self, guest: Guest, call: Callable[[threading.Event], str]) -> None:
        self.aborted = threading.Event()
        self.error: BaseException | None = None
        self.said = ""

        def work() -> None:
            try:
                self.said = call(self.aborted)
            except BaseException as error:
                self.error = error

        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()
        until(lambda: begun(guest) or not self._thread.is_alive(), "the job begins")
        assert self.error is None, self.error

    def end(self) -> str:
        self._thread.join(60)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.said


def test_a_disk_is_copied_under_load_and_the_guest_goes_over(
    host: Host, filled: Guest, images: Path
) -> None:
    shell, old, new = filled.boot(), images / "one.qcow2", images / "two.qcow2"
    writer = Writer(shell)
    told: list[tuple[str, float | None]] = []
    said = copy.copy(
        host,
        filled.uuid,
        {"path": "vda", "dest": str(new), "pivot": True, "bandwidth": 20},
        progress=lambda text, fraction: told.append((text, fraction)),
    )
    assert said == (
        f"vda of {filled.name} is on {new}, now and at its next start; {old} is left as it was"
    )
    assert (source(filled), source(filled, saved=True)) == (str(new), str(new))
    assert any(text.startswith(f"copying vda to {new}: ") and part for text, part in told)
    assert control.report(host, filled.uuid) == f"no block job runs on {filled.name}"
    assert writer.stop() > 0
    filled.destroy()
    assert is_whole(old)
    assert is_whole(new)


def test_a_copy_goes_to_a_pool_by_its_name_and_is_a_volume_there(
    host: Host, filled: Guest, pool: TestPool
) -> None:
    filled.start()
    values = {"path": "vda", "dest": f"{pool.name}/two.qcow2", "finish": True}
    said = copy.copy(host, filled.uuid, values)
    assert said.startswith(f"{pool.folder}/two.qcow2 is a copy of vda")
    assert said.endswith(f"; it is in pool {pool.name}")
    assert "two.qcow2" in pool.names()
    for dest, why in (
        (f"{pool.name}/two.qcow2", "is there already"),
        ("no-such-pool/x", "no-such-pool"),
        (f"{pool.name}/a/b", "no slash"),
    ):
        with pytest.raises(TuivirtError, match=why):
            copy.copy(host, filled.uuid, {**values, "dest": dest})
    assert is_whole(pool.folder / "two.qcow2")


def test_a_pool_that_stops_as_it_is_to_show_a_copy_is_told_to_be_off(
    host: Host, images: Path
) -> None:
    folder = images / "gone"
    folder.mkdir()
    pool = TestPool(host, folder)
    place = Place(str(folder / "x"), pool=pool.handle)
    folder.rmdir()  # As a server that is lost: libvirt stops what it cannot refresh.
    said = seen(host, place)
    assert said.startswith(f"; pool {pool.name} does not show it: ")
    assert said.endswith(f"; libvirt has stopped pool {pool.name}, and forgotten it, as it was "
                         "transient")  # fmt: skip
    xml = f"<pool type='dir'><name>{pool.name}</name><target><path>{folder}</path></target></pool>"
    lasting = host.conn.storagePoolDefineXML(xml, 0)
    try:
        folder.mkdir()
        lasting.create(0)
        folder.rmdir()
        assert seen(host, Place(place.path, pool=lasting)).endswith(
            f"; pool {pool.name} is off now: libvirt has stopped it (once that is mended: "
            f"tuivirt pool-start {pool.name})"
        )
    finally:
        lasting.undefine()


def test_a_copy_is_kept_equal_until_it_is_said_how_it_ends(
    host: Host, filled: Guest, images: Path
) -> None:
    shell, new = filled.boot(), images / "two.raw"
    values = {"path": "vda", "dest": str(new), "format": "raw"}
    said = copy.copy(host, filled.uuid, values)
    assert f"tuivirt blockjob {filled.name} vda --pivot" in said
    report = control.report(host, filled.uuid)
    assert report.startswith(f"vda: copy to {new}, both are equal")
    with pytest.raises(BadInput, match="a copy runs on vda already"):
        copy.copy(host, filled.uuid, {**values, "dest": str(images / "three")})
    Writer(shell).stop()
    assert control.set_bandwidth(host, filled.uuid, "vda", 50).endswith("50 MiB/s at most")
    said = control.abort(host, filled.uuid, "vda")
    assert said.endswith(f"the guest stays, and {new} is a copy as of then")
    assert source(filled) == str(images / "one.qcow2")
    whole = images / "whole.raw"
    filled.destroy()
    argv = ["qemu-img", "convert", "-O", "raw", str(images / "one.qcow2"), str(whole)]
    subprocess.run(argv, check=True)
    assert whole.read_bytes() == new.read_bytes()


def test_an_aborted_copy_leaves_the_guest_where_it_was_and_its_file_is_remembered(
    host: Host, filled: Guest, images: Path
) -> None:
    filled.start()
    new = images / "two.qcow2"
    values = {"path": "vda", "dest": str(new), **SLOW}
    job = Behind(filled, lambda aborted: copy.copy(host, filled.uuid, values, aborted=aborted))
    assert "vda: copy to " in control.report(host, filled.uuid, "vda")
    assert "at most 1 MiB/s" in control.report(host, filled.uuid)
    with pytest.raises(BadInput, match="the copy on vda is not ready"):
        control.pivot(host, filled.uuid, "vda")
    job.aborted.set()
    with pytest.raises(Aborted, match=f"vda stays on .*; {new} is left, and not complete"):
        job.end()
    assert source(filled) == str(images / "one.qcow2")
    assert f"{new} is not complete" in control.report(host, filled.uuid)
    with pytest.raises(BadInput, match="is there already"):
        copy.copy(host, filled.uuid, values)
    values = {"path": "vda", "dest": str(new), "reuse_external": True, "finish": True}
    with pytest.raises(BadInput, match=f"what is in {new} now is overwritten"):
        copy.copy(host, filled.uuid, values)
    assert copy.copy(host, filled.uuid, values, force=True).startswith(f"{new} is a copy of vda")
    assert control.report(host, filled.uuid) == f"no block job runs on {filled.name}"


def test_overlays_are_committed_in_the_middle_and_from_the_top_under_load(
    host: Host, stacked: Guest, images: Path
) -> None:
    top, mid, base = (images / f"{name}.qcow2" for name in ("top", "mid", "base"))
    shell = stacked.boot()
    writer = Writer(shell)
    plan = commit.plan_for(host, stacked.uuid, {"path": "vda", "top": str(mid)})
    assert plan.steps[1:] == (
        f"vda of {stacked.name} is now {top} on {mid} on {base}.",
        f"It is then {top} on {base}.",
    )
    values: dict[str, Any] = {"path": "vda", "top": str(mid), "base": str(base), "delete": True}
    said = commit.commit(host, stacked.uuid, values)
    assert said.endswith(f"vda of {stacked.name} is on {top} on {base}; {mid} is deleted")
    assert not mid.exists()
    said = commit.commit(host, stacked.uuid, {"path": "vda", "pivot": True})
    assert f"is on {base}, now and at its next start; nothing needs {top}" in said
    assert writer.stop() > 0
    stacked.destroy()
    assert source(stacked) == str(base)
    assert is_whole(base)


def test_a_disk_is_pulled_together_and_an_abort_changes_nothing(
    host: Host, stacked: Guest, images: Path
) -> None:
    top, mid, base = (str(images / f"{name}.qcow2") for name in ("top", "mid", "base"))
    shell = stacked.boot()
    writer = Writer(shell)
    values = {"path": "vda", **SLOW}
    job = Behind(stacked, lambda aborted: pull.pull(host, stacked.uuid, values, aborted=aborted))
    job.aborted.set()
    with pytest.raises(Aborted, match="as before, all of which it still needs"):
        job.end()
    assert chains_of(stacked.domain)["vda"].paths == (top, mid, base)
    said = pull.pull(host, stacked.uuid, {"path": "vda", "base": base})
    assert said == f"vda of {stacked.name} is {top} on {base}; it needs {mid} no more"
    said = pull.pull(host, stacked.uuid, {"path": "vda"})
    assert said == f"vda of {stacked.name} is {top}; it needs {base} no more"
    assert writer.stop() > 0


def test_nothing_is_written_into_an_image_that_another_domain_lies_on(
    host: Host, stacked: Guest, define: Define, images: Path
) -> None:
    other = define(disks=[Disk(overlay(images / "o.qcow2", images / "base.qcow2"), form="qcow2")])
    overlay(images / "nobodys.qcow2", images / "mid.qcow2")
    stacked.start()
    before = chains_of(stacked.domain)
    with pytest.raises(BadInput, match=f"and {other.name} lies on it"):
        commit.commit(host, stacked.uuid, {"path": "vda", "pivot": True}, force=True)
    values: dict[str, Any] = {"path": "vda", "shallow": True, "pivot": True}
    with pytest.raises(BadInput, match=r"the image .*/nobodys.qcow2 lies on it"):
        commit.commit(host, stacked.uuid, values)
    assert chains_of(stacked.domain) == before
    assert not begun(stacked)


def test_what_cannot_be_is_refused_with_the_reason(
    host: Host, define: Define, images: Path
) -> None:
    raw = make_image(images / "raw.img", "1M")
    guest = define(disks=[Disk(raw)], memory_mib=64)
    one: dict[str, Any] = {"path": "vda"}
    with pytest.raises(BadInput, match="is off: block jobs"):
        commit.commit(host, guest.uuid, one)
    guest.start()
    new = str(images / "new")
    refused: list[tuple[Any, dict[str, Any], str]] = [
        (commit.commit, one, "no backing file: a raw image never has one"),
        (pull.pull, one, "no backing file"),
        (pull.pull, {"path": "vdz"}, "has no disk 'vdz'"),
        (copy.copy, {**one, "dest": str(raw)}, "is what vda lies on"),
        (copy.copy, {**one, "dest": f"{images}/no/x"}, "there is no folder"),
        (copy.copy, {**one, "dest": "/etc/x"}, "lies in /etc"),
        (copy.copy, {**one, "dest": "x"}, "no absolute path"),
        (copy.copy, {**one, "dest": new, "reuse_external": True}, "there is no file"),
        (copy.copy, {**one, "dest": new, "shallow": True}, "a raw image cannot lie on another"),
        (copy.copy, {**one, "dest": new, "pivot": True, "finish": True}, "exclude one another"),
    ]
    for verb, values, why in refused:
        with pytest.raises(BadInput, match=why):
            verb(host, guest.uuid, values, force=True)
    assert not begun(guest)
    with pytest.raises(BadInput, match="no block job runs on vda"):
        control.abort(host, guest.uuid, "vda")


def test_a_job_that_somebody_else_has_begun_is_shown_and_ended(
    host: Host, filled: Guest, qemu_uri: str, images: Path
) -> None:
    filled.start()
    theirs, new = libvirt.open(qemu_uri), images / "theirs.qcow2"
    xml = f"<disk type='file'><source file='{new}'/><driver type='qcow2'/></disk>"
    flags = libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB
    params = {libvirt.VIR_DOMAIN_BLOCK_COPY_BANDWIDTH: 1 << 20}
    theirs.lookupByUUIDString(filled.uuid).blockCopy("vda", xml, params, flags)
    theirs.close()
    shown = tuivirt("-c", qemu_uri, "--readonly", "blockjob", filled.name)
    assert shown.out.startswith(f"vda: copy to {new}, ")
    refused = tuivirt("-c", qemu_uri, "--readonly", "blockjob", filled.name, "--abort")
    assert refused.status == 1
    with pytest.raises(BadInput, match="a copy runs on vda already"):
        pull.pull(host, filled.uuid, {"path": "vda"})
    ended = tuivirt("-c", qemu_uri, "blockjob", filled.name, "vda", "--abort")
    assert f"{new} is left, and not complete" in ended.out
    assert not begun(filled)
