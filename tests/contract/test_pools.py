"""Storage pools on a real libvirt: defined, built, filled, emptied, deleted, forgotten."""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.contract.cli import tuivirt
from tests.contract.conftest import Heard, Place, started
from tests.support.guests import Define, Disk
from tests.support.libvirtd import PrivateLibvirtd, until
from tests.support.needs import missing, need_programs, need_root
from tuivirt.actions.pool_making import sources_found
from tuivirt.backend.errors import Aborted, BadInput, NotFound, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.model.resources import Pool
from tuivirt.backend.storage import create, pools, remove, sources


@pytest.fixture
def name(host: Host) -> Iterator[str]:
    """A pool's name, and at the end no pool of it."""
    one = f"tuivirt-test-{uuid.uuid4().hex[:8]}"
    yield one
    try:
        handle = host.conn.storagePoolLookupByName(one)
        if handle.isActive():
            handle.destroy()
        handle.undefine()
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_POOL:
            raise


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[str]:
    """A block device of 64 MiB."""
    need_root()
    need_programs("losetup")
    backing = tmp_path / "disk"
    with backing.open("wb") as out:
        out.truncate(64 << 20)
    argv = ["losetup", "--find", "--show", str(backing)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        missing(f"no loop device: {done.stderr.strip()}")
    device = done.stdout.strip()
    yield device
    subprocess.run(["losetup", "--detach", device], check=True)


def define(host: Host, name: str, **values: Any) -> str:
    return pools.define(host, {"pool": name, **values})


def test_a_folder_is_made_into_a_pool_and_taken_away_again(
    host: Host, name: str, images: Path
) -> None:
    place = images / 'it\'s "new" 卷'
    values = {"target": str(place), "build": True, "start": True, "autostart": True}
    said = define(host, name, **values)
    assert said == f"pool {name} is defined, built, active, started with the host"
    pool = host.pool(name)
    assert (pool.isActive(), pool.autostart()) == (1, 1)
    create.create(host, name, {"vol": "a.img", "capacity": "1M"})
    assert (place / "a.img").exists()

    with pytest.raises(BadInput, match="is active"):
        pools.delete(host, name, force=True)
    with pytest.raises(BadInput, match="is active"):
        pools.undefine(host, name)
    pool.destroy()
    with pytest.raises(BadInput, match="gone for good"):
        pools.delete(host, name)
    with pytest.raises(TuivirtError, match="not empty") as told:
        pools.delete(host, name, force=True)
    assert "delete its volumes first" in told.value.advice
    assert (place / "a.img").exists()
    pool.create(0)
    remove.delete(host, name, {"vol": "a.img"})
    pool.destroy()
    pools.delete(host, name, force=True)
    assert not place.exists()
    assert pools.undefine(host, name) == f"pool {name} is undefined; what is in it stays"
    with pytest.raises(NotFound):
        host.pool(name)


def test_what_others_do_to_a_pool_is_known_by_events(
    host: Host, qemu_uri: str, name: str, images: Path
) -> None:
    """Nobody asks again: the slow pass that finds what was missed comes every minute."""

    def known(pool_uuid: str) -> Pool | None:
        return host.snapshot.pools.get(pool_uuid)

    place = f"<target><path>{images}</path></target>"
    other = libvirt.open(qemu_uri)
    try:
        pool = other.storagePoolDefineXML(f"<pool type='dir'><name>{name}</name>{place}</pool>", 0)
        key = pool.UUIDString()
        until(lambda: bool(known(key)), "the pool that was defined", timeout=10)
        one = known(key)
        assert one is not None
        assert (one.name, one.active, one.state) == (name, False, "inactive")
        pool.create(0)
        until(lambda: bool((now := known(key)) and now.active), "that it was started", timeout=10)
        one = known(key)
        assert one is not None
        assert one.capacity_bytes
        pool.destroy()
        until(
            lambda: bool((now := known(key)) and not now.active), "that it was stopped", timeout=10
        )
        pool.undefine()
        until(lambda: known(key) is None, "that it is gone", timeout=10)
    finally:
        other.close()


def test_what_fails_half_way_says_what_was_done(host: Host, name: str, images: Path) -> None:
    with pytest.raises(TuivirtError) as told:
        define(host, name, target=str(images / "not there"), start=True)
    assert told.value.done == f"pool {name} is defined"
    assert "pool-build" in told.value.advice
    with pytest.raises(BadInput, match=f"there is a pool {name} already"):
        define(host, name, target=str(images))
    pools.build(host, name, {})
    assert (images / "not there").is_dir()


def test_a_pool_in_which_a_domain_has_a_disk_is_not_deleted(
    host: Host, name: str, images: Path, define_guest: Define
) -> None:
    define(host, name, target=str(images / "p"), build=True)
    (images / "p" / "a.img").touch()
    guest = define_guest(memory_mib=32, disks=[Disk(images / "p" / "a.img")])
    plan = pools.plan_delete(host, name, {})
    assert guest.name in plan.of(Weight.REFUSED)[0].text
    with pytest.raises(BadInput, match=guest.name):
        pools.delete(host, name, force=True)
    assert guest.name in pools.undefine(host, name)
    assert (images / "p" / "a.img").exists()


@pytest.fixture
def define_guest(define: Define) -> Define:
    return define


def test_a_type_that_this_libvirt_was_built_without_is_told(host: Host, name: str) -> None:
    offered = host.conn.getStoragePoolCapabilities(0)
    lacking = [kind for kind in ("zfs", "sheepdog") if f"type='{kind}' supported='no'" in offered]
    if not lacking:
        missing("this libvirt has pools of every type")
    values = {"source_name": "x", "source_host": "h"} if lacking[0] != "zfs" else {}
    with pytest.raises(BadInput, match="has no pools of the type"):
        define(host, name, type=lacking[0], **(values or {"source_name": "tank"}))
    with pytest.raises(NotFound):
        host.pool(name)


def test_a_file_system_is_made_on_a_device_and_only_unasked_where_it_is_empty(
    host: Host, name: str, images: Path, loop: str
) -> None:
    need_programs("mkfs.ext4", "mount")
    place = images / "mounted"
    device = {"type": "fs", "source_dev": loop, "source_format": "ext4", "target": str(place)}
    with pytest.raises(TuivirtError, match="wrong fs type") as told:
        define(host, name, **device, build=True, start=True)
    assert told.value.done == f"pool {name} is defined, built"
    assert "--no-overwrite makes one" in told.value.advice
    pools.build(host, name, {"no_overwrite": True})
    host.pool(name).create(0)
    create.create(host, name, {"vol": "a.img", "capacity": "1M"})
    assert (place / "a.img").exists()
    pool = host.pool(name)
    pool.destroy()
    assert not (place / "a.img").exists()
    with pytest.raises(TuivirtError):
        pools.build(host, name, {"no_overwrite": True})
    with pytest.raises(BadInput, match="made anew: all that is on"):
        pools.build(host, name, {"overwrite": True})
    pool.create(0)
    assert "a.img" in pool.listVolumes()
    pool.destroy()
    pools.build(host, name, {"overwrite": True}, force=True)
    pool.create(0)
    left = pool.listVolumes()
    pool.destroy()
    assert left == ["lost+found"]


def test_a_volume_group_is_made_of_a_device(host: Host, name: str, loop: str) -> None:
    need_programs("vgcreate", "lvcreate")
    values = {"type": "logical", "source_dev": loop, "source_name": name}
    define(host, name, **values, build=True, start=True)
    try:
        if "device-mapper" not in Path("/proc/misc").read_text():
            # The kernel cannot show a volume; libvirt's reason is told, and nothing stays.
            with pytest.raises(TuivirtError, match="device-mapper"):
                create.create(host, name, {"vol": "one", "capacity": "8M"})
            assert host.pool(name).listVolumes() == []
            return
        create.create(host, name, {"vol": "one", "capacity": "8M"})
        assert host.pool(name).listVolumes() == ["one"]
        assert f"--source-name {name}" in sources.find_sources(host, "logical", "", "", "")
        remove.delete(host, name, {"vol": "one"})
    finally:
        host.pool(name).destroy()
        pools.delete(host, name, force=True)


def test_a_server_that_is_missing_is_asked_for(host: Host) -> None:
    with pytest.raises(BadInput, match="a server is missing"):
        sources.find_sources(host, "netfs", "", "", "")


def test_what_is_found_is_told_by_the_fields_of_a_new_pool(test_driver: Place) -> None:
    found = sources_found(test_driver.host, {"type": "netfs", "source_host": "nas:2049"})
    assert found
    for each in found:
        assert (each["source_host"], each["source_path"][:1]) == ("nas", "/")
        fields = {word: each[word] for word in ("source_host", "source_path", "source_format")}
        pools.check({"pool": "x", "type": "netfs", "target": "/x", **fields})
    said = sources.find_sources(test_driver.host, "netfs", "nas", "2049", "")
    assert said.splitlines()[0].startswith("--source-host nas  --source-path /")


_HANGS = """#!/bin/sh
: >{0}/begun
read go <{0}/gate
: >{0}/ended
"""
"""A program of the host's that hangs, until somebody opens its gate."""


def test_what_hangs_for_a_whole_pool_can_be_left_and_goes_on(tmp_path: Path) -> None:
    need_programs("showmount", "vgremove")
    os.mkfifo(tmp_path / "gate")
    names = ("/sbin/mkfs", "/sbin/vgremove", "/sbin/showmount")
    files = dict.fromkeys(names, _HANGS.format(shlex.quote(str(tmp_path))))
    (tmp_path / "device").write_bytes(bytes(1 << 20))
    with PrivateLibvirtd(files=files) as daemon:
        host = started(daemon.uri, Heard())

        def leave(verb: Callable[..., str], *args: Any, **options: Any) -> Aborted:
            """What is told when the verb is left once the host's program hangs."""
            aborted, said = threading.Event(), []

            def progress(text: str, _fraction: float | None) -> None:
                said.append(text)
                if (tmp_path / "begun").exists():
                    aborted.set()

            with pytest.raises(Aborted, match="no longer followed: it goes on") as told:
                verb(host, *args, **options, aborted=aborted, progress=progress)
            assert said
            assert host.conn.getHostname() == daemon.name  # It is not the host that hangs.
            (tmp_path / "gate").write_text("go on\n")
            until(lambda: (tmp_path / "ended").exists(), "the end of what went on")
            for each in ("begun", "ended"):
                (tmp_path / each).unlink()
            return told.value

        try:
            fs = {"type": "fs", "source_dev": str(tmp_path / "device"), "target": str(tmp_path)}
            told = leave(
                pools.define, {"pool": "fs", **fs, "build": True, "overwrite": True}, force=True
            )
            assert told.done == "pool fs is defined"
            assert "libvirt may not answer for its pools" in told.advice
            leave(pools.build, "fs", {"overwrite": True}, force=True)
            define(host, "group", type="logical")
            leave(pools.delete, "group", force=True)
            leave(sources.find_sources, "netfs", "nas.invalid", "", "")
        finally:
            host.close()


def test_the_verbs_are_there(host: Host, qemu_uri: str, name: str, images: Path) -> None:
    where = tuivirt("-c", qemu_uri, "list", "hosts", "-o", "json").json[0]["name"]

    def run(*words: str, status: int = 0) -> str:
        ran = tuivirt("-c", qemu_uri, *words)
        assert ran.status == status, ran.err
        return ran.out + ran.err

    target = str(images / "p")
    run("pool-define-as", where, name, "--target", target, "--build", "--start")
    assert host.pool(name).isActive()
    run("pool-undefine", name, status=1)
    run("pool-destroy", name)
    assert "gone for good" in run("pool-delete", name, status=1)
    run("pool-delete", name, "--force")
    run("pool-undefine", name)
    assert not Path(target).exists()


def test_the_demo_defines_and_forgets_pools_too(demo: Place) -> None:
    host = demo.host
    values = {"target": "/somewhere", "build": True, "start": True}
    assert define(host, "another", **values) == "pool another is defined, built, active"
    host.pool("another").destroy()
    pools.undefine(host, "another")
    with pytest.raises(NotFound):
        host.pool("another")
