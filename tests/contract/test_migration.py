"""A domain moved between two real daemons: live with its disk, off, aborted, and when it fails."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.bench.proxy import CountingProxy
from tests.contract.cli import ROOT, tuivirt
from tests.contract.conftest import Heard
from tests.support.guests import Disk, Guest, domain_xml, make_image, unique_name
from tests.support.libvirtd import PrivateLibvirtd, until
from tuivirt.backend import lifecycle
from tuivirt.backend.errors import Aborted, BadInput, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.lifecycle import shutdown
from tuivirt.backend.migration import changes, truth
from tuivirt.backend.migration.migrate import migrate, plan_for
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.finding import Weight

IMAGES = "/var/lib/libvirt/images"
"""The same path in each daemon's own folder: storage that is not shared."""
HERE = {"migrateuri": "tcp://127.0.0.1"}
"""The way from one daemon to the other on this machine."""


@dataclass
class Two:
    """Two hosts, and what is on their disks."""

    near: PrivateLibvirtd
    far: PrivateLibvirtd
    source: Host
    target: Host

    def file(self, daemon: PrivateLibvirtd, name: str) -> Path:
        """A file of a daemon's image folder, as this machine sees it."""
        return daemon.folder / "lib" / "images" / name

    def image(self, name: str, size: int = 16 << 20, daemon: PrivateLibvirtd | None = None) -> Disk:
        """A raw image with a pattern on the source, as the disk of a guest there."""
        path = self.file(daemon or self.near, name)
        path.parent.mkdir(exist_ok=True)
        make_image(path, str(size))
        with path.open("r+b") as file:
            file.seek(size // 2)
            file.write(os.urandom(size // 4))
        return Disk(Path(IMAGES, name))


def _host(name: str, uri: str) -> Host:
    host = Host(name, uri, publish=Heard(), sampling=False)
    host.start()
    host.wait_filled(30)
    return host


@pytest.fixture(scope="module")
def two(qemu_uri: str) -> Iterator[Two]:
    with ExitStack() as stack:
        near = stack.enter_context(PrivateLibvirtd("near"))
        far = stack.enter_context(PrivateLibvirtd("far"))
        source, target = _host("near", near.uri), _host("far", far.uri)
        stack.callback(source.close)
        stack.callback(target.close)
        yield Two(near, far, source, target)


@pytest.fixture
def define(two: Two) -> Iterator[Callable[..., Guest]]:
    """Defines a guest on the source; it is removed from wherever it is then."""
    made: list[Guest] = []
    for host in (two.source, two.target):
        host.wait_filled(30)  # A daemon that has crashed was started again just before.

    def make(**options: Any) -> Guest:
        made.append(Guest.define(two.near.uri, domain_xml(unique_name("move"), **options)))
        return made[-1]

    yield make
    for guest in made:
        for host in (two.source, two.target):
            try:
                guest.domain = host.conn.lookupByUUIDString(guest.uuid)
            except libvirt.libvirtError:
                continue
            guest.destroy()
            if guest.domain.isPersistent():
                guest.domain.undefine()
        guest.remove()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def on(host: Host, guest: Guest) -> Any:
    return host.conn.lookupByUUIDString(guest.uuid)


def is_on(host: Host, guest: Guest) -> bool:
    try:
        on(host, guest)
    except libvirt.libvirtError:
        return False
    return True


def test_a_running_guest_moves_with_its_disk_and_says_for_how_long_it_stood_still(
    two: Two, define: Callable[..., Guest]
) -> None:
    disk = two.image("live.img")
    guest = define(disks=[disk])
    guest.boot().close()
    guest.domain.setAutostart(1)
    before = digest(two.file(two.near, "live.img"))
    told: list[str] = []
    said = migrate(
        two.source, guest.uuid, "far", HERE, progress=lambda text, _part: told.append(text)
    )
    assert "runs on far now (moved in" in said
    assert "downtime" in said
    assert not is_on(two.source, guest)
    moved = on(two.target, guest)
    assert moved.isActive()
    assert moved.isPersistent()
    assert moved.autostart()
    assert digest(two.file(two.far, "live.img")) == before
    assert any("making" in text for text in told)
    assert "coming from another host" in changes.job_info(two.target, guest.uuid, completed=True)
    assert [pool.name() for pool in two.target.conn.listAllStoragePools()] == []


def test_a_domain_that_is_off_moves_with_its_disk(two: Two, define: Callable[..., Guest]) -> None:
    guest = define(disks=[two.image("off.img", 8 << 20)])
    before = digest(two.file(two.near, "off.img"))
    said = migrate(two.source, guest.uuid, "far", {})
    assert "is defined on far now, off" in said
    assert not is_on(two.source, guest)
    assert not on(two.target, guest).isActive()
    assert digest(two.file(two.far, "off.img")) == before
    assert two.file(two.near, "off.img").exists()


def test_by_the_daemons_alone_it_moves_as_well(two: Two, define: Callable[..., Guest]) -> None:
    guest = define()
    guest.start()
    said = migrate(two.source, guest.uuid, "far", {"tunnelled": True, "keep": True}, force=True)
    assert "runs on far now" in said
    assert not on(two.source, guest).isActive()
    assert on(two.target, guest).isActive()


def test_an_abort_half_way_leaves_it_running_here_and_nothing_there(
    two: Two, define: Callable[..., Guest]
) -> None:
    guest = define(disks=[two.image("abort.img")])
    guest.start()
    aborted = threading.Event()
    seen: list[float] = []

    def progress(text: str, part: float | None) -> None:
        # Once contents are on their way; at 1 MiB/s they are for a quarter of a minute and more.
        if part:
            seen.append(part)
            aborted.set()

    with pytest.raises(Aborted) as caught:
        migrate(
            two.source,
            guest.uuid,
            "far",
            {**HERE, "bandwidth": 1},
            progress=progress,
            aborted=aborted,
        )
    assert "goes on running on near, and nothing of it is on far" in str(caught.value)
    assert f"{IMAGES}/abort.img that was made there is removed again" in str(caught.value)
    assert 0 < seen[0] < 1
    assert on(two.source, guest).state()[0] == libvirt.VIR_DOMAIN_RUNNING
    assert not is_on(two.target, guest)
    assert not two.file(two.far, "abort.img").exists()


def test_what_the_target_refuses_is_told_and_nothing_of_it_is_left(
    two: Two, define: Callable[..., Guest]
) -> None:
    guest = define(disks=[two.image("refused.img", 1 << 20)])
    guest.start()
    with pytest.raises(TuivirtError, match=r"goes on running on near.*libvirt error") as caught:
        migrate(two.source, guest.uuid, "far", {"migrateuri": "tcp://no-such-host.invalid"})
    assert "--migrateuri" in caught.value.advice
    assert "removed again" in str(caught.value)
    assert on(two.source, guest).isActive()
    assert not is_on(two.target, guest)
    assert not two.file(two.far, "refused.img").exists()


def refusals(two: Two, guest: Guest, **values: object) -> list[str]:
    plan = plan_for(two.source, guest.uuid, "far", {**HERE, **values})
    return [finding.text for finding in plan.of(Weight.REFUSED)]


def test_a_name_that_is_taken_and_a_network_that_is_not_there_are_found_before(
    two: Two, define: Callable[..., Guest]
) -> None:
    net = "<interface type='network'><source network='nowhere'/></interface>"
    guest = define(interfaces=[net])
    assert refusals(two, guest) == []
    twin = two.target.conn.defineXML(domain_xml(guest.name))
    try:
        assert refusals(two, guest) == [f"far has another domain called {guest.name}"]
        with pytest.raises(BadInput, match="another domain called"):
            migrate(two.source, guest.uuid, "far", {})
        assert is_on(two.source, guest)
        assert refusals(two, guest, dname="other") == []
    finally:
        twin.undefine()


def test_another_image_of_that_name_is_not_overwritten_unless_that_is_said(
    two: Two, define: Callable[..., Guest]
) -> None:
    guest = define(disks=[two.image("taken.img", 1 << 20)])
    guest.start()
    other = two.file(two.far, "taken.img")
    other.parent.mkdir(exist_ok=True)
    make_image(other, "1M")
    before = digest(other)
    with pytest.raises(BadInput, match="far has another image"):
        migrate(two.source, guest.uuid, "far", HERE)
    assert digest(other) == before
    said = migrate(two.source, guest.uuid, "far", {**HERE, "copy_storage_all": True}, force=True)
    assert "runs on far now" in said
    assert digest(other) == digest(two.file(two.near, "taken.img"))


def test_an_image_that_is_copied_over_another_has_nothing_of_that_left(
    two: Two, define: Callable[..., Guest]
) -> None:
    guest = define(disks=[two.image("over.img", 4 << 20)])
    other = two.file(two.far, "over.img")
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(b"old!" * (4 << 18))
    said = migrate(two.source, guest.uuid, "far", {"copy_storage_all": True}, force=True)
    assert "is defined on far now, off" in said
    assert digest(other) == digest(two.file(two.near, "over.img"))


def test_a_longer_file_is_not_copied_over_though_it_says_that_it_is_as_large(
    two: Two, define: Callable[..., Guest]
) -> None:
    """A qcow2 image with contents is longer than the disk in it: its end would be left."""
    guest = define(disks=[two.image("long.img", 4 << 20)])
    other = two.file(two.far, "long.img")
    other.parent.mkdir(exist_ok=True)
    argv = ["qemu-img", "convert", "-n", "-O", "qcow2", "-S", "0", "-f", "raw"]
    make_image(other, "4M", "qcow2")
    subprocess.run([*argv, str(two.file(two.near, "long.img")), str(other)], check=True)
    before = digest(other)
    with pytest.raises(BadInput, match=rf"far has {other.stat().st_size} bytes, and here 4194304"):
        migrate(two.source, guest.uuid, "far", {"copy_storage_all": True}, force=True)
    assert digest(other) == before
    assert is_on(two.source, guest)


@pytest.mark.parametrize("runs", [True, False], ids=["runs", "off"])
def test_an_image_of_the_targets_own_domain_is_not_copied_over_whatever_is_said(
    two: Two, define: Callable[..., Guest], runs: bool
) -> None:
    guest = define(disks=[two.image("theirs.img", 1 << 20)])
    if runs:
        guest.start()
    disk = two.image("theirs.img", 1 << 20, two.far)
    before = digest(two.file(two.far, "theirs.img"))
    owner = Guest.define(two.far.uri, domain_xml(unique_name("owner"), disks=[disk]))
    values = {**HERE, "copy_storage_all": True}
    try:
        with pytest.raises(BadInput, match=f"{IMAGES}/theirs.img as a disk of {owner.name}"):
            migrate(two.source, guest.uuid, "far", values, force=True)
    finally:
        owner.remove()
    assert digest(two.file(two.far, "theirs.img")) == before
    assert is_on(two.source, guest)
    assert not is_on(two.target, guest)


def copying(do: Callable[[], object]) -> Callable[[str, float | None], None]:
    """Told of the progress, it does this once, while an image is copied."""
    done: list[object] = []

    def progress(text: str, _part: float | None) -> None:
        if text.startswith("copying") and not done:
            done.append(True)
            do()

    return progress


def test_a_domain_that_is_started_while_its_image_is_copied_stays_and_runs_here(
    two: Two, define: Callable[..., Guest]
) -> None:
    guest = define(disks=[two.image("begun.img", 8 << 20)])
    with pytest.raises(TuivirtError, match=r"was changed while it was copied|started meanwhile"):
        migrate(two.source, guest.uuid, "far", {}, progress=copying(guest.start))
    assert on(two.source, guest).isActive()
    assert on(two.source, guest).isPersistent()
    assert not is_on(two.target, guest)
    assert not two.file(two.far, "begun.img").exists()


def test_an_image_that_is_written_to_while_it_is_copied_is_told_and_not_left(
    two: Two, define: Callable[..., Guest]
) -> None:
    guest = define(disks=[two.image("torn.img", 8 << 20)])

    def write() -> None:
        with two.file(two.near, "torn.img").open("r+b") as file:
            file.write(b"new")

    with pytest.raises(TuivirtError, match=r"vda \(\S+torn.img\) was changed while it was copied"):
        migrate(two.source, guest.uuid, "far", {}, progress=copying(write))
    assert is_on(two.source, guest)
    assert not is_on(two.target, guest)
    assert not two.file(two.far, "torn.img").exists()


def overlay(two: Two, name: str, base: str) -> Disk:
    """An image on a backing file, of which the source's alone is made here."""
    path = two.file(two.near, name)
    make_image(path, "8M", "qcow2")
    argv = ["qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", f"{IMAGES}/{base}"]
    subprocess.run([*argv, str(path)], check=True)
    return Disk(Path(IMAGES, name), form="qcow2")


def test_an_image_on_a_backing_file_needs_that_there_and_lies_on_it_again(
    two: Two, define: Callable[..., Guest]
) -> None:
    for daemon in (two.near, two.far):
        two.file(daemon, "").mkdir(exist_ok=True)
        make_image(two.file(daemon, "base.qcow2"), "8M", "qcow2")
    guest = define(disks=[overlay(two, "over.qcow2", "base.qcow2")])
    guest.start()
    with pytest.raises(BadInput, match=r"lies on \S+base\.qcow2") as caught:
        migrate(two.source, guest.uuid, "far", HERE)
    assert "--copy-storage-inc" in caught.value.advice
    inc = {**HERE, "copy_storage_inc": True}
    said = migrate(two.source, guest.uuid, "far", inc, force=True)
    assert "runs on far now" in said
    argv = ["qemu-img", "info", "-U", "--output=json", str(two.file(two.far, "over.qcow2"))]
    told = json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
    assert told["backing-filename"] == f"{IMAGES}/base.qcow2"
    assert told["backing-filename-format"] == "qcow2"

    off = define(disks=[overlay(two, "off-over.qcow2", "nowhere.qcow2")])
    with pytest.raises(BadInput, match=r"far does not have \S+nowhere\.qcow2, on which vda"):
        migrate(two.source, off.uuid, "far", {})
    assert is_on(two.source, off)
    assert not two.file(two.far, "off-over.qcow2").exists()


def test_an_image_of_a_domain_that_is_off_goes_to_another_base_only_if_that_is_said(
    two: Two, define: Callable[..., Guest]
) -> None:
    for daemon in (two.near, two.far):
        two.file(daemon, "").mkdir(exist_ok=True)
        make_image(two.file(daemon, "under.qcow2"), "8M", "qcow2")
    guest = define(disks=[overlay(two, "above.qcow2", "under.qcow2")])
    with pytest.raises(BadInput, match=r"lies on \S+under\.qcow2 of near, and far has another one"):
        migrate(two.source, guest.uuid, "far", {})
    assert not two.file(two.far, "above.qcow2").exists()

    make_image(two.file(two.far, "under.qcow2"), "4M", "qcow2")
    with pytest.raises(BadInput, match="that has 4194304 bytes on far, and here 8388608"):
        migrate(two.source, guest.uuid, "far", {}, force=True)
    assert is_on(two.source, guest)
    assert not two.file(two.far, "above.qcow2").exists()

    make_image(two.file(two.far, "under.qcow2"), "8M", "qcow2")
    said = migrate(two.source, guest.uuid, "far", {"copy_storage_inc": True}, force=True)
    assert "is defined on far now, off" in said
    assert digest(two.file(two.far, "above.qcow2")) == digest(two.file(two.near, "above.qcow2"))


def test_a_file_that_both_hosts_see_is_left_where_it_is(
    two: Two, define: Callable[..., Guest], images: Path
) -> None:
    guest = define(disks=[Disk(make_image(images / "both.img", "1M"))])
    guest.start()
    said = migrate(two.source, guest.uuid, "far", {**HERE, "unsafe": True})
    assert "runs on far now" in said
    assert (images / "both.img").stat().st_size == 1 << 20


def test_a_host_is_not_moved_to_itself(two: Two, define: Callable[..., Guest]) -> None:
    guest = define()
    with pytest.raises(BadInput, match="near is the host that it is on already"):
        plan_for(two.source, guest.uuid, "near", {})
    with pytest.raises(BadInput, match="there is no host 'nobody' to move to: there are far"):
        plan_for(two.source, guest.uuid, "nobody", {})
    again = _host("again", two.near.uri)
    try:
        plan = plan_for(two.source, guest.uuid, "again", {})
        assert "again is the same host as near" in plan.of(Weight.REFUSED)[0].text
    finally:
        again.close()


def test_a_host_that_is_not_open_is_named_by_its_uri(
    two: Two, define: Callable[..., Guest]
) -> None:
    guest = define()
    two.target.close()
    try:
        assert "is defined on" in migrate(two.source, guest.uuid, two.far.uri, {})
    finally:
        two.target = _host("far", two.far.uri)
    assert is_on(two.target, guest)


def run(two: Two, *words: str) -> Any:
    """The command line, with both hosts: ``near`` is *local*."""
    return tuivirt("-c", two.near.uri, "-c", two.far.uri, *words)


def test_a_host_is_emptied_by_a_plan_that_is_shown_first(
    two: Two, define: Callable[..., Guest]
) -> None:
    goes = define(disks=[two.image("goes.img", 1 << 20)])
    stays = define()
    for guest in (goes, stays):
        guest.start()
    twin = two.target.conn.defineXML(domain_xml(stays.name))
    try:
        planned = run(two, "evacuate", "local", "--dry-run", "--migrateuri", HERE["migrateuri"])
        assert planned.status == 1
        assert f"{stays.name} stays: local-tuivirtd-far" in planned.err
        assert "has another domain called" in planned.err
        assert "1 of 2 running domains go, 192 MiB in all, 2 at a time" in planned.err
        assert on(two.source, goes).isActive()

        done = run(two, "evacuate", "local", "--migrateuri", HERE["migrateuri"])
        assert done.status == 1
        assert "local is not empty: 1 of 2 domains have left local" in done.err
        assert f"{goes.name} runs on local-tuivirtd-far" in done.err
        assert f"{stays.name} stays on local" in done.err
    finally:
        twin.undefine()
    assert on(two.target, goes).isActive()
    assert on(two.source, stays).isActive()


def test_what_would_be_refused_is_told_by_a_dry_run_and_its_status(
    two: Two, define: Callable[..., Guest]
) -> None:
    guest = define(interfaces=["<interface type='bridge'><source bridge='br-no'/></interface>"])
    far = next(
        h["name"] for h in run(two, "list", "hosts", "-o", "json").json if "far" in h["name"]
    )
    ran = run(two, "migrate", f"{guest.name}@local", far, "--dry-run")
    assert ran.status == 0, ran.err
    assert "br-no" in ran.out
    twin = two.target.conn.defineXML(domain_xml(guest.name))
    try:
        ran = run(two, "migrate", guest.name + "@local", far, "--dry-run")
        assert ran.status == 1
        assert "another domain called" in ran.err
    finally:
        twin.undefine()
    assert run(two, "migrate", guest.name, far, "--live", "--offline").status == 2


def under_way(
    two: Two, guest: Guest, source: Host | None = None, **values: object
) -> tuple[Future[str], threading.Event]:
    """A slow move that has begun to send memory; setting the event aborts it."""
    host = source or two.source
    sending, aborted = threading.Event(), threading.Event()

    def progress(text: str, _part: float | None) -> None:
        if text.startswith("memory"):
            sending.set()

    given = {**HERE, "bandwidth": 1, **values}
    moving = host.moves.submit(
        lambda: migrate(host, guest.uuid, "far", given, progress=progress, aborted=aborted)
    )
    assert sending.wait(30), moving
    return moving, aborted


def test_a_move_under_way_is_told_of_hurried_and_ended_by_post_copy(
    two: Two, define: Callable[..., Guest]
) -> None:
    guest = define()
    guest.start()
    moving, _aborted = under_way(two, guest, postcopy=True)
    told = changes.job_info(two.source, guest.uuid)
    assert "going to another host" in told
    assert "of 193 MiB" in told
    assert "at most" in changes.set_max_downtime(two.source, guest.uuid, 400)
    assert "50 MiB/s" in changes.set_speed(two.source, guest.uuid, 50)
    assert "its memory follows" in changes.start_postcopy(two.source, guest.uuid)
    assert "runs on far now" in moving.result(60)
    assert changes.job_info(two.target, guest.uuid) == f"{guest.name} has no job"


def asked_to_shut_down_and_moved(two: Two, guest: Guest, **values: object) -> str:
    """What the wait for its shutdown tells, when it goes to the other host meanwhile."""
    guest.start()
    asked, chosen = threading.Event(), {**HERE, **values}
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(
            lambda: shutdown(two.source, guest.uuid, progress=lambda *_told: asked.set())
        )
        assert asked.wait(30)
        assert "runs on far now" in migrate(two.source, guest.uuid, "far", chosen, force=True)
        try:
            said = waiting.result(60)
        except TuivirtError as error:
            said = str(error)
    assert on(two.target, guest).isActive()
    return said


def test_one_that_moved_while_it_was_waited_for_is_not_told_to_have_shut_down(
    two: Two, define: Callable[..., Guest]
) -> None:
    said = asked_to_shut_down_and_moved(two, define())
    assert "has not shut down on near: it was moved" in said


@pytest.mark.parametrize(
    ("keep", "told"),
    [
        (True, "{name} has not shut down on near: it was moved"),
        (False, "{name} is not on near any more"),
    ],
)
def test_nor_where_its_event_was_lost_with_the_line(
    two: Two,
    define: Callable[..., Guest],
    monkeypatch: pytest.MonkeyPatch,
    keep: bool,
    told: str,
) -> None:
    monkeypatch.setattr(lifecycle, "lifecycle", lambda *_event, **_detail: False)
    guest = define()
    said = asked_to_shut_down_and_moved(two, guest, keep=keep)
    assert told.format(name=guest.name) in said


def test_until_its_memory_is_there_it_is_told_as_arriving(
    two: Two, define: Callable[..., Guest]
) -> None:
    guest = define()
    guest.start()
    moving, _aborted = under_way(two, guest)
    until(lambda: guest.uuid in two.target.snapshot.domains, "the target lists it")
    there = two.target.snapshot.domains[guest.uuid]
    assert (there.state, there.persistent, there.arriving) == (DomainState.PAUSED, False, True)
    with closing(_host("late", two.far.uri)) as late:
        assert late.snapshot.domains[guest.uuid].arriving
    assert not two.source.snapshot.domains[guest.uuid].arriving
    changes.set_speed(two.source, guest.uuid, 1000)
    assert "runs on far now" in moving.result(60)
    until(lambda: not two.target.snapshot.domains[guest.uuid].arriving, "it has arrived")


def test_anybodys_move_is_aborted_by_the_domains_own_action(
    two: Two, define: Callable[..., Guest]
) -> None:
    guest = define()
    guest.start()
    moving, _aborted = under_way(two, guest)
    assert "is being aborted" in changes.abort_job(two.source, guest.uuid)
    with pytest.raises(TuivirtError, match="goes on running on near, and nothing of it is on far"):
        moving.result(60)


@pytest.mark.parametrize("ends", ["near", "far"])
def test_a_move_goes_on_when_one_of_its_hosts_is_disconnected(
    two: Two, define: Callable[..., Guest], monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    monkeypatch.setattr(truth, "COMES_BACK_S", 1.0)
    guest = define()
    guest.start()
    moving, _aborted = under_way(two, guest)
    (two.source if ends == "near" else two.target).close()
    try:
        # Hurried by somebody else: the host that leads it may be the one that was closed.
        with closing(_host("watching", two.near.uri)) as watching:
            changes.set_speed(watching, guest.uuid, 1000)
        said = moving.result(90)
    finally:
        if ends == "near":
            two.source = _host("near", two.near.uri)
        else:
            two.target = _host("far", two.far.uri)
    told = "runs on far now" if ends == "near" else "libvirt says that"
    assert told in said
    assert f"{ends} cannot be asked" in said
    assert on(two.target, guest).isActive()
    assert not is_on(two.source, guest)


@pytest.mark.parametrize("dies", ["near", "far"])
def test_a_daemon_that_dies_meanwhile_leaves_the_guest_here_and_that_is_told(
    two: Two, define: Callable[..., Guest], dies: str
) -> None:
    guest = define()
    guest.start()
    moving, _aborted = under_way(two, guest)
    daemon = two.near if dies == "near" else two.far
    daemon.kill()
    daemon.start()
    with pytest.raises(TuivirtError, match=r"was not moved to far \(") as caught:
        moving.result(90)
    assert "goes on running on near, and nothing of it is on far" in str(caught.value)
    for host in (two.source, two.target):
        host.wait_filled(30)
    assert on(two.source, guest).state()[0] == libvirt.VIR_DOMAIN_RUNNING
    assert not is_on(two.target, guest)


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 1), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["SIGINT", "SIGTERM", "SIGHUP"],
)
def test_a_signal_at_the_command_line_aborts_it_and_tells_where_the_guest_is(
    two: Two, define: Callable[..., Guest], number: signal.Signals, status: int
) -> None:
    guest = define(disks=[two.image("ended.img")])
    guest.start()
    argv = [sys.executable, "-m", "tuivirt", "-c", two.near.uri, "migrate", guest.name]
    argv += [two.far.uri, "--bandwidth", "1", "--migrateuri", HERE["migrateuri"]]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as program:
        domain = on(two.source, guest)
        until(lambda: domain.jobStats().get("data_total", 0) > 0, "it is moved")
        program.send_signal(number)
        out, err = program.communicate(timeout=60)
    assert program.returncode == status
    assert out == ""
    assert "was aborted: it goes on running on local, and nothing of it is on" in err
    assert "ended.img that was made there is removed again" in err
    assert on(two.source, guest).isActive()
    assert not two.file(two.far, "ended.img").exists()


@pytest.mark.parametrize("p2p", [True, False], ids=["peer to peer", "direct"])
def test_a_line_that_breaks_meanwhile_ends_a_move_only_if_it_went_over_it(
    two: Two, define: Callable[..., Guest], tmp_path: Path, p2p: bool
) -> None:
    guest = define()
    guest.start()
    way = tmp_path / "socket"
    with CountingProxy(way, two.near.folder / "run" / "libvirt-sock") as line:
        source = _host("by-line", f"qemu+unix:///system?socket={way}")
        try:
            values = {"bandwidth": 40, "p2p": p2p, "desturi": two.far.uri}
            moving, _aborted = under_way(two, guest, source, **values)
            line.cut()
            if p2p:
                said = moving.result(90)
                assert "runs on far now" in said
                assert "libvirt had reported" in said
            else:
                with pytest.raises(TuivirtError, match="goes on running on by-line, and nothing"):
                    moving.result(90)
        finally:
            source.close()
    assert is_on(two.target, guest) is p2p
    assert is_on(two.source, guest) is not p2p
