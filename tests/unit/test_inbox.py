"""What other threads published, as the screen's thread takes it."""

from __future__ import annotations

import pytest

from tuivirt import inbox
from tuivirt.backend.events import Noticed, SnapshotChanged
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.inbox import Inbox

NAMES = ("a", "b", "c")


def changed(host: str, link: Link = Link.CONNECTED) -> SnapshotChanged:
    return SnapshotChanged(host=host, snapshot=HostSnapshot(host, f"test:///{host}", link))


@pytest.fixture
def woken() -> list[None]:
    return []


@pytest.fixture
def box(woken: list[None]) -> Inbox:
    return Inbox(lambda: woken.append(None))


def test_the_screen_is_woken_once_for_all_that_comes_until_it_looks(
    box: Inbox, woken: list[None]
) -> None:
    for name in NAMES:
        box.put(changed(name))
    assert len(woken) == 1
    box.opened()
    box.put(Noticed(host="", text="said"))
    assert len(woken) == 2


def test_events_come_in_their_order_and_of_each_host_what_it_was_last(box: Inbox) -> None:
    for event in (
        changed("a", Link.LOST),
        Noticed(host="a", text="1"),
        Noticed(host="a", text="2"),
        changed("a"),
    ):
        box.put(event)
    assert [event.text for event in box.events() if isinstance(event, Noticed)] == ["1", "2"]
    assert [host.link for host in box.snapshots()] == [Link.CONNECTED]
    assert not box


def test_hosts_that_take_long_let_a_key_in_between_and_the_first_is_not_overtaken(
    box: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "SLICE_S", 0.0)
    for name in NAMES:
        box.put(changed(name))
    taken = []
    while box:
        (host,) = box.snapshots()
        taken.append(host.name)
        if len(taken) == 1:
            box.put(changed("a"))  # It waits behind those that wait already.
    assert taken == ["a", "b", "c", "a"]


def test_a_host_that_is_known_anew_is_not_told_again(box: Inbox) -> None:
    box.put(changed("a", Link.LOST))
    box.forget("a")
    assert list(box.snapshots()) == []
