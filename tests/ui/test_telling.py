"""What must not be missed: marks of the header, a lost connection, a console that was refused."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.registry import ACTIONS
from tuivirt.backend.events import LinkChanged, Noticed, TaskChanged
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.screens.telling import News, after, notice_of
from tuivirt.screens.whereabouts import where_it_went
from tuivirt.widgets.dialogs import MessageDialog

from . import factory
from .driver import DrivenApp, screen_lines, screen_text, until
from .things import WEB

SIZE = (80, 24)


async def test_a_long_uri_gives_way_to_the_marks_of_the_header() -> None:
    host = factory.sketch().hosts[factory.HOST]
    assert host.info is not None
    info = replace(host.info, readonly=True)
    long = replace(host, uri="qemu+unix:///system?socket=/" + "long/" * 30, info=info)
    app = DrivenApp(factory.fleet(long))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        header = screen_lines(app)[0]
        assert "READ-ONLY" in header
        assert "qemu+unix:///" in header
        assert "…" in header


async def test_a_lost_connection_is_told_with_its_reason_and_its_return_too() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        app.hub.publish(LinkChanged(host="srv1", link=Link.LOST, reason="End of file"))
        lost = "✗ srv1: connection lost: End of file"
        await until(pilot, lambda: lost in screen_text(app), lost)
        app.hub.publish(LinkChanged(host="srv1", link=Link.CONNECTED))
        back = "srv1: connected again"
        await until(pilot, lambda: back in screen_text(app), back)


async def test_a_guest_of_a_lost_host_is_not_told_as_running_in_its_detail() -> None:
    host = factory.sketch().hosts[factory.HOST]
    app = DrivenApp(Fleet(hosts={host.name: replace(host, link=Link.LOST)}))
    async with app.run_test(size=SIZE) as pilot:
        app.open_object(factory.ref_of(1))
        await pilot.pause()
        assert "stalled for" in screen_lines(app)[1]


async def test_the_screen_is_back_before_a_refused_console_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = DrivenApp(factory.sketch())
    happened: list[str] = []

    @contextmanager
    def suspend() -> Iterator[None]:
        # As Textual's: what is raised in the block skips the taking back.
        yield
        happened.append("back")

    def attach(run: Any, domain: Any, **values: Any) -> str:
        raise TuivirtError("cannot open the console", "somebody else has it open")

    monkeypatch.setattr(app, "suspend", suspend)
    action = ACTIONS["console"]
    original = action.function
    object.__setattr__(action, "function", attach)
    try:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            app.lend_console(factory.ref_of(1), "serial0")
            await pilot.pause()
            assert happened == ["back"]
            assert isinstance(app.screen, MessageDialog)
            assert "somebody else has it open" in screen_text(app)
    finally:
        object.__setattr__(action, "function", original)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_ends_it_as_a_key_does(number: signal.Signals) -> None:
    app = DrivenApp(factory.sketch())
    try:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            os.kill(os.getpid(), number)
            await until(pilot, lambda: app.return_code is not None, "the end")
    finally:
        asyncio.get_running_loop().remove_signal_handler(number)
    assert app.return_code == 128 + number


def test_advice_is_a_sentence_of_its_own_and_names_stay_as_they_are() -> None:
    for advice, said in (
        ("stop one", "no memory. Stop one"),
        ("virsh edit shows it", "no memory. virsh edit shows it"),
        ("/etc/libvirt holds it", "no memory. /etc/libvirt holds it"),
        ("web-01 has it", "no memory. web-01 has it"),
        ("", "no memory"),
    ):
        assert after("no memory", advice) == said
    assert after("It ended.", "try again") == "It ended. Try again"


@pytest.mark.parametrize("state", [TaskState.RUNNING, TaskState.PENDING])
def test_what_is_not_done_yet_is_told_with_the_name_before_it(state: TaskState) -> None:
    task = Task(1, "shutdown", WEB, "web-01", 0.0, state, text="it has been asked to shut down")
    assert notice_of(task) == (
        "web-01: it has been asked to shut down",
        "information" if state is TaskState.RUNNING else "warning",
    )


@pytest.mark.parametrize(
    ("state", "text", "said"),
    [
        (TaskState.RUNNING, "copying", "web-01@srv1: copying"),
        (TaskState.PENDING, "it was asked", "web-01@srv1: it was asked"),
        (TaskState.DONE, "web-01 is off", "web-01@srv1 is off"),
        (TaskState.DONE, "", "shutdown web-01@srv1"),
        (TaskState.FAILED, "cannot stop web-01: it is busy", "cannot stop web-01@srv1: it is busy"),
        (TaskState.DONE, "web-01-old stays, web-01 goes.", "web-01-old stays, web-01@srv1 goes."),
        (TaskState.FAILED, "no /img/web-01.img", "web-01@srv1: no /img/web-01.img"),
        (TaskState.ABORTED, "not begun", "web-01@srv1: not begun"),
    ],
)
def test_with_several_hosts_news_names_the_object_with_its_own(
    state: TaskState, text: str, said: str
) -> None:
    told = notice_of(Task(1, "shutdown", WEB, "web-01", 0.0, state, text=text), several=True)
    assert told is not None
    assert told[0] == said


def test_a_failure_is_not_passed_over_for_what_ends_well_until_a_key_is_pressed() -> None:
    def ended(number: int, state: TaskState, text: str) -> Task:
        return Task(number, "shutdown", WEB, "web-01", 0.0, state, text=text)

    news = News()
    stands = news.of(ended(1, TaskState.DONE, "a is off"), ("", "information"), 0.0)
    assert stands == ("a is off", "information")
    stands = news.of(ended(2, TaskState.FAILED, "no b"), stands, 0.0)
    assert stands == ("no b", "error")
    assert news.of(ended(3, TaskState.DONE, "c is off"), stands, 0.0) is stands
    assert news.of(ended(4, TaskState.RUNNING, "asked"), stands, 0.0) is stands
    second = ("2 failed (:job lists them), no d", "error")
    stands = news.of(ended(5, TaskState.FAILED, "no d"), stands, 0.0)
    assert stands == second
    stands = news.of(ended(5, TaskState.FAILED, "no d"), stands, 0.0)
    assert stands == second, "the same told again"
    pressed_at = time.monotonic()
    after_it = news.of(ended(6, TaskState.DONE, "e is off"), stands, pressed_at)
    assert after_it == ("e is off", "information")
    assert news.of(ended(7, TaskState.FAILED, "no f"), after_it, pressed_at) == ("no f", "error")


async def test_a_failure_stands_until_a_key_whatever_else_is_told_and_nothing_falls_silent() -> (
    None
):
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:

        def told(number: int, state: TaskState, text: str) -> None:
            task = Task(number, "shutdown", WEB, "web-01", 0.0, state, text=text)
            app.hub.publish(TaskChanged(host="srv1", task=task))
            app.on_arrived()

        app.hub.publish(LinkChanged(host="srv1", link=Link.LOST, reason="End of file"))
        told(1, TaskState.FAILED, "no b")
        app.hub.publish(LinkChanged(host="srv1", link=Link.CONNECTED))
        app.hub.publish(Noticed(host="srv1", text="a domain was renamed"))
        told(2, TaskState.DONE, "c is off")
        assert app.notice == ("no b", "error")
        await pilot.press("j")
        told(3, TaskState.DONE, "d is off")
        assert app.notice == ("d is off", "information")
        told(4, TaskState.FAILED, "no e")
        app.say("said for a key")
        told(5, TaskState.DONE, "f is off")
        assert app.notice == ("f is off", "information")


def two_hosts(**ours: Any) -> Fleet:
    """srv1 as ``ours`` has it, and srv2 with the same domains."""
    host = replace(factory.sketch().hosts[factory.HOST], link=Link.CONNECTED)
    return Fleet(hosts={"srv1": replace(host, **ours), "srv2": replace(host, name="srv2")})


def test_where_a_domain_went_is_told_as_far_as_it_is_known() -> None:
    running, off = factory.ref_of(1), factory.ref_of(8)
    known = factory.sketch().domain(running)
    gone = two_hosts(domains={})
    assert where_it_went(running, known, gone) == (
        "web-01 is on srv2 now, and no longer on srv1. Below is what was known last."
    )
    assert where_it_went(off, None, gone) == f"{off.key} is no longer on srv1; srv2 has it, off."
    closed = two_hosts(domains={}, link=Link.CLOSED)
    assert where_it_went(running, known, closed).startswith("srv1 is not connected.")
    stalled = two_hosts(domains={}, link=Link.STALLED)
    assert "not connected" not in where_it_went(running, known, stalled)
    alone = Fleet(hosts={"srv1": gone.hosts["srv1"]})
    assert where_it_went(running, None, alone) == f"{running.key} is gone."


def test_news_of_a_host_names_it_once() -> None:
    ref = Ref("srv1", Kind.HOST, "srv1")
    task = Task(1, "host-test", ref, "srv1", 0.0, TaskState.DONE, text="srv1 answers")
    assert notice_of(task, several=True) == ("srv1 answers", "information")


def test_an_option_of_the_command_line_is_told_in_the_words_of_the_form() -> None:
    task = Task(1, "undefine", WEB, "web-01", 0.0, TaskState.FAILED, text="cannot undefine web-01")
    told = notice_of(replace(task, advice="give --snapshots-metadata, and --tpm or --keep-tpm"))
    assert told is not None
    assert told[0] == (
        "cannot undefine web-01. "
        "Give “Snapshots metadata”, and “Delete TPM state” or “Keep TPM state”"
    )
