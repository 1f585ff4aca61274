"""Who has an image: by what domains name, by what lies where; and what could not be seen."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.unit.owners.fakes import Domain, PoolHandle, disk, gone, overlay, owners
from tuivirt.backend.images import header
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.owners import Finder, Usage, against_overwriting
from tuivirt.backend.owners.resizing import against_resizing
from tuivirt.backend.owners.usage import Use
from tuivirt.backend.owners.within import domains_within
from tuivirt.backend.storage.judge import derived


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
        assert domains_within(one, handle).domains == ("web",)
    off = PoolHandle("my-vg", "logical", "/dev/my-vg", {})
    off.active = False
    for source, users in (
        ("/dev/mapper/my--vg-lv", ("web",)),
        ("/dev/my-vg/lv", ("web",)),
        ("/dev/mapper/my--vg--2-lv", ()),
    ):
        one = hosts("a", Domain("web", disk(source, kind="block")), pools=(off,))
        assert domains_within(one, off).domains == users


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
