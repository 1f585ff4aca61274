"""Who has an image: by what domains name, by what lies where, on other hosts; what is unseen."""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import libvirt
import pytest

from tuivirt.backend.images import header
from tuivirt.backend.lanes import Lane
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.resources import Pool
from tuivirt.backend.owners import Finder, Usage, against_overwriting, owners, survey
from tuivirt.backend.owners.resizing import against_resizing
from tuivirt.backend.owners.shared import Shared
from tuivirt.backend.owners.usage import Use
from tuivirt.backend.owners.within import domains_within
from tuivirt.backend.storage.judge import derived


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


class Domain:
    def __init__(self, name: str, off: str = "", live: str = "", saved: bool = False) -> None:
        self._name, self._off, self._live, self._saved = name, off, live, saved

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

    def listAllDomains(self, _flags: int) -> list[Domain]:
        if self.waits is not None:
            self.waits.wait(30)
        return list(self.domains)

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
        self.left: dict[str, dict[str, Pool]] = {}

    def started(self) -> tuple[Any, ...]:
        return (self, *self.beside)

    def ended(self) -> dict[str, dict[str, Pool]]:
        return self.left


@pytest.fixture
def hosts() -> Iterator[Callable[..., Any]]:
    made: list[FakeHost] = []

    def make(name: str, *domains: Domain, **options: Any) -> Any:
        made.append(FakeHost(name, *domains, **options))
        return made[-1]

    yield make
    for each in made:
        if each.conn.waits is not None:
            each.conn.waits.set()
        each.answers.close()


def pool(kind: str, path: str, source: str = "", name: str = "p") -> Pool:
    return Pool("h", name, name, "running", True, False, True, kind, path, source)


def overlay(path: Path, below: str) -> Path:
    name = below.encode()
    path.write_bytes(struct.pack(">4sIQI", b"QFI\xfb", 3, 512, len(name)).ljust(512) + name)
    return path


# -- other hosts ----------------------------------------------------------------------------------


def test_a_guest_on_another_host_has_an_image_where_the_storage_is_shared(hosts: Any) -> None:
    path = "/srv/vms/web.img"
    there = hosts("b", Domain("web-01", live=disk(path)), known=(pool("netfs", "/srv/vms"),))
    one = hosts("a")
    one.beside = (there,)
    assert owners(one, path) == ("vda of web-01 on host b, which runs",)
    (finding,) = against_overwriting(one, path)
    assert finding.weight is Weight.REFUSED
    there.snapshot.pools = {}
    there.conn.waits = threading.Event()  # Asked without need it would hang.
    assert owners(one, path) == ()


@pytest.mark.parametrize("own", ["netfs", "iscsi", "dir"])
def test_what_is_shared_is_told_by_the_own_pools_as_well(hosts: Any, own: str) -> None:
    path = "/dev/disk/by-path/ip-10.0.0.1:3260-iscsi-iqn.x-lun-1" if own == "iscsi" else "/p/a"
    there = hosts("b", Domain("web", disk(path, kind="block" if own == "iscsi" else "file")))
    folder = os.path.dirname(path)
    one = hosts("a", pools=(PoolHandle("p", own, folder, {}),))
    one.beside = (there,)
    said = () if own == "dir" else ("vda of web on host b, which is off",)
    assert owners(one, path) == said


def test_one_folder_of_a_server_under_two_paths_is_one(hosts: Any) -> None:
    source = "<host name='nas'/><dir path='/export'/>"
    there = hosts("b", Domain("web", disk("/mnt/x.img")))
    there.snapshot.pools = {"p": pool("netfs", "/mnt", "nas:/export")}
    one = hosts("a", pools=(PoolHandle("p", "netfs", "/srv", {}, source),))
    one.beside = (there,)
    assert owners(one, "/srv/x.img") == ("vda of web on host b, which is off",)
    assert owners(one, "/srv/y.img") == ()


def test_an_image_on_a_server_is_the_same_by_its_name_and_server(hosts: Any) -> None:
    def domain(name: str, server: str) -> Domain:
        xml = f"<source protocol='rbd' name='vms/web'><host name='{server}'/></source>"
        return Domain(name, f"<disk type='network'>{xml}<target dev='vda'/></disk>")

    there = hosts("b", domain("web", "mon1"), domain("far", "other"))
    source = "<host name='mon1' port='6789'/><name>vms</name>"
    handle = PoolHandle("ceph", "rbd", "", {"web": ("vms/web", "")}, source)
    one = hosts("a", pools=(handle,))
    one.beside = (there,)
    usage = Finder(one).of("vms/web", pool="ceph", volume="web")
    assert [use.said for use in usage.domains] == ["vda of web on host b"]
    (unsure,) = usage.unsure
    assert unsure.startswith("vda of far on host b is vms/web of other")


def test_what_lies_on_shared_storage_from_another_hosts_own_is_found(hosts: Any) -> None:
    volumes = {"top": ("/local/top.qcow2", "/srv/base.img")}
    there = hosts(
        "b",
        Domain("web", disk("/local/top.qcow2", "qcow2")),
        pools=(PoolHandle("own", "dir", "/local", volumes),),
        known=(pool("netfs", "/srv"),),
    )
    one = hosts("a")
    one.beside = (there,)
    usage = Finder(one).of("/srv/base.img")
    assert [(use.said, use.below) for use in usage.domains] == [("vda of web on host b", True)]
    assert usage.overlays == ("/local/top.qcow2 on host b",)


@pytest.mark.parametrize("local", [True, False])
def test_a_host_that_hangs_is_told_and_holds_up_nobody(
    hosts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local: bool
) -> None:
    monkeypatch.setattr(survey, "ANSWER_S", 0.2)
    (tmp_path / "web.img").touch()
    there = hosts("b", local=local, known=(pool("netfs", str(tmp_path)),))
    there.conn.waits = threading.Event()
    one = hosts("a", local=local)
    one.beside = (there,)
    began = time.monotonic()
    (finding,) = against_overwriting(one, str(tmp_path / "web.img"))
    assert time.monotonic() - began < 5
    assert finding.weight is Weight.RISK
    assert finding.text.startswith("host b has not answered within 0.2 s: whether its domains")


@pytest.mark.parametrize("link", [Link.LOST, Link.STALLED, Link.FAILED])
def test_a_host_that_is_away_and_shares_the_storage_is_told(hosts: Any, link: Link) -> None:
    there = hosts("b", link=link, known=(pool("netfs", "/srv"),))
    one = hosts("a")
    one.beside = (there,)
    (finding,) = against_overwriting(one, "/srv/web.img")
    assert (finding.weight, finding.text[:6]) == (Weight.RISK, "host b")
    assert against_overwriting(one, "/elsewhere/web.img") == []
    one.beside, one.left = (), {"c": {"p": pool("netfs", "/srv")}}
    (finding,) = against_overwriting(one, "/srv/web.img")
    assert finding.text.startswith("host c is disconnected")


def test_a_mount_from_a_server_is_shared_and_a_disk_is_not(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 0:40 / /srv/a\\040b rw - nfs4 nas:/x rw\n"
        "3 1 0:41 / /mnt rw - fuse.glusterfs g:/v rw\n"
        "4 3 8:2 / /mnt/own rw - xfs /dev/sdb rw\n"
    )
    shared = Shared((), here=True, root=tmp_path)
    found = [shared.has(path) for path in ("/srv/a b/x", "/mnt/x", "/mnt/own/x", "/srv/x")]
    assert found == [True, True, False, False]


def test_a_lun_that_a_domain_reaches_itself_is_the_device_of_the_machine(hosts: Any) -> None:
    source = "<source protocol='iscsi' name='iqn.x/1'><host name='10.0.0.1'/></source>"
    one = hosts("a", Domain("web", f"<disk type='network'>{source}<target dev='vda'/></disk>"))
    name = "/dev/disk/by-path/ip-10.0.0.1:3260-iscsi-iqn.x-lun-{}"
    assert owners(one, name.format(1)) == ("vda of web, which is off",)
    assert owners(one, name.format(2)) == ()


# -- what lies on it, and what could not be seen --------------------------------------------------


def test_an_image_behind_five_thousand_files_is_found(hosts: Any, tmp_path: Path) -> None:
    base = tmp_path / "base.img"
    base.touch()
    for number in range(5100):
        (tmp_path / f"{number}").touch()
    found = [overlay(tmp_path / f"top{number}", "base.img") for number in range(3)]
    usage = Finder(hosts("a", local=True)).of(str(base))
    assert sorted(usage.overlays) == [str(each) for each in found]


def test_one_in_no_pool_is_found_beside_it_and_beside_a_domains_disk(
    hosts: Any, tmp_path: Path
) -> None:
    base, other = tmp_path / "pool" / "base.img", tmp_path / "other"
    base.parent.mkdir()
    other.mkdir()
    base.touch()
    (tmp_path / "link").symlink_to(base)
    near = overlay(base.parent / "near", "base.img")
    far = overlay(other / "far", str(tmp_path / "link"))
    above = overlay(other / "above", "far")
    one = hosts("a", Domain("web", disk(str(other / "disk.img"))), local=True)
    usage = Finder(one).of(str(base))
    assert sorted(usage.overlays) == sorted(map(str, (near, far)))
    assert sorted(usage.images) == sorted(map(str, (near, far, above)))
    finding, *_ = derived(usage).findings(Weight.REFUSED, "base")
    assert f"image {near}" in finding.text


def test_what_only_lies_on_it_in_a_circle_does_not_keep_it(hosts: Any, tmp_path: Path) -> None:
    one = overlay(tmp_path / "one", "two")
    overlay(tmp_path / "two", "one")
    assert Finder(hosts("a", local=True)).of(str(one)).images == ()


def refuse(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> None:
    """Be refused to list those folders, and to read those files."""
    look, scan = header.look, os.scandir
    denied = {str(each) for each in paths}

    def no(path: Any, real: Callable[..., Any]) -> Any:
        if str(path) in denied:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(header, "look", lambda path: no(path, look))
    monkeypatch.setattr(os, "scandir", lambda path: no(path, scan))


def test_what_may_not_be_read_is_told_unless_libvirt_knows_it(
    hosts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, secret = tmp_path / "base.img", tmp_path / "secret"
    base.touch()
    secret.touch()
    refuse(monkeypatch, secret)
    (unsure,) = Finder(hosts("a", local=True)).of(str(base)).unsure
    assert unsure == f"what {secret} lies on cannot be read: Permission denied"
    volumes = {"secret": (str(secret), str(base))}
    handle = PoolHandle("p", "dir", str(tmp_path), volumes)
    usage = Finder(hosts("b", local=True, pools=(handle,))).of(str(base))
    assert (usage.unsure, usage.volumes) == ((), ("p/secret",))


def test_a_folder_that_may_not_be_listed_is_told_unless_its_pool_was_looked_at_again(
    hosts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "base.img"
    base.touch()
    refuse(monkeypatch, tmp_path)
    (unsure,) = Finder(hosts("a", local=True)).of(str(base)).unsure
    assert unsure == f"what lies in {tmp_path} cannot be seen: Permission denied"
    handle = PoolHandle("p", "dir", str(tmp_path), {})
    there = hosts("b", local=True, pools=(handle,))
    assert Finder(there).of(str(base)).unsure == ()
    handle.refused = gone(libvirt.VIR_ERR_INTERNAL_ERROR)
    assert len(Finder(there).of(str(base)).unsure) == 1


def test_of_another_machine_a_pool_that_could_not_be_looked_at_again_is_told(hosts: Any) -> None:
    handle = PoolHandle("p", "dir", "/p", {"top": ("/p/top", "/p/base")})
    one = hosts("a", pools=(handle, PoolHandle("q", "dir", "/q", {"over": ("/q/over", "/p/top")})))
    usage = Finder(one).of("/p/base")
    assert (usage.volumes, usage.unsure) == (("p/top", "q/over"), ())
    handle.refused = gone(libvirt.VIR_ERR_INTERNAL_ERROR)
    (unsure,) = Finder(one).of("/p/base").unsure
    assert unsure.startswith("pool p could not be looked at again (gone)")
    assert Finder(one, fresh=False).of("/p/base").unsure == ()


def test_for_a_file_that_is_not_there_no_pool_of_a_far_host_is_read(hosts: Any) -> None:
    volumes = {"top": ("/p/top", "/p/base"), "base": ("/p/base", "")}
    handle = PoolHandle("p", "dir", "/p", volumes)
    one = hosts("a", pools=(handle,))
    (finding,) = against_overwriting(one, "/p/base")
    assert (finding.weight, finding.text[:6]) == (Weight.RISK, "/p/top")
    handle.volumes = {}
    handle.listAllVolumes = None  # type: ignore[assignment]
    assert against_overwriting(one, "/p/base") == []


def test_many_that_cannot_be_looked_into_are_counted(hosts: Any) -> None:
    domains = (Domain(f"web{number}", disk(f"/x/{number}", "qcow2")) for number in range(9))
    usage = Finder(hosts("a", *domains)).of("/p/a")
    assert len(usage.unsure) == 9
    *shown, rest = derived(usage).findings(Weight.REFUSED, "a")
    assert (len(shown), rest.text) == (5, "4 more like these could not be looked into")


def test_a_name_that_is_not_understood_may_be_that_of_the_image(hosts: Any, tmp_path: Path) -> None:
    base = tmp_path / "base.img"
    base.touch()
    strange = overlay(tmp_path / "strange", 'json:{"driver":"null-co"}')
    (unsure,) = Finder(hosts("a", local=True)).of(str(base)).unsure
    assert unsure.startswith(f"what {strange} lies on cannot be told by json:")
    assert Finder(hosts("b", local=True)).of(str(strange)).unsure == ()


def test_an_image_that_a_domain_takes_for_raw_is_a_risk_not_a_user(
    hosts: Any, tmp_path: Path
) -> None:
    base = tmp_path / "base.img"
    base.touch()
    forged = overlay(tmp_path / "forged", "base.img")
    usage = Finder(hosts("a", Domain("web", disk(str(forged))), local=True)).of(str(base))
    assert (usage.domains, usage.overlays) == ((), ())
    assert usage.unsure[0].startswith(f"{forged} looks like an image that lies on {base}")


def test_what_an_unknown_image_lies_on_is_a_risk_unless_it_can_lie_on_nothing(hosts: Any) -> None:
    far = "/elsewhere/x"
    for form, told in (("qcow2", 1), ("raw", 0)):
        usage = Finder(hosts("a", Domain("web", disk(far, form)))).of("/p/a")
        assert len(usage.unsure) == told
    usage = Finder(hosts("a", Domain("web", disk(far, "qcow2")))).of("/p/a")
    assert usage.unsure[0].startswith(f"what web's disk vda ({far}) lies on is not known here")
    whole = disk(far, "qcow2", "<backingStore/>")
    assert Finder(hosts("a", Domain("web", whole, live=whole))).of("/p/a").unsure == ()


def test_running_off_and_from_the_next_start_on_are_told_apart(hosts: Any) -> None:
    one = hosts(
        "a",
        Domain("on", disk("/p/a"), live=disk("/p/a")),
        Domain("off", disk("/p/a")),
        Domain("later", disk("/p/a"), live=disk("/p/b")),
    )
    found = derived(Finder(one).of("/p/a"))
    assert found.names == "domain on, domain later (from its next start on), domain off (off)"
    assert owners(one, "/p/b") == ("vda of later, which runs",)


def test_where_a_block_job_copies_to_is_in_use(hosts: Any) -> None:
    mirror = "<mirror type='file' file='/p/new'><source file='/p/new'/></mirror>"
    one = hosts("a", Domain("web", disk("/p/old"), live=disk("/p/old", more=mirror)))
    assert owners(one, "/p/new") == ("vda of web, which runs",)


# -- devices --------------------------------------------------------------------------------------


def test_a_logical_volume_is_known_by_each_of_its_names(hosts: Any) -> None:
    names = ("/dev/my-vg/web", "/dev/mapper/my--vg-web")
    for source in names:
        one = hosts("a", Domain("web", disk(source, kind="block")))
        for path in names:
            assert owners(one, path) == ("vda of web, which is off",)
    numbered = hosts("a", Domain("web", disk("/dev/dm-3", kind="block")))
    assert "/dev/dm-3, which may be" in Finder(numbered).of("/dev/my-vg/web").unsure[0]


def test_the_users_of_a_pool_are_found_by_any_name_of_its_volumes(
    hosts: Any, tmp_path: Path
) -> None:
    device, group = tmp_path / "dm-3", tmp_path / "vg"
    device.touch()
    group.mkdir()
    (group / "lv").symlink_to(device)
    handle = PoolHandle("vg", "logical", str(group), {"lv": (str(group / "lv"), "")})
    for name in (device, group / "lv"):
        one = hosts("a", Domain("web", disk(str(name))), local=True, pools=(handle,))
        assert domains_within(one, handle) == ("web",)
    off = PoolHandle("my-vg", "logical", "/dev/my-vg", {})
    off.active = False
    for source, users in (
        ("/dev/mapper/my--vg-lv", ("web",)),
        ("/dev/my-vg/lv", ("web",)),
        ("/dev/mapper/my--vg--2-lv", ()),
    ):
        one = hosts("a", Domain("web", disk(source, kind="block")), pools=(off,))
        assert domains_within(one, off) == users


# -- resizing -------------------------------------------------------------------------------------


def test_a_size_is_changed_with_an_eye_on_saved_memory_and_on_what_lies_on_it() -> None:
    saved = Use("web", "vda", False, False, False, "", True)
    below = Use("db", "vda", False, True, True, "", False)
    found = against_resizing(Usage("/x", (saved, below)), "x", shrinks=False)
    weights = [each.weight for each in found]
    assert weights == [Weight.NOTE, Weight.RISK, Weight.RISK]
    assert "vda of web: its saved memory" in found[-1].text
    refused, *rest = against_resizing(Usage("/x", (below,), ("/y",)), "x", shrinks=True)
    assert refused.text.startswith("x is in use by vda of db, /y")
    assert rest == []
    (runs,) = against_resizing(
        Usage("/x", (Use("a", "vda", True, False, False, "", False),)), "x", shrinks=False
    )
    assert "x is open: it is vda of a, which runs with it" in runs.text
