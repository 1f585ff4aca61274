"""What the operator should know is not lost where a host is there before the screen."""

from __future__ import annotations

from tuivirt.backend.events import Event, EventHub, LinkChanged, Noticed
from tuivirt.backend.model.host import Link


def test_a_notice_waits_for_the_first_who_listens_and_for_nobody_after() -> None:
    hub = EventHub()
    early, late = Noticed(host="h", text="early"), Noticed(host="h", text="late")
    hub.publish(early)
    hub.publish(LinkChanged(host="h", link=Link.CONNECTED))
    first: list[Event] = []
    second: list[Event] = []
    end = hub.subscribe(first.append)
    assert first == [early]
    hub.subscribe(second.append)
    hub.publish(late)
    end()
    assert (first, second) == ([early, late], [late])


def test_one_who_waits_for_something_else_takes_no_notice_away() -> None:
    hub = EventHub()
    early, between = Noticed(host="h", text="early"), Noticed(host="h", text="between")
    hub.publish(early)
    other: list[Event] = []
    end = hub.subscribe(other.append, waited=False)
    hub.publish(between)
    end()
    screen: list[Event] = []
    hub.subscribe(screen.append)
    assert screen == [early, between]
