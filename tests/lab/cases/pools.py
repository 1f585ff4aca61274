"""Pools of which this machine's own kernel knows nothing, made and used on one that does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.case import case
from tests.lab.cases.sharing import a_host
from tests.lab.storage import (
    MIB,
    PLACE,
    a_guest_with,
    begins_with,
    forgotten,
    loop,
    output,
    pattern,
    scsi_adapter,
    scsi_disk,
)
from tests.support.libvirtd import until
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.owners.within import domains_within
from tuivirt.backend.storage import create, download, pools, remove, resize, upload
from tuivirt.backend.storage.sources import find_sources


def define(host: Host, name: str, kind: str, **values: object) -> None:
    done = pools.define(host, {"pool": name, "type": kind, "start": True, **values})
    assert done.endswith("active")


def volumes(host: Host, name: str) -> dict[str, int]:
    """What libvirt tells of the pool's volumes: their capacities by name."""
    return {each.name(): each.info()[1] for each in host.pool(name).listAllVolumes(0)}


def brings_back(host: Host, pool: str, volume: str, sent: Path) -> None:
    """What is uploaded into a volume is what is downloaded from it."""
    upload.upload(host, pool, {"vol": volume, "file": str(sent)}, force=True)
    back = PLACE / "back"
    values = {"vol": volume, "file": str(back), "length": str(sent.stat().st_size)}
    download.download(host, pool, values, force=True)
    assert back.read_bytes() == sent.read_bytes()


@case(on=("none",), limit_s=400)
def a_volume_group_is_made_filled_kept_from_its_user_and_taken_away() -> None:
    output("modprobe", "dm_mod")
    with loop("physical", 64) as device, forgotten("lab vg"), a_host() as host:
        made = {"source_dev": device, "source_name": "lab-vg"}
        define(host, "lab vg", "logical", **made, build=True)
        found = find_sources(host, "logical", "", "", "")
        assert f"--source-dev {device}  --source-name lab-vg" in found
        create.create(host, "lab vg", {"vol": "one", "capacity": "8M"})
        sent = pattern("sent", MIB)
        brings_back(host, "lab vg", "one", sent)
        create.clone(host, "lab vg", {"vol": "one", "newname": "two"})
        assert begins_with(Path("/dev/lab-vg/two"), sent)
        assert volumes(host, "lab vg") == {"one": 8 * MIB, "two": 8 * MIB}
        # libvirt 9.0 makes partitions and logical volumes, and resizes none.
        with pytest.raises(TuivirtError, match="changing of volume capacity") as told:
            resize.resize(host, "lab vg", {"vol": "one", "capacity": "12M"})
        assert "lvextend" in told.value.advice
        output("lvextend", "--size", "12M", "lab-vg/one")
        host.pool("lab vg").refresh(0)
        assert volumes(host, "lab vg")["one"] == 12 * MIB
        # The kernel's own name for it, which is neither the volume's path nor the volume group's.
        with a_guest_with("/dev/mapper/lab--vg-one") as name:
            for verb in (remove.delete, remove.wipe):
                with pytest.raises(BadInput, match=name):
                    verb(host, "lab vg", {"vol": "one"}, force=True)
            assert domains_within(host, host.pool("lab vg")).domains == (name,)
        remove.delete(host, "lab vg", {"vol": "one"}, force=True)
        assert volumes(host, "lab vg") == {"two": 8 * MIB}
        host.pool("lab vg").destroy()
        with pytest.raises(BadInput, match="gone for good"):
            pools.delete(host, "lab vg")
        pools.delete(host, "lab vg", force=True)
        assert output("vgs", "--noheadings") == ""


@case(on=("none",), limit_s=400)
def a_disks_partitions_are_made_and_its_table_is_not_while_a_guest_has_one() -> None:
    disk = scsi_disk()
    first, second = (f"{Path(disk).name}{number}" for number in (1, 2))
    with forgotten("lab disk"), a_host() as host:
        define(host, "lab disk", "disk", source_dev=disk, source_format="gpt", build=True)
        try:
            with pytest.raises(TuivirtError, match=f"expected '{first}'") as told:
                create.create(host, "lab disk", {"vol": "mine", "capacity": "8M"})
            assert "by the name that is expected" in told.value.advice
            for name in (first, second):
                create.create(host, "lab disk", {"vol": name, "capacity": "8M"})
            assert output("blockdev", "--getsize64", f"/dev/{second}") == str(8 * MIB)
            with a_guest_with(f"/dev/{first}") as name:
                with pytest.raises(BadInput, match=name):
                    remove.delete(host, "lab disk", {"vol": first}, force=True)
                remove.delete(host, "lab disk", {"vol": second}, force=True)
                host.pool("lab disk").destroy()
                with pytest.raises(BadInput, match=name):
                    pools.build(host, "lab disk", {"overwrite": True}, force=True)
                again = {"pool": "lab disk 2", "type": "disk", "source_dev": disk, "build": True}
                with pytest.raises(BadInput, match=name):
                    pools.define(host, {**again, "overwrite": True}, force=True)
            assert Path(f"/dev/{first}").exists()
            with pytest.raises(TuivirtError, match="already"):
                pools.build(host, "lab disk", {"no_overwrite": True})
            pools.build(host, "lab disk", {"overwrite": True}, force=True)
            host.pool("lab disk").create(0)
            assert volumes(host, "lab disk") == {}
        finally:
            output("wipefs", "--all", disk)


@case(on=("none",), limit_s=400)
def what_a_server_exports_is_found_mounted_filled_and_read_back() -> None:
    exported, mounted = Path("/run/lab-exported"), PLACE / "mounted"
    output("modprobe", "nfsd")
    with loop("exported", 32) as device, forgotten("lab fs", "lab nfs"), a_host() as host:
        files = {"source_dev": device, "source_format": "ext4", "target": str(exported)}
        define(host, "lab fs", "fs", **files, build=True, no_overwrite=True)
        serve(exported)
        try:
            found = find_sources(host, "netfs", "127.0.0.1", "", "")
            assert f"--source-host 127.0.0.1  --source-path {exported}" in found
            server = {"source_host": "127.0.0.1", "source_path": str(exported)}
            there = {"source_format": "nfs", "target": str(mounted)}
            define(host, "lab nfs", "netfs", **server, **there, build=True)
            create.create(host, "lab nfs", {"vol": "one.img", "capacity": "2M"})
            brings_back(host, "lab nfs", "one.img", pattern("sent", MIB))
            assert (exported / "one.img").stat().st_size == 2 * MIB
            remove.delete(host, "lab nfs", {"vol": "one.img"}, force=True)
            assert not (exported / "one.img").exists()
            host.pool("lab nfs").destroy()
        finally:
            serve(None)


def serve(folder: Path | None) -> None:
    """Export a folder to this host by NFS, version 4 without its time of grace; None: no more."""
    if folder is None:
        output("exportfs", "-ua")
        output("rpc.nfsd", "0")
        return
    if not Path("/proc/fs/nfsd/threads").exists():
        output("mount", "-t", "nfsd", "nfsd", "/proc/fs/nfsd")
        Path("/run/rpcbind").mkdir(exist_ok=True)
        output("rpcbind", "-w")
        output("rpc.mountd")
    output("rpc.nfsd", "--grace-time", "10", "--lease-time", "10", "2")
    Path("/proc/fs/nfsd/v4_end_grace").write_text("Y")
    output("exportfs", "-o", "rw,no_root_squash,insecure", f"127.0.0.1:{folder}")


IQN = "iqn.2026-01.org.example:disks"
TARGETS = Path("/sys/kernel/config/target")


@case(on=("none",), limit_s=400)
def a_targets_disks_are_found_used_and_kept_from_their_user() -> None:
    if not TARGETS.exists():
        offer(PLACE / "lun", 32)
        output("iscsid")
    with forgotten("lab iscsi"), a_host() as host:
        found = find_sources(host, "iscsi", "127.0.0.1", "", "")
        assert f"--source-dev {IQN}" in found
        define(host, "lab iscsi", "iscsi", source_host="127.0.0.1", source_dev=IQN)
        assert volumes(host, "lab iscsi") == {"unit:0:0:0": 32 * MIB}
        brings_back(host, "lab iscsi", "unit:0:0:0", pattern("sent", MIB))
        path = host.pool("lab iscsi").storageVolLookupByName("unit:0:0:0").path()
        # By the kernel's name, not by the one that tells of the server.
        with (
            a_guest_with(str(Path(path).resolve())) as name,
            pytest.raises(BadInput, match=name),
        ):
            remove.wipe(host, "lab iscsi", {"vol": "unit:0:0:0"}, force=True)
        with pytest.raises(TuivirtError, match="does not support"):
            create.create(host, "lab iscsi", {"vol": "x", "capacity": "1M"})
        with pytest.raises(TuivirtError, match="does not support"):
            remove.delete(host, "lab iscsi", {"vol": "unit:0:0:0"}, force=True)
        host.pool("lab iscsi").destroy()
        until(lambda: not Path(path).exists(), "the session is over")


def offer(backing: Path, size_mib: int) -> None:
    """A target of iSCSI with one LUN, by the kernel's own server, without a password."""
    PLACE.mkdir(exist_ok=True)
    with backing.open("wb") as out:
        out.truncate(size_mib * MIB)
    output("modprobe", "-a", "target_core_mod", "target_core_file", "iscsi_target_mod", "iscsi_tcp")
    output("mount", "-t", "configfs", "configfs", "/sys/kernel/config")
    disk, group = TARGETS / "core/fileio_0/disk", TARGETS / "iscsi" / IQN / "tpgt_1"
    disk.mkdir(parents=True)
    (disk / "control").write_text(f"fd_dev_name={backing},fd_dev_size={size_mib * MIB}")
    (disk / "enable").write_text("1")
    for folder in (TARGETS / "iscsi", group.parent, group, group / "np/127.0.0.1:3260"):
        folder.mkdir(exist_ok=True)
    (group / "lun/lun_0").mkdir()
    (group / "lun/lun_0/disk").symlink_to(disk)
    for word, value in (
        ("generate_node_acls", "1"),
        ("cache_dynamic_acls", "1"),
        ("demo_mode_write_protect", "0"),
        ("authentication", "0"),
    ):
        (group / "attrib" / word).write_text(value)
    (group / "enable").write_text("1")


@case(on=("none",), limit_s=300)
def what_is_behind_an_adapter_and_what_has_several_ways_are_listed() -> None:
    disk = scsi_disk()
    with forgotten("lab scsi"), a_host() as host:
        define(host, "lab scsi", "scsi", adapter_name=scsi_adapter())
        (volume,) = host.pool("lab scsi").listAllVolumes(0)
        assert (volume.name(), volume.info()[1]) == ("unit:0:0:0", 32 * MIB)
        assert str(Path(volume.path()).resolve()) == disk
    output("modprobe", "-a", "dm_multipath", "dm_round_robin")
    ways = f"multipath 0 0 1 1 round-robin 0 1 1 {disk} 1"
    table = f"0 {output('blockdev', '--getsz', disk)} {ways}"
    output("dmsetup", "create", "lab-ways", "--table", table)
    try:
        with forgotten("lab mpath"), a_host() as host:
            define(host, "lab mpath", "mpath")
            (volume,) = host.pool("lab mpath").listAllVolumes(0)
            assert (volume.path(), volume.info()[1]) == ("/dev/mapper/lab-ways", 32 * MIB)
    finally:
        output("dmsetup", "remove", "lab-ways")
