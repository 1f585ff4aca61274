"""Who has an image, by what configurations and volumes say: over chains of any length."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tuivirt.backend.model.device import Disk, DomainConfig
from tuivirt.backend.model.resources import Volume
from tuivirt.backend.owners.named import Named
from tuivirt.backend.storage.paths import RealPaths
from tuivirt.backend.storage.users import chain, users_of_volumes


def config(*disks: Disk) -> tuple[DomainConfig, ...]:
    return (DomainConfig("n", "u", disks=disks),)


def volume(name: str, backing: str = "", pool: str = "p", path: str = "", **more: str) -> Volume:
    place = path or f"/{pool}/{name}"
    return Volume("h", pool, name, place, place, backing=backing, format="qcow2", **more)  # type: ignore[arg-type]


def test_a_domain_has_all_that_is_below_its_disk_however_deep() -> None:
    chained = [volume("base"), volume("mid", "/p/base"), volume("top", "/p/mid")]
    users = users_of_volumes({"web": config(Disk("vda", source="/p/top"))}, chained)
    assert users == {
        "/p/base": ("web", "volume mid"),
        "/p/mid": ("web", "volume top"),
        "/p/top": ("web",),
    }


def test_a_chain_that_is_a_loop_ends() -> None:
    below = {"/a": "/b", "/b": "/a"}
    assert list(chain("/a", lambda path: below.get(path, ""))) == ["/a", "/b"]
    loop = [volume("a", "/p/b"), volume("b", "/p/a")]
    assert users_of_volumes({"web": config(Disk("vda", source="/p/a"))}, loop)["/p/b"][0] == "web"


def test_a_disk_by_another_name_of_its_path_is_found(tmp_path: Path) -> None:
    folder, image = tmp_path / "real", tmp_path / "real" / "disk 'x' 卷\n.img"
    folder.mkdir()
    image.touch()
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "other.img").symlink_to(image)
    one = volume("x", path=str(tmp_path / "link" / image.name))
    for source in (str(image), str(tmp_path / "other.img")):
        users = users_of_volumes({"web": config(Disk("vda", source=source))}, [one], RealPaths())
        assert users == {one.key: ("web",)}


def test_a_disk_on_a_storage_server_is_told_by_what_stands_behind_its_name() -> None:
    image = Volume("h", "ceph", "web", "vms/web", "vms/web", "network", "raw")
    disk = Disk("vda", source_type="network", source="rbd://mon1:6789/vms/web")
    assert users_of_volumes({"web": config(disk)}, [image]) == {"vms/web": ("web",)}


@pytest.mark.parametrize("path", ["pool/image", ""])
def test_what_is_no_path_is_not_looked_for_on_this_machine(path: str) -> None:
    assert RealPaths()(path) == path


def kept(path: str, snapshot: str, *, frozen: bool = True, domain: str = "web") -> Named:
    return Named(
        domain,
        f"uuid of {domain}",
        f"snapshot {snapshot}",
        path,
        active=False,
        live=False,
        disk=False,
        snapshot=snapshot,
        frozen=frozen,
    )


def test_what_only_a_snapshot_keeps_is_the_snapshots() -> None:
    found = [volume("base"), volume("old", "/p/base"), volume("now", "/p/base"), volume("free")]
    # web went back past s2.
    on = {"web": config(Disk("vda", source="/p/now"))}
    named = [kept("/p/base", "s1"), kept("/p/old", "s1", frozen=False), kept("/p/old", "s2")]
    assert users_of_volumes(on, found, kept=named) == {
        "/p/base": ("web", "volume now", "volume old", "2 snapshots of web"),
        "/p/now": ("web",),
        "/p/old": ("2 snapshots of web",),
    }
    # What was written since a snapshot is the domain's own, and not told twice.
    since = [kept("/p/base", "s1"), kept("/p/now", "s1", frozen=False)]
    users = users_of_volumes(on, found, kept=since)
    assert users["/p/base"][-1] == "snapshot s1 of web"
    assert users["/p/now"] == ("web",)
    assert "/p/free" not in users


def test_ten_thousand_volumes_of_which_thousands_are_kept_are_told_at_once() -> None:
    found = [volume(f"v{n}") for n in range(10_000)]
    named = [kept(f"/p/v{n}", f"s{m}") for n in range(5_000) for m in range(2)]
    began = time.process_time()
    users = users_of_volumes({}, found, kept=named)
    assert time.process_time() - began < 2.0
    assert len(users) == 5_000
    assert users["/p/v0"] == ("2 snapshots of web",)
