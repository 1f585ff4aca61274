"""The console of a demo guest, spoken to as through libvirt's own stream."""

from __future__ import annotations

import re
import threading
from typing import Any

import libvirt
import pytest

from tests.unit.demo.conftest import Ear, disk
from tuivirt.demo import shell as shells
from tuivirt.demo.connection import DemoConnection

READABLE, WRITABLE = libvirt.VIR_STREAM_EVENT_READABLE, libvirt.VIR_STREAM_EVENT_WRITABLE
PROMPT = b":~# "


class Reader:
    """Reads in the stream's callback and lets a test wait for what it said."""

    def __init__(self, demo: DemoConnection, name: str, flags: int = 0) -> None:
        self.stream: Any = demo.newStream(libvirt.VIR_STREAM_NONBLOCK)
        self.said = b""
        self.end: str = ""
        self.threads: set[str] = set()
        self._changed = threading.Condition()
        demo.lookupByName(name).openConsole(None, self.stream, flags)
        self.stream.eventAddCallback(READABLE, self._ready, None)

    def _ready(self, stream: Any, _events: int, _opaque: Any) -> None:
        with self._changed:
            self.threads.add(threading.current_thread().name)
            try:
                data = stream.recv(100)
                if data == b"":
                    self.end = "end"
                elif data != -2:
                    self.said += data
            except libvirt.libvirtError as error:
                self.end = str(error)
            if self.end:
                stream.eventRemoveCallback()
            self._changed.notify_all()

    def type(self, text: str) -> Reader:
        assert self.stream.send(text.encode()) == len(text.encode())
        return self

    def expect(self, wanted: bytes, times: int = 1) -> bytes:
        with self._changed:
            assert self._changed.wait_for(lambda: self.said.count(wanted) >= times, 20), self.said
            before, _, self.said = self.said.partition(wanted)
            return before

    def wait_for_end(self) -> str:
        with self._changed:
            assert self._changed.wait_for(lambda: bool(self.end), 20)
            return self.end

    def run(self, command: str) -> str:
        self.type(command + "\r").expect(b"\r\n")
        return self.expect(PROMPT).decode().rpartition("\r\n")[0].replace("\r\n", "\n")


def shell(demo: DemoConnection, name: str = "web-01") -> Reader:
    reader = Reader(demo, name)
    reader.type("\r").expect(PROMPT)
    return reader


def test_a_shell_answers_on_the_event_loops_thread(demo: DemoConnection) -> None:
    reader = shell(demo)
    assert reader.run("echo hello $((6*7))") == "hello 42"
    assert reader.run("uname") == "Linux"
    assert reader.run("zork") == "sh: zork: not found"
    assert reader.run("echo $?") == "127"
    assert reader.run("colours").count("\x1b[") > 80
    assert reader.threads == {"libvirt-events"}


def test_a_plugged_disk_is_seen_in_the_guest(demo: DemoConnection) -> None:
    reader, domain = shell(demo), demo.lookupByName("web-01")
    assert "vdb" not in reader.run("cat /proc/partitions")
    domain.attachDeviceFlags(disk("vdb"), 0)
    reader.expect(b"[vdb]")
    assert " vdb" in reader.run("cat /proc/partitions")


def test_nothing_to_read_is_minus_two_and_not_the_end(demo: DemoConnection) -> None:
    stream = demo.newStream(libvirt.VIR_STREAM_NONBLOCK)
    demo.lookupByName("web-01").openConsole("serial0", stream, 0)
    while stream.recv(4096) != -2:
        pass
    assert stream.recv(10) == -2


def test_typing_is_edited_as_in_a_terminal(demo: DemoConnection) -> None:
    reader = shell(demo)
    assert reader.run("echo wrong\x15echo helpp\x7f 日本\x7f\x1b[A\x1bOC") == "help 日"


def test_output_without_end_is_made_as_it_is_read_and_can_be_interrupted(
    demo: DemoConnection,
) -> None:
    reader = shell(demo)
    reader.type("flood\r").expect(b"flood 00000100 ")
    reader.type("\x03").expect(b"^C")
    reader.expect(PROMPT)
    assert reader.run("echo calm") == "calm"


def test_long_output_arrives_whole(demo: DemoConnection) -> None:
    reader = shell(demo)
    assert reader.run("seq 5000").split() == [str(number) for number in range(1, 5001)]


def test_a_full_screen_program_draws_again_by_itself_and_cleans_up(demo: DemoConnection) -> None:
    reader = shell(demo)
    reader.type("top\r").expect(b"\x1b[?1049h")
    reader.expect(b"top - up")
    reader.expect(b"top - up")
    reader.type("q").expect(b"\x1b[?1049l")
    assert reader.run("echo back") == "back"


def test_help_names_all_that_there_is(demo: DemoConnection) -> None:
    said = shell(demo).run("help")
    words = set(re.findall(r"\w+", said))
    power = {"reboot", "poweroff", "halt", "seq", "flood"}
    assert {*shells._COMMANDS, *shells._PROGRAMS, *power} <= words
    assert max(map(len, said.splitlines())) < 80


def test_a_program_draws_for_the_size_that_stty_was_told(demo: DemoConnection) -> None:
    reader = shell(demo)
    assert reader.run("stty size") == "24 80"
    assert "invalid argument" in reader.run("stty rows zork")
    assert reader.run("stty rows 0 cols 5000; stty size") == "1 1000"
    reader.run("stty rows 10 cols 40")
    reader.type("less numbers.txt\r").expect(b"\x1b[10;1H")
    reader.expect(b"lines 1-8 of 500")
    reader.type("\x1b[B")
    reader.expect(b"\x1b[2;9r\x1b[9;1H\x1bD\x1b[r\x1b[9;1H\x1b[0m   9  line 9 of 500")
    reader.type("q").expect(b"\x1b[?1049l")


def test_what_the_terminal_sends_is_shown_also_when_it_comes_in_pieces(
    demo: DemoConnection,
) -> None:
    reader = shell(demo)
    reader.type("keys\r").expect(b"\x1b[?2004h")
    reader.type("\x1b[").type("15~").expect(b"^[[15~")
    reader.type("\x1b[<20;7;3M").expect(b"mouse shift+ctrl+left press, column 7 row 3")
    reader.type("\x1b[<34;8;3M").expect(b"mouse right drag, column 8 row 3")
    reader.type("\x1b[200~one\rt").type("wo q\x1b[201~").expect(b"9 characters, 2 lines")
    reader.type("qecho typed ahead\r").expect(b"\x1b[?2004l")
    reader.expect(b"\r\ntyped ahead")


def test_a_flood_of_so_many_lines_ends_by_itself(demo: DemoConnection) -> None:
    reader = shell(demo)
    lines = reader.run("flood 3000").splitlines()
    assert (len(lines), lines[-1][:14]) == (3000, "flood 00003000")
    assert reader.run("flood many") == "flood: how many lines, or nothing for no end"


def test_a_program_goes_on_when_its_console_is_left_and_is_drawn_for_the_next(
    demo: DemoConnection,
) -> None:
    first = shell(demo)
    first.type("top\r").expect(b"top - up")
    first.stream.finish()
    again = Reader(demo, "web-01")
    again.expect(b"\x1b[?1049h")
    again.expect(b"top - up", times=2)
    again.type("m").expect(b"sorted by memory")
    again.type("q").expect(PROMPT)


def test_only_one_holds_the_console_unless_it_is_forced(demo: DemoConnection) -> None:
    first = shell(demo)
    with pytest.raises(libvirt.libvirtError, match="Active console session exists") as held:
        Reader(demo, "web-01")
    assert held.value.get_error_code() == libvirt.VIR_ERR_OPERATION_FAILED
    second = Reader(demo, "web-01", libvirt.VIR_DOMAIN_CONSOLE_FORCE)
    assert "stream had I/O failure" in first.wait_for_end()
    second.type("\r").expect(PROMPT)
    second.stream.finish()
    shell(demo)


def test_it_ends_when_the_guest_stops_and_tells_of_the_next_boot(demo: DemoConnection) -> None:
    reader, domain = shell(demo), demo.lookupByName("web-01")
    domain.destroy()
    assert reader.wait_for_end() == "end"
    domain.create()
    again = Reader(demo, "web-01")
    again.expect(b"Multi-User System")
    again.expect(PROMPT)


def test_a_guest_powers_itself_off(demo: DemoConnection) -> None:
    reader = shell(demo)
    ear = Ear(demo, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE)
    reader.type("poweroff\r").expect(b"Power down")
    ear.wait(lambda heard: heard[1] == libvirt.VIR_DOMAIN_EVENT_STOPPED)
    assert reader.wait_for_end() == "end"
    assert not demo.lookupByName("web-01").isActive()


def test_a_reboot_keeps_the_stream_and_boots_before_its_eyes(demo: DemoConnection) -> None:
    reader = shell(demo)
    reader.type("reboot\r").expect(b"Restarting system")
    reader.expect(b"Linux version")
    reader.expect(PROMPT)
    assert reader.run("echo up") == "up"


def test_writable_is_told_only_when_it_is_watched(demo: DemoConnection) -> None:
    stream, told = demo.newStream(libvirt.VIR_STREAM_NONBLOCK), threading.Event()
    demo.lookupByName("web-01").openConsole(None, stream, 0)

    def ready(stream: Any, events: int, _opaque: Any) -> None:
        assert events == WRITABLE
        stream.eventUpdateCallback(0)
        told.set()

    stream.eventAddCallback(0, ready, None)
    assert not told.is_set()
    stream.eventUpdateCallback(WRITABLE)
    assert told.wait(20)


@pytest.mark.parametrize(
    ("name", "device", "code"),
    [
        ("template-deb12", None, libvirt.VIR_ERR_OPERATION_INVALID),
        ("web-01", "zork", libvirt.VIR_ERR_INTERNAL_ERROR),
    ],
)
def test_a_console_that_is_not_there_cannot_be_opened(
    demo: DemoConnection, name: str, device: str | None, code: int
) -> None:
    with pytest.raises(libvirt.libvirtError) as refused:
        demo.lookupByName(name).openConsole(device, demo.newStream(1), 0)
    assert refused.value.get_error_code() == code


def test_a_stream_that_was_finished_gives_nothing_more(demo: DemoConnection) -> None:
    reader = shell(demo)
    reader.stream.finish()
    with pytest.raises(libvirt.libvirtError):
        reader.stream.recv(10)
