"""Real guests go back to external snapshots, and what these kept is never written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import libvirt
import pytest

from tests.contract.test_snapshots import again, create, digest, forget_all, one, read, write
from tests.support.guests import Define, Disk, Guest, make_image
from tests.support.writer import is_whole
from tuivirt.backend import lifecycle
from tuivirt.backend.block_jobs.read import chains_of
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.snapshots import astray, listing, revert, revert_external, truth
from tuivirt.backend.snapshots.read import snapshots_of
from tuivirt.backend.snapshots.sizes import sizes_of


@pytest.fixture
def twins(define: Define, images: Path) -> Iterator[Guest]:
    """A guest, off, whose two disks differ in their formats and in their images' suffixes alone."""
    disks = [
        Disk(make_image(images / "web.qcow2", "16M", "qcow2"), "vda", form="qcow2"),
        Disk(make_image(images / "web.img", "16M"), "vdb"),
    ]
    guest = define(disks=disks)
    yield guest
    forget_all(guest)


def test_at_no_time_is_a_kept_image_the_domains_own(
    host: Host, twins: Guest, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after any call, the next start writes to the new images, or to what it had."""
    create(host, twins, name_="a", kind="external")
    kept = {each.kept for each in one(host, twins, "a").disks}
    assert kept == {str(images / "web.qcow2"), str(images / "web.img")}
    defined: list[set[str]] = []
    define = libvirt.virConnect.defineXML

    def spied(conn: Any, xml: str) -> Any:
        domain = define(conn, xml)
        on = {chain.source for chain in chains_of(domain, saved=True).values()}
        assert all(is_whole(Path(path)) for path in on)
        defined.append(on)
        return domain

    monkeypatch.setattr(libvirt.virConnect, "defineXML", spied)
    plan = revert.plan_for(host, twins.uuid, {"snapshotname": "a"})
    said = revert.revert(host, twins.uuid, "a")
    assert len(defined) == 1
    assert not defined[0] & kept
    assert len(defined[0]) == 2
    for path in defined[0]:
        # What was shown is what is made.
        assert any(f"{path} is made on" in line for line in plan.lines)
        assert path in said
    assert "!" not in listing.as_text(host, twins.uuid)


def test_a_failure_on_the_way_leaves_the_domain_as_it_was_and_no_file(
    host: Host, twins: Guest, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(host, twins, name_="a", kind="external")
    before, files = twins.domain.XMLDesc(), sorted(images.iterdir())

    def fails(*_args: Any) -> None:
        raise libvirt.libvirtError("it is refused")

    monkeypatch.setattr(libvirt.virConnect, "defineXML", fails)
    with pytest.raises(TuivirtError, match="cannot take"):
        revert.revert(host, twins.uuid, "a")
    monkeypatch.undo()
    assert twins.domain.XMLDesc() == before
    assert sorted(images.iterdir()) == files


def line_broke() -> libvirt.libvirtError:
    error = libvirt.libvirtError("")
    text = "Cannot recv data: Connection reset by peer"
    error.err = (libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC, text, 2, text, "", "", 0, 0)
    return error


def done_and_broke(call: Callable[..., Any]) -> Callable[..., Any]:
    """The call that libvirt carries out, and whose answer never comes."""

    def broke(*args: Any) -> NoReturn:
        call(*args)
        raise line_broke()

    return broke


def test_what_libvirt_has_done_though_the_connection_broke_is_read_again_and_not_undone(
    host: Host, twins: Guest, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(host, twins, name_="a", kind="external", leave_out="vdb")

    def on() -> str:
        return chains_of(twins.domain, saved=True)["vda"].source

    broken = done_and_broke(libvirt.virConnect.defineXML)
    monkeypatch.setattr(libvirt.virConnect, "defineXML", broken)
    assert revert.revert(host, twins.uuid, "a").endswith("web.a-2, and off")
    assert on() == str(images / "web.a-2")
    assert is_whole(images / "web.a-2")
    with monkeypatch.context() as unread:

        def nobody(*_args: Any) -> NoReturn:
            raise TuivirtError("host lab cannot be asked", "nobody answers")

        unread.setattr(truth, "_read", nobody)
        with pytest.raises(TuivirtError, match=r"web\.a-3 may be its own, and are left"):
            revert.revert(host, twins.uuid, "a")
    assert on() == str(images / "web.a-3")
    assert is_whole(images / "web.a-3")
    monkeypatch.undo()

    def start(*args: Any, **options: Any) -> NoReturn:
        lifecycle.start(*args, **options)
        raise TuivirtError("cannot start it", "the line broke")

    monkeypatch.setattr(revert_external, "start", start)
    with pytest.raises(TuivirtError) as caught:
        revert.revert(host, twins.uuid, "a", paused=True)
    assert caught.value.done.endswith("web.a-4, and paused")


def test_a_file_that_is_there_is_not_written_over(host: Host, twins: Guest, images: Path) -> None:
    create(host, twins, name_="a", kind="external", leave_out="vdb")
    (images / "web.a-2").write_text("mine")
    revert.revert(host, twins.uuid, "a")
    assert chains_of(twins.domain)["vda"].source == str(images / "web.a-3")
    assert (images / "web.a-2").read_text() == "mine"


def test_where_no_image_can_be_made_it_is_said_before_anything_is_touched(
    host: Host, twins: Guest, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(host, twins, name_="a", kind="external")
    twins.start()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BadInput, match=f"no image can be made in {images}"):
        revert.revert(host, twins.uuid, "a", force=True)
    assert twins.active


def test_on_another_host_the_images_are_made_in_the_pool_that_holds_the_kept_ones(
    host: Host, twins: Guest, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    xml = f"<pool type='dir'><name>{twins.name}</name><target><path>{images}</path></target></pool>"
    pool = twins.conn.storagePoolCreateXML(xml, 0)
    try:
        create(host, twins, name_="a", kind="external")
        pool.refresh(0)
        kept = [digest(images / name) for name in ("web.qcow2", "web.img")]
        for module in ("overlays", "sizes"):
            monkeypatch.setattr(f"tuivirt.backend.snapshots.{module}.is_here", lambda _host: False)
        volumes = [pool.storageVolLookupByName(name) for name in ("web.qcow2", "web.img")]
        sizes = sizes_of(host, snapshots_of(host, twins.uuid))
        assert sizes == {"a": sum(volume.info()[2] for volume in volumes)}
        revert.revert(host, twins.uuid, "a")
        shell = twins.boot()
        write(shell, {"vda": "other", "vdb": "other"})
        twins.destroy()
        assert chains_of(twins.domain)["vda"].source == str(images / "web.a-2")
        assert [digest(images / name) for name in ("web.qcow2", "web.img")] == kept
    finally:
        pool.destroy()


def test_a_running_guest_goes_back_with_the_memory_of_an_external_snapshot(
    host: Host, twins: Guest, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = twins.boot()
    write(shell, {"vda": "first", "vdb": "second"})
    shell.run("X=before")
    create(host, twins, name_="all", kind="external", memory=True)
    kept = [digest(images / name) for name in ("web.qcow2", "web.img")]
    write(shell, {"vda": "spoilt", "vdb": "spoilt"})
    shell.run("X=after")
    said = revert.revert(host, twins.uuid, "all", force=True)
    assert said.endswith("with its memory, and running")
    shell = again(twins)
    assert shell.run("echo $X").split()[-1] == "before"
    assert (read(shell, "vda"), read(shell, "vdb")) == ("first", "second")
    write(shell, {"vda": "other", "vdb": "other"})
    sources = [chains_of(twins.domain, saved=saved)["vda"].source for saved in (False, True)]
    assert sources == [str(images / "web.all-2")] * 2
    assert one(host, twins, "all").current
    assert "!" not in listing.as_text(host, twins.uuid)
    twins.destroy()
    assert [digest(images / name) for name in ("web.qcow2", "web.img")] == kept
    # Again, from an image that is the domain's no more, and on a line that breaks meanwhile.
    broken = done_and_broke(libvirt.virConnect.restoreFlags)
    monkeypatch.setattr(libvirt.virConnect, "restoreFlags", broken)
    assert revert.revert(host, twins.uuid, "all", paused=True).endswith("and paused")
    twins.domain.resume()
    shell = again(twins)
    assert shell.run("echo $X").split()[-1] == "before"
    assert read(shell, "vda") == "first"


def test_memory_that_is_gone_or_spoilt_is_told_and_the_guest_boots(
    host: Host, twins: Guest, images: Path
) -> None:
    twins.boot()
    create(host, twins, name_="all", kind="external", memory=True)
    twins.destroy()
    memory = Path(one(host, twins, "all").memory_file)
    memory.write_bytes(b"no memory")
    with pytest.raises(BadInput, match="libvirt cannot read its memory"):
        revert.revert(host, twins.uuid, "all")
    memory.unlink()
    with pytest.raises(BadInput, match="the guest boots, with its disks as after a power failure"):
        revert.revert(host, twins.uuid, "all")
    assert revert.revert(host, twins.uuid, "all", force=True).endswith("and off")


def test_a_managed_save_is_not_started_on_other_images(host: Host, twins: Guest) -> None:
    twins.start()
    create(host, twins, name_="a", kind="external")
    twins.domain.managedSave(0)
    with pytest.raises(BadInput, match="it has a managed save"):
        revert.revert(host, twins.uuid, "a", force=True)


def test_under_a_newer_libvirt_it_goes_on_by_hand_until_libvirt_knows_where_it_is(
    host: Host, twins: Guest, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(host, twins, name_="a", kind="external", leave_out="vdb")
    create(host, twins, name_="b", kind="external", leave_out="vdb")
    revert.revert(host, twins.uuid, "a")
    kept = {path: digest(images / path) for path in ("web.qcow2", "web.a", "web.b", "web.a-2")}
    # This one deletes nothing; what one that does is asked for is what counts.
    monkeypatch.setattr(astray, "EXTERNAL_REVERT", (9, 0))
    asked: list[Any] = []
    monkeypatch.setattr(libvirt.virDomain, "revertToSnapshot", lambda *args: asked.append(args))
    said = revert.revert(host, twins.uuid, "b")
    assert said.endswith("web.b-2, and off")
    assert {path: digest(images / path) for path in kept} == kept
    (vda, _vdb) = one(host, twins, "b").disks
    assert (vda.overlay, vda.kept) == (str(images / "web.b-2"), str(images / "web.a"))
    assert one(host, twins, "b").current
    assert asked == []
    # By now its record is right.
    revert.revert(host, twins.uuid, "b", force=True)
    assert len(asked) == 1
