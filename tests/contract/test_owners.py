"""What is somebody's is written over by no verb, whatever name of it is given."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.cli import tuivirt
from tests.support import guests
from tests.support.guests import Guest, make_image
from tests.support.libvirtd import PrivateLibvirtd, until
from tuivirt.backend.block_jobs import copy
from tuivirt.backend.errors import BadInput
from tuivirt.backend.host import Host
from tuivirt.backend.hotplug import DiskRequest, attach_disk, detach_disk
from tuivirt.backend.images import resize as image_resize
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.owners import Finder, survey
from tuivirt.backend.snapshots import make, revert
from tuivirt.backend.snapshots import remove as snapshots
from tuivirt.backend.storage import listing, pools, remove, resize, upload


def owners(host: Host, path: str) -> tuple[str, ...]:
    """Who has an image, a phrase each."""
    return Finder(host, overlays=False).of(path).phrases


@pytest.fixture
def host(qemu_uri: str) -> Iterator[Host]:
    one = Host("here", qemu_uri, publish=lambda _event: None, sampling=False)
    one.start()
    one.wait_filled(30)
    yield one
    one.close()


@pytest.fixture
def names(idle_guest: Guest, images: Path) -> dict[str, str]:
    """A running guest's disk, by each way to name it."""
    path = next(
        Path(line.split("'")[1])
        for line in idle_guest.domain.XMLDesc().splitlines()
        if "<source file=" in line
    )
    (images / "linked").symlink_to(path.parent)
    os.link(path, images / "hard.img")
    return {
        "itself": str(path),
        "a link": str(images / "linked" / path.name),
        "a hard link": str(images / "hard.img"),
    }


WAYS = ["itself", "a link", "a hard link"]


@pytest.mark.parametrize("way", WAYS)
def test_a_file_is_known_by_each_of_its_names(
    host: Host, idle_guest: Guest, names: dict[str, str], way: str
) -> None:
    (said,) = owners(host, names[way])
    assert said.endswith(f" of {idle_guest.name}, which runs")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "verb",
    [
        ["save", "{guest}", "{path}", "--force"],
        ["dump", "{guest}", "{path}", "--force"],
        ["snapshot-create", "{guest}", "--kind", "external", "--memory", "--memspec", "{path}",
         "--force"],
    ],
    ids=lambda verb: str(verb[0]),
)  # fmt: skip
def test_a_guests_memory_is_never_written_over_a_disk(
    idle_guest: Guest, qemu_uri: str, names: dict[str, str], verb: list[str], way: str
) -> None:
    before = Path(names["itself"]).read_bytes()
    words = [word.format(guest=idle_guest.name, path=names[way]) for word in verb]
    ran = tuivirt("-c", qemu_uri, *words)
    assert ran.status == 1
    assert f"of {idle_guest.name}, which runs" in ran.err
    assert idle_guest.active
    assert Path(names["itself"]).read_bytes() == before


def test_what_a_guest_boots_from_and_what_lies_below_its_disk_are_its_own(
    host: Host, define: Callable[..., Guest], images: Path
) -> None:
    one = define()
    kernel = one.domain.XMLDesc().partition("<kernel>")[2].partition("<")[0]
    assert f"kernel of {one.name}, which is off" in owners(host, kernel)
    base, top = images / "base.qcow2", images / "top.qcow2"
    make_image(base, "1M", "qcow2")
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(base), "-F", "qcow2", str(top)]
    subprocess.run(argv, check=True)
    assert owners(host, str(base)) == ()
    xml = f"""<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
        <source file='{top}'/><target dev='vdz' bus='virtio'/></disk>"""
    one.domain.attachDeviceFlags(xml, 2)
    assert owners(host, str(base)) == (f"vdz of {one.name}, which is off",)


@pytest.mark.parametrize("way", WAYS)
def test_a_volume_that_is_a_running_guests_disk_is_not_wiped_nor_downloaded_over(
    idle_guest: Guest, qemu_uri: str, names: dict[str, str], images: Path, way: str
) -> None:
    pool = f"p{images.name[-8:]}"
    folder = images / "pool"
    folder.mkdir()
    made = idle_guest.conn.storagePoolCreateXML(
        f"<pool type='dir'><name>{pool}</name><target><path>{folder}</path></target></pool>"
    )
    try:
        make_image(folder / "free.img", "1M")
        os.link(names["itself"], folder / "same.img")
        made.refresh()
        before = Path(names["itself"]).read_bytes()
        told = f"of {idle_guest.name}, which runs"
        for words in (
            ["vol-download", pool, "free.img", names[way], "--force"],
            ["vol-wipe", pool, "same.img", "--force"],
            ["vol-delete", pool, "same.img", "--force"],
            ["vol-upload", pool, "same.img", str(folder / "free.img"), "--force"],
        ):
            ran = tuivirt("-c", qemu_uri, *words)
            assert (ran.status, told in ran.err) == (1, True), (words, ran.err)
        assert Path(names["itself"]).read_bytes() == before
        assert (folder / "same.img").exists()
    finally:
        made.destroy()


def test_a_device_with_a_guests_disk_or_a_file_system_is_not_formatted(
    idle_guest: Guest, qemu_uri: str, images: Path
) -> None:
    make_image(images / "disk.img", "16M")
    argv = ["losetup", "--find", "--show", str(images / "disk.img")]
    loop = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    try:
        words = ["pool-define-as", f"q{images.name[-8:]}", "--type", "fs", "--source-dev", loop]
        words += ["--target", str(images / "there"), "--source-format", "ext4"]
        words += ["--build", "--overwrite"]
        ran = tuivirt("-c", qemu_uri, *words)
        assert ran.status == 1
        assert "is lost" in ran.err
        xml = f"<disk type='block'><source dev='{loop}'/><target dev='vdy' bus='virtio'/></disk>"
        idle_guest.domain.attachDevice(xml)
        ran = tuivirt("-c", qemu_uri, *words, "--force")
        assert ran.status == 1
        assert f"vdy of {idle_guest.name}, which runs" in ran.err
        assert not any(p.name().startswith("q") for p in idle_guest.conn.listAllStoragePools())
    finally:
        idle_guest.destroy()
        subprocess.run(["losetup", "-d", loop], check=True)


@pytest.fixture
def pool(host: Host, images: Path) -> Iterator[str]:
    """A pool of the folder ``images``, by name."""
    name = f"r{images.name[-8:]}"
    made = host.conn.storagePoolCreateXML(
        f"<pool type='dir'><name>{name}</name><target><path>{images}</path></target></pool>"
    )
    yield name
    made.destroy()


def overlay(path: Path, base: Path) -> Path:
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(base), "-F", "raw", str(path)]
    subprocess.run(argv, check=True)
    return path


def test_a_volume_is_kept_for_an_image_in_no_pool_and_for_one_that_is_not_understood(
    host: Host, define: Callable[..., Guest], images: Path, pool: str, tmp_path: Path
) -> None:
    base = make_image(images / "base.img", "1M")
    own = make_image(tmp_path / "own.img", "1M")
    define(disks=[guests.Disk(own)], kernel=False, memory_mib=32)
    near = overlay(tmp_path / "nobodys.qcow2", base)
    host.pool(pool).refresh(0)
    for verb, values in (
        (remove.delete, {}),
        (remove.wipe, {}),
        (resize.resize, {"capacity": "512K", "shrink": True}),
    ):
        with pytest.raises(BadInput, match=str(near)):
            verb(host, pool, {"vol": "base.img", **values}, force=True)
    near.unlink()
    strange = make_image(images / "strange.qcow2", "1M", "qcow2")
    argv = ["qemu-img", "rebase", "-u", "-b", "blkdebug::base.img", "-F", "raw", str(strange)]
    subprocess.run(argv, check=True)
    with pytest.raises(BadInput, match=f"what {strange} lies on cannot be told") as told:
        remove.delete(host, pool, {"vol": "base.img"})
    assert "--force" in told.value.advice
    remove.delete(host, pool, {"vol": "base.img"}, force=True)
    assert not base.exists()


def test_what_only_a_snapshots_record_keeps_is_nobodys_to_delete_write_over_or_attach(
    host: Host, define: Callable[..., Guest], images: Path, pool: str, tmp_path: Path
) -> None:
    base = make_image(images / "web.qcow2", "1M", "qcow2")
    one = define(disks=[guests.Disk(base, form="qcow2")], kernel=False, memory_mib=32)
    other = define(kernel=False, memory_mib=32)
    for name in ("s1", "s2"):
        make.create(host, one.uuid, {"name_": name, "kind": "external"})
    revert.revert(host, one.uuid, "s1")
    kept, past = images / "web.s1", images / "web.s2"
    host.pool(pool).refresh(0)
    before = kept.read_bytes()
    file = {"file": str(make_image(tmp_path / "file", "64K"))}
    told = f"web.s1 is in use by snapshot s2 of {one.name}, snapshot s1 of {one.name}"
    for verb, values in (
        (remove.delete, {}),
        (remove.wipe, {}),
        (upload.upload, file),
        (resize.resize, {"capacity": "512K", "shrink": True}),
    ):
        with pytest.raises(BadInput, match="snapshot s2 of") as refused:
            verb(host, pool, {"vol": kept.name, **values}, force=True)
        assert told in str(refused.value) or "shrink" in values
    assert f"snapshot s2 of {one.name}, which keeps it" in listing.details(host, pool, kept.name)
    with pytest.raises(BadInput, match=f"{past.name} is in use by snapshot s2 of {one.name}, whi"):
        remove.delete(host, pool, {"vol": past.name}, force=True)
    with pytest.raises(BadInput, match=f"snapshot s2 of {one.name} keeps {kept}"):
        image_resize.resize(host, {"path": str(kept), "size": "2M", "format": "qcow2"})
    with pytest.raises(BadInput, match=f"snapshot s2 of {one.name} keeps {kept}"):
        attach_disk(host, other.uuid, DiskRequest(str(kept)), force=True)
    with pytest.raises(BadInput, match=f"snapshot s2 of {one.name} keeps {kept}") as asked:
        attach_disk(host, one.uuid, DiskRequest(str(kept)))
    assert asked.value.advice.endswith("--force takes the risk")
    # A block commit of another program may have given it the image back past its snapshot.
    given = attach_disk(host, one.uuid, DiskRequest(str(kept)), force=True)
    detach_disk(host, one.uuid, given.target)
    one.start()
    copying = {"path": "vda", "dest": str(past), "reuse_external": True}
    refused_copy = copy.plan_for(host, one.uuid, copying).of(Weight.REFUSED)
    assert f"{past} is in use by snapshot s2 of {one.name}" in [e.text for e in refused_copy]
    one.destroy()
    assert kept.read_bytes() == before
    # The snapshots' own verbs go on as before: what they let go of is nobody's.
    revert.revert(host, one.uuid, "s2")
    snapshots.delete(host, one.uuid, "s2", metadata=True)
    snapshots.delete(host, one.uuid, "s1", metadata=True)
    host.pool(pool).refresh(0)
    remove.delete(host, pool, {"vol": past.name})
    assert not past.exists()


def test_a_volume_with_saved_memory_on_it_is_resized_as_a_file_is_only_by_name(
    host: Host, idle_guest: Guest, images: Path, pool: str
) -> None:
    name = f"{idle_guest.name}.img"
    size = (images / name).stat().st_size
    values = {"vol": name, "capacity": str(size + (1 << 20))}
    idle_guest.domain.managedSave()
    with pytest.raises(BadInput, match="its saved memory goes with the disk as it is now"):
        resize.resize(host, pool, values)
    assert (images / name).stat().st_size == size
    idle_guest.domain.managedSaveRemove()
    resize.resize(host, pool, values)
    assert (images / name).stat().st_size == size + (1 << 20)


def test_a_device_is_known_by_each_of_its_nodes_and_links(
    host: Host, define: Callable[..., Guest], images: Path
) -> None:
    disk = make_image(images / "disk.img", "4M")
    argv = ["losetup", "--find", "--show", str(disk)]
    loop = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    try:
        node = images / "dm-0"
        os.mknod(node, 0o600 | stat.S_IFBLK, os.stat(loop).st_rdev)
        (images / "lv").symlink_to(loop)
        one = define(kernel=False, memory_mib=32)
        xml = f"<disk type='block'><source dev='{loop}'/><target dev='vdy' bus='virtio'/></disk>"
        one.domain.attachDeviceFlags(xml, 2)
        for path in (loop, str(node), str(images / "lv")):
            assert f"vdy of {one.name}, which is off" in owners(host, path)
    finally:
        subprocess.run(["losetup", "-d", loop], check=True)


def test_a_guest_of_another_host_keeps_a_volume_on_shared_storage_and_a_hanging_one_is_told(
    host: Host,
    images: Path,
    pool: str,
    private_libvirtd: PrivateLibvirtd,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    far = Host("b", private_libvirtd.uri, publish=lambda _event: None, sampling=False)
    far.start()
    try:
        far.wait_filled(30)
        with guests.idle_guest(private_libvirtd.uri, images) as guest:
            volume = {"vol": f"{guest.name}.img"}
            host.pool(pool).refresh(0)
            # The same path on another machine's own disk is another image.
            assert owners(host, str(images / volume["vol"])) == ()
            # This machine is the server: what another one gives out would be another image.
            xml = f"""<pool type='netfs'><name>shared</name><source><host name='nas'/>
                <dir path='{images}'/></source><target><path>{images}</path></target></pool>"""
            far.conn.storagePoolDefineXML(xml)
            until(lambda: bool(far.snapshot.pools), "the pool is known")
            with pytest.raises(BadInput, match=f"vda of {guest.name} on host b, which runs"):
                remove.delete(host, pool, volume, force=True)
            said = [each.text for each in pools.plan_delete(host, pool, {}).of(Weight.REFUSED)]
            assert f"pool {pool} is in use by domain {guest.name} on host b" in said
            monkeypatch.setattr(survey, "ANSWER_S", 1.0)
            private_libvirtd.sigstop()
            try:
                with pytest.raises(BadInput, match="host b has not answered within 1 s") as told:
                    remove.delete(host, pool, volume)
                said = [each.text for each in pools.plan_delete(host, pool, {}).of(Weight.RISK)]
                assert any(e.startswith("host b has not answered within 1 s: whe") for e in said)
            finally:
                private_libvirtd.sigcont()
            assert "--force" in told.value.advice
            assert (images / volume["vol"]).exists()
    finally:
        far.close()


def test_what_a_guest_of_another_host_has_on_shared_storage_is_given_to_no_domain(
    host: Host,
    define: Callable[..., Guest],
    images: Path,
    private_libvirtd: PrivateLibvirtd,
    qemu_uri: str,
) -> None:
    """From either side, and by the command line too."""
    one = define(kernel=False, memory_mib=32)
    shared = f"""<pool type='netfs'><name>shared</name><source><host name='nas'/>
        <dir path='{images}'/></source><target><path>{images}</path></target></pool>"""
    far = Host("b", private_libvirtd.uri, publish=lambda _event: None, sampling=False)
    far.start()
    try:
        far.wait_filled(30)
        with guests.idle_guest(private_libvirtd.uri, images) as guest:
            path = images / f"{guest.name}.img"
            far.conn.storagePoolDefineXML(shared)
            until(lambda: bool(far.snapshot.pools), "the pool is known")
            told = f"{path} is in use by vda of {guest.name} on host b, which runs"
            for request in (DiskRequest(str(path)), DiskRequest(str(path), readonly=True)):
                with pytest.raises(BadInput, match=told):
                    attach_disk(host, one.uuid, request, force=True)
            both = ("-c", qemu_uri, "-c", private_libvirtd.uri)
            ran = tuivirt(*both, "attach-disk", one.name, str(path), "--force")
            assert ran.status == 1
            assert f"{path} is in use by vda of {guest.name} on host " in ran.err
            guest.destroy()
            with pytest.raises(BadInput, match=f"{path} is vda of {guest.name} on host b") as off:
                attach_disk(host, one.uuid, DiskRequest(str(path)))
            assert off.value.advice.endswith("--force takes the risk")
            assert str(path) not in one.domain.XMLDesc()
            given = attach_disk(host, one.uuid, DiskRequest(str(path)), force=True)
            assert str(path) in one.domain.XMLDesc()
            detach_disk(host, one.uuid, given.target)
            # From there it is the same.
            one_disk = images / f"{one.name}.img"
            make_image(one_disk, "1M")
            attach_disk(host, one.uuid, DiskRequest(str(one_disk)))
            with pytest.raises(BadInput, match=f"of {one.name} on host here, which is off"):
                attach_disk(far, guest.uuid, DiskRequest(str(one_disk), format="raw"))
    finally:
        far.close()
