"""Consoles in panes of tuivirt's own, on real guests: drawn right, and nothing of them lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.operator import PROMPT, Operator
from tests.support.guests import Guest

Size = tuple[int, int]
Sit = Callable[..., Operator]

WIDE = (160, 50)


def test_full_screen_programs_are_drawn_as_they_mean_it(
    operator: Sit, shared_guest: Guest, size: Size
) -> None:
    at = operator("-c", shared_guest.uri, size=size)
    at.pick(shared_guest.name)
    at.open_pane()
    at.type("printf 'one\\ntwo\\nthree\\n' >/tmp/lines; vi /tmp/lines")
    at.press("Enter")
    at.sees(r"one *\ntwo *\nthree *\n~ *\n~")
    at.type("jdd")
    at.sees(r"one *\nthree *\n~ *\n~")
    at.type(":wq")
    at.press("Enter")
    at.sees(rf"^{PROMPT}$")
    at.type("clear; wc -l /tmp/lines")
    at.press("Enter")
    at.sees(r"^2 /tmp/lines")
    at.type("clear; top -n 1")
    at.press("Enter")
    at.sees(r"^ +PID +PPID +USER +STAT")
    at.press("C-c")
    at.type("clear")
    at.press("Enter")
    at.leave_pane()


def test_somebody_logs_in(operator: Sit, shared_guest: Guest) -> None:
    eye = shared_guest.serials[0]
    eye.run("echo 'root:zmKpQMHtnRaFA:0:0:root:/root:/bin/sh' >/etc/passwd")  # Its password: x.
    at = operator("-c", shared_guest.uri)
    at.pick(shared_guest.name)
    at.open_pane()
    at.type("clear; login")
    at.press("Enter")
    at.sees(r"login:$")
    at.type("root")
    at.press("Enter")
    at.sees("^Password:")
    at.type("x")
    at.press("Enter")
    at.sees(r"^[#~].*$")
    at.type("echo I am $(id -un); exit")
    at.press("Enter")
    at.sees("I am root")


def test_a_pane_tells_the_guest_its_size_and_goes_back_to_what_was_printed(
    operator: Sit, shared_guest: Guest
) -> None:
    at = operator("-c", shared_guest.uri, size=WIDE)
    at.pick(shared_guest.name)
    at.open_pane()
    at.choose("w")
    at.sees("160×48")
    at.type("clear; stty size")
    at.press("Enter")
    at.sees(r"^48 160$")
    at.type("seq 1 2000")
    at.press("Enter")
    at.sees(r"^2000$")
    at.press("C-]")
    at.sees("search what was printed")
    at.press("/")
    at.sees(r"^ /")
    at.type("1234")
    at.press("Enter")
    at.sees("1 of 1 found")
    at.sees(r"^1234$")
    at.press("Escape")
    at.sees(r"^2000$")
    at.type("stty rows 24 cols 80")
    at.press("Enter")
    at.leave_pane()


def test_a_console_goes_on_recording_while_another_screen_is_looked_at(
    operator: Sit, shared_guest: Guest
) -> None:
    at = operator("-c", shared_guest.uri)
    at.pick(shared_guest.name)
    at.open_pane()
    at.type("clear; (sleep 2; echo came $((3 * 14))) &")
    at.press("Enter")
    at.leave_pane()
    at.press("?")
    at.sees("What can be done to a domain")
    at.press("Escape")
    eye = shared_guest.serials[0]
    eye.run("while ps | grep -q '[s]leep 2'; do :; done")
    at.press("c")
    at.sees("came 42")
    at.choose("x")
    at.sees_row(shared_guest.name)


def test_two_ports_of_a_guest_stand_side_by_side_and_each_gets_its_own_keys(
    operator: Sit, define: Callable[..., Guest]
) -> None:
    guest = define(serials=2)
    guest.boot().close()
    at = operator("-c", guest.uri, size=WIDE)
    at.pick(guest.name)
    at.open_pane()
    at.choose("o")
    at.sees("Another console")
    at.press("Enter")
    at.sees(r"\[\S+ serial1\]")
    at.choose("v")
    at.sees("│")
    at.press("Enter")
    at.type("clear; echo right; ls -l /proc/self/fd/0")
    at.press("Enter")
    at.sees(r"│.*ttyS0")
    at.choose("Left")
    at.press("Enter")
    at.type("clear; ls -l /proc/self/fd/0")
    at.press("Enter")
    at.sees(r"ttyS1 *│")


def test_a_guest_is_forced_off_started_and_rebooted_without_leaving_its_console(
    operator: Sit, define: Callable[..., Guest]
) -> None:
    guest = define()
    guest.boot().close()
    at = operator("-c", guest.uri)
    at.pick(guest.name)
    at.open_pane()
    at.choose("K")
    at.answer("Force off: ", "y")
    at.sees(r"the guest is off, waiting for it; ctrl\+\] S starts it")
    at.type("lost")
    at.press("C-]")
    at.sees("S  start the guest *│")
    at.press("S")
    # The first that the firmware says is there, what was typed meanwhile is not.
    at.sees(rf"built-in shell(.*\n)+{PROMPT}$")
    assert not at.now("lost")
    at.type("clear; echo before >/tmp/boot; reboot -f")
    at.press("Enter")
    at.sees("reboot: Restarting system")
    at.sees(rf"built-in shell(.*\n)+{PROMPT}$")
    at.type("ls /tmp/boot; echo back $((40 + 2))")
    at.press("Enter")
    at.sees("back 42")
    assert at.now("/tmp/boot: No such file")


def test_several_pasted_lines_are_shown_first_and_arrive_whole(
    operator: Sit, shared_guest: Guest, tmp_path: Path
) -> None:
    lines = [f"{number:04} {'x' * (number % 60)}" for number in range(300)]
    text = tmp_path / "text"
    text.write_text("\n".join(lines) + "\n")
    at = operator("-c", shared_guest.uri)
    at.pick(shared_guest.name)
    at.open_pane()
    at.type("clear; cat >/tmp/pasted; md5sum /tmp/pasted")
    at.press("Enter")
    at.choose("f")
    at.sees("send the text of file")
    at.type(str(text))
    at.press("Enter")
    at.answer("Send text: ", "y")
    at.sees(rf"^{re.escape(lines[-1])}", timeout=90)
    at.press("C-d")
    at.sees(r"^[0-9a-f]{32} +/tmp/pasted")
    eye = shared_guest.serials[0]
    assert eye.run("cat /tmp/pasted") == text.read_text()


@pytest.mark.parametrize("key", ["C-q", "C-c", "C-z", "C-p", ":", "?"])
def test_the_programs_own_keys_are_the_guests(operator: Sit, shared_guest: Guest, key: str) -> None:
    at = operator("-c", shared_guest.uri)
    at.pick(shared_guest.name)
    at.open_pane()
    at.type("clear; stty raw -echo; printf 'rea''dy\\r\\n'; head -c 1 | od -An -c; stty sane")
    at.press("Enter")
    at.sees("^ready")
    at.press(key)
    expected = {"C-q": "021", "C-c": "003", "C-z": "032", "C-p": "020"}.get(key, re.escape(key))
    at.sees(rf"^ +{expected}")
