"""Jobs on one connection are counted, and their end can be waited for."""

from __future__ import annotations

import threading

from tuivirt.backend.traffic import Traffic


def test_what_waits_for_minutes_is_nudged_only_when_another_call_meets_it() -> None:
    nudged = threading.Event()
    traffic = Traffic("t", nudged.set)
    with traffic.standing(), traffic.standing():
        assert not nudged.wait(0.1)
        with traffic.job():
            assert nudged.wait(10)
        assert not traffic.rest(0)
    assert traffic.rest(0)
    traffic.close()


def test_the_end_of_what_is_under_way_is_waited_for() -> None:
    traffic, inside, leave = Traffic("t", lambda: None), threading.Event(), threading.Event()

    def work() -> None:
        with traffic.job():
            inside.set()
            leave.wait(10)

    assert traffic.rest(0)
    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(10)
    assert not traffic.rest(0.01)
    leave.set()
    assert traffic.rest(10)
    thread.join()
    traffic.close()
