"""Pools that are made for a time: shared by what moves at once, and stopped by the last."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import libvirt
import pytest

from tuivirt.backend.errors import Aborted, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.migration import making
from tuivirt.backend.migration.making import Folders, Made
from tuivirt.backend.migration.preparing import Prepared
from tuivirt.backend.model.host import HostSnapshot
from tuivirt.backend.model.migration import DiskMove, Image
from tuivirt.backend.model.resources import Pool as StoragePool

from .things import PATH, disk

FOLDER = "/srv/images"
WAIT_S = 20.0


class Pool:
    """A pool of the connection below."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.refreshed = 0

    def refresh(self, _flags: int) -> None:
        self.conn.answer()
        self.refreshed += 1

    def destroy(self) -> None:
        self.conn.pools.remove(self)


class Connection:
    """As much of a connection as pools need."""

    def __init__(self) -> None:
        self.pools: list[Pool] = []
        self.made: list[str] = []
        self.broken = False
        self.hangs = threading.Event()
        """As with a dead server, until `answers` is set."""
        self.answers = threading.Event()
        self.asked = threading.Event()

    def answer(self) -> None:
        if self.hangs.is_set():
            self.asked.set()
            assert self.answers.wait(WAIT_S)

    def storagePoolLookupByTargetPath(self, _path: str) -> Any:
        if self.pools:
            return self.pools[0]
        error = libvirt.libvirtError("no pool")
        error.err = (libvirt.VIR_ERR_NO_STORAGE_POOL, 0, "no pool", 0, "", "", None, 0, 0)
        raise error

    def storagePoolCreateXML(self, xml: str, _flags: int) -> Any:
        if self.broken:
            raise libvirt.libvirtError("no room")
        self.answer()
        self.made.append(xml)
        self.pools.append(Pool(self))
        return self.pools[-1]


class FakeHost:
    """As much of a Host as they need."""

    def __init__(self) -> None:
        self.name = "srv2"
        self.conn = Connection()
        self.snapshot = HostSnapshot("srv2", "x:")


def mover_of(host: Host, aborted: threading.Event | None = None) -> Any:
    """As much of a move from the host to itself as preparing needs."""
    return SimpleNamespace(
        source=host,
        target=host,
        calling=nullcontext,
        what="cannot move web",
        aborted=aborted or threading.Event(),
        tell=lambda *_words: None,
    )


@pytest.fixture
def host() -> Host:
    return cast(Host, FakeHost())


def test_a_pool_is_made_once_for_all_that_need_it_and_stopped_by_the_last(host: Host) -> None:
    with Folders(host) as one:
        pool = one.open(FOLDER, make=True)
        with Folders(host) as other:
            assert other.open(FOLDER, make=False) is pool
            assert other.open(FOLDER, make=True) is pool
            one.close()
            assert host.conn.pools == [pool]
        assert host.conn.pools == []
    assert len(host.conn.made) == 1
    assert f"<path>{FOLDER}</path>" in host.conn.made[0]


def test_a_pool_that_the_host_has_is_used_and_left(host: Host) -> None:
    own = Pool(host.conn)
    host.conn.pools.append(own)
    with Folders(host) as folders:
        assert folders.open(FOLDER, make=True) is own
    assert host.conn.pools == [own]
    assert own.refreshed == 1
    assert host.conn.made == []


def test_nothing_is_made_where_that_is_not_wanted_and_a_failure_is_told(host: Host) -> None:
    with Folders(host) as folders:
        assert folders.open(FOLDER, make=False) is None
        host.conn.broken = True
        with pytest.raises(TuivirtError, match=f"cannot look into {FOLDER} on srv2"):
            folders.open(FOLDER, make=True)


def test_a_pool_that_is_mounted_to_be_started_is_left_to_the_operator(host: Host) -> None:
    nfs = StoragePool("srv2", "u", "nfs", "inactive", False, False, True, "netfs", FOLDER)
    host.snapshot = replace(host.snapshot, pools={"u": nfs})  # type: ignore[misc]
    with Folders(host) as folders:
        with pytest.raises(TuivirtError, match=f"the storage pool nfs for {FOLDER} on srv2 is off"):
            folders.open(FOLDER, make=True)
        assert folders.open(FOLDER, make=False) is None
    assert host.conn.made == []


def test_what_was_made_is_removed_after_a_defect_too(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(*_words: object) -> None:
        raise ValueError("no such thing")

    def undo(_self: Prepared) -> str:
        undone.append(True)
        return ""

    undone: list[bool] = []
    monkeypatch.setattr(Prepared, "_make", defect)
    monkeypatch.setattr(Prepared, "undo", undo)
    plan = SimpleNamespace(disks=(), values={"live": True})
    mover = mover_of(host)
    with pytest.raises(ValueError, match="no such thing"):
        Prepared(cast(Any, mover), cast(Any, plan)).__enter__()
    assert undone == [True]


@pytest.mark.parametrize(
    "error", [Aborted("cannot move web"), libvirt.libvirtError("the line broke")]
)
def test_what_is_left_is_told_unless_it_was_begun(
    host: Host, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(Prepared, "_make", lambda *_words: None)
    monkeypatch.setattr(Prepared, "undo", lambda _self: "an image is left")
    plan = SimpleNamespace(disks=(), values={"live": True})
    mover = mover_of(host)

    def move(*, kept: bool) -> None:
        with Prepared(cast(Any, mover), cast(Any, plan)) as prepared:
            if kept:
                prepared.keep()
            raise error

    with pytest.raises(type(error)) as told:
        move(kept=True)
    assert getattr(told.value, "done", "") == ""
    with pytest.raises(TuivirtError, match="cannot move web") as caught:
        move(kept=False)
    assert caught.value.done == "an image is left"


@pytest.mark.parametrize(("live", "begun"), [(True, True), (True, False), (False, False)])
def test_an_image_is_told_as_overwritten_only_once_that_was_begun(
    host: Host, live: bool, begun: bool
) -> None:
    moves = (DiskMove(disk(), Image.OVERWRITE),)
    plan = SimpleNamespace(disks=moves, values={"live": live})
    mover = mover_of(host)
    prepared = Prepared(cast(Any, mover), cast(Any, plan))
    prepared._make(cast(Any, None))
    if begun:
        prepared.keep()
    told = f"{PATH} on srv2 is overwritten, at least in part"
    assert prepared.undo() == (told if begun else "")


def hanging(host: Any) -> Callable[[], None]:
    """Its pools hang from now on, until the returned is called, which waits for what hung."""
    conn = host.conn
    conn.hangs.set()

    def answer() -> None:
        conn.hangs.clear()
        conn.answers.set()

    return answer


@pytest.mark.parametrize("known", [True, False], ids=["a pool that is there", "one that is made"])
def test_a_move_is_aborted_while_a_dead_server_keeps_libvirt_and_nothing_stays(
    host: Any, known: bool
) -> None:
    if known:
        host.conn.pools.append(Pool(host.conn))
    answer = hanging(host)
    aborted = threading.Event()
    move = SimpleNamespace(disk=replace(disk(), source_type="file"), image=Image.LOOK, target="vda")
    plan = SimpleNamespace(disks=(move,), values={"live": True})

    def abort() -> None:
        host.conn.asked.wait(WAIT_S)
        aborted.set()

    threading.Thread(target=abort).start()
    prepared = Prepared(mover_of(host, aborted), cast(Any, plan))
    with pytest.raises(Aborted, match=r"the look into /.* on srv2 is no longer followed"):
        prepared.__enter__()
    answer()
    made = [] if not known else [host.conn.pools[0]]
    deadline = time.monotonic() + WAIT_S
    while threads_named("the look into") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert host.conn.pools == made, "what was made too late is stopped all the same"


def threads_named(name: str) -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith(name)]


def test_where_nobody_can_abort_the_wait_for_a_dead_server_ends_by_itself(
    host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "LOOK_S", 0.05)
    answer = hanging(host)
    made = Made(host)
    made._paths.append(f"{FOLDER}/a.img")
    gone, left = made.remove()
    answer()
    assert gone == []
    assert f"{FOLDER}/a.img on srv2 (the look into {FOLDER} on srv2 has not ended" in left[0]
    assert "are stopped once libvirt answers for them" in left[1]
