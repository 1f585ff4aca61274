"""Who names a secret is told of all pools that answer; one that hangs keeps nobody waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.owners.fakes import FakeHost, PoolHandle
from tuivirt.backend.errors import Aborted
from tuivirt.backend.model.secret import Secret
from tuivirt.backend.secret_users import users_of
from tuivirt.backend.storage import slow

WAIT_S = 20.0
SECRET = Secret(uuid="0b9c9d5e-7d0f-4d3d-9a35-3b1f2f6f1a00", kind="ceph", usage="ceph web")
AUTH = f"<auth type='ceph' username='web'><secret uuid='{SECRET.uuid}'/></auth>"


class Pool(PoolHandle):
    """One whose server is dead until it ``answers``."""

    def __init__(self, name: str, more: str = "", *, dead: bool = False) -> None:
        super().__init__(name, "rbd", "", {}, more)
        self.asked, self.answers = threading.Event(), threading.Event()
        if not dead:
            self.answers.set()

    def isPersistent(self) -> bool:
        return True

    def listAllVolumes(self, flags: int) -> list[Any]:
        self.asked.set()
        assert self.answers.wait(WAIT_S)
        return super().listAllVolumes(flags)


@pytest.fixture
def dead() -> Iterator[Pool]:
    one = Pool("dead", dead=True)
    yield one
    one.answers.set()


def host_of(*pools: PoolHandle) -> Any:
    return FakeHost("srv1", pools=pools)


def test_a_pool_that_hangs_is_told_as_one_that_cannot_be_read(
    dead: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = Pool("off")
    off.active = False
    monkeypatch.setattr(slow, "LOOK_S", 0.05)
    users, unread = users_of(host_of(dead, Pool("ceph", AUTH), off), SECRET)
    assert users == ("pool ceph",)
    hung, not_active = unread
    assert hung.startswith("pool dead cannot be read: the look into pool dead has not ended within")
    assert not_active == "pool off is not active: what its volumes need is not known"


def test_it_can_be_aborted(dead: Pool) -> None:
    aborted = threading.Event()

    def abort() -> None:
        dead.asked.wait(WAIT_S)
        aborted.set()

    threading.Thread(target=abort).start()
    with pytest.raises(Aborted, match="the look into pool dead is no longer followed"):
        users_of(host_of(dead, Pool("ceph", AUTH)), SECRET, aborted)


def test_pools_that_libvirt_does_not_list_are_told_as_that(
    dead: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow, "LOOK_S", 0.05)
    host = host_of(dead)

    def lists(_flags: int) -> list[PoolHandle]:
        dead.answers.wait(WAIT_S)
        return []

    monkeypatch.setattr(host.conn, "listAllStoragePools", lists)
    users, (unread,) = users_of(host, SECRET)
    assert users == ()
    assert unread.startswith("the pools of host srv1 cannot be read: the listing of the pools")
