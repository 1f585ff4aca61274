"""A pool whose server is dead: libvirt's look at it hangs, and that is told, and can be aborted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.unit.owners.fakes import FakeHost, PoolHandle
from tuivirt.backend import errors, pools
from tuivirt.backend.errors import Aborted
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.owners import Finder, against_overwriting
from tuivirt.backend.owners.survey import pools_of
from tuivirt.backend.storage import create, slow

WAIT_S = 20.0


class Silent(PoolHandle):
    """One whose server is dead until it ``answers``."""

    def __init__(self, name: str = "nfs") -> None:
        super().__init__(name, "netfs", "/nfs", {"base": ("/nfs/base", "")})
        self.asked = threading.Event()
        self.answers = threading.Event()
        self.calls = 0

    def UUIDString(self) -> str:
        return self._name

    def refresh(self, _flags: int) -> None:
        self.calls += 1
        self.asked.set()
        assert self.answers.wait(WAIT_S)

    create = refresh

    def listVolumes(self) -> list[str]:
        return list(self.volumes)


@pytest.fixture
def handle() -> Iterator[Silent]:
    one = Silent()
    yield one
    one.answers.set()
    ends(lambda: not slow.goes_on(("refresh", "srv1", "nfs")))


def ends(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.005)


@pytest.fixture
def host(handle: Silent) -> Any:
    one: Any = FakeHost("srv1", pools=(handle,))
    one.pool = lambda _key: handle
    one.touch = lambda _ref: None
    one.require_write = lambda: None
    return one


def aborted_once_asked(handle: Silent) -> threading.Event:
    """Set as soon as the server is asked."""
    aborted = threading.Event()

    def abort() -> None:
        handle.asked.wait(WAIT_S)
        aborted.set()

    threading.Thread(target=abort).start()
    return aborted


def test_who_lies_on_an_image_is_told_as_not_known_and_the_next_who_asks_waits_no_more(
    host: Any, handle: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow, "LOOK_S", 0.05)
    (unsure,) = Finder(host).of("/nfs/base").unsure
    assert unsure.startswith(
        "pool nfs could not be looked at again (the refresh of pool nfs has not ended within"
    )
    monkeypatch.setattr(slow, "LOOK_S", WAIT_S)
    (unsure,) = Finder(host).of("/nfs/base").unsure
    assert "the refresh of pool nfs was begun before, and has not ended" in unsure
    assert handle.calls == 1, "each would take one of the few calls that a daemon takes at once"
    handle.answers.set()
    ends(lambda: Finder(host).of("/nfs/base").unsure == ())


def test_what_would_be_written_over_is_asked_as_a_risk(
    host: Any, handle: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow, "LOOK_S", 0.05)
    first, *_ = against_overwriting(host, "/nfs/new")
    assert first.weight is Weight.RISK
    assert first.text.startswith(
        "whether /nfs/new is there is not known: the refresh of pool nfs has not ended"
    )


def test_pools_that_libvirt_does_not_list_are_told_as_that(
    host: Any, handle: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow, "LOOK_S", 0.05)

    def lists(_flags: int) -> list[PoolHandle]:
        handle.answers.wait(WAIT_S)
        return []

    monkeypatch.setattr(host.conn, "listAllStoragePools", lists)
    said = "the listing of the pools of host srv1 has not ended within"
    with pytest.raises(errors.Silent, match=said):
        pools_of(host)
    with pytest.raises(errors.Silent, match="was begun before, and has not ended"):
        pools_of(host)
    # Nobody aborted it.
    with pytest.raises(errors.Silent, match="cannot tell who has an image: the listing") as told:
        Finder(host)
    assert told.value.advice == "until it ends libvirt may not answer for its pools"
    handle.answers.set()
    ends(lambda: not slow.goes_on(("pools", "srv1")))
    assert pools_of(host) == []


def test_a_volume_that_is_to_be_made_there_can_be_aborted(host: Any, handle: Silent) -> None:
    told: list[str] = []
    with pytest.raises(Aborted, match="the refresh of pool nfs is no longer followed"):
        create._prepare(
            host,
            handle,
            "a.img",
            "",
            "cannot make volume a.img",
            aborted_once_asked(handle),
            lambda text, _far: told.append(text),
        )
    assert told[0] == "looking again at what is in pool nfs"


@pytest.mark.parametrize(
    ("verb", "said"), [(pools.refresh, "the refresh"), (pools.start, "the start")]
)
def test_the_verbs_on_the_pool_itself_can_be_aborted(
    host: Any, handle: Silent, verb: Callable[..., str], said: str
) -> None:
    host.subscribe = lambda _hear: lambda: None
    with pytest.raises(Aborted, match=rf"{said} of .*nfs is no longer followed: it goes on"):
        verb(host, "nfs", aborted=aborted_once_asked(handle))


def test_a_call_that_ends_says_nothing_of_another_of_its_key_that_hangs() -> None:
    first, second = threading.Event(), threading.Event()
    begun = threading.Barrier(3)

    def call(answers: threading.Event) -> None:
        begun.wait(WAIT_S)
        assert answers.wait(WAIT_S)

    def wait(answers: threading.Event, aborted: threading.Event) -> None:
        with pytest.raises(Aborted):
            slow.call_for_pool(lambda: call(answers), "it", "", aborted, None, key="two")

    aborted = threading.Event()
    waiting = [threading.Thread(target=wait, args=(each, aborted)) for each in (first, second)]
    for each in waiting:
        each.start()
    begun.wait(WAIT_S)
    aborted.set()
    for each in waiting:
        each.join(WAIT_S)
    first.set()
    ends(lambda: sum(key == "two" for key, _ended in slow._left) == 1)
    with pytest.raises(errors.Silent, match="was begun before"):
        slow.call_for_pool(lambda: None, "it", "", None, None, key="two")
    second.set()
    ends(lambda: not slow.goes_on("two"))
    slow.call_for_pool(lambda: None, "it", "", None, None, key="two")
