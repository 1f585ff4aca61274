"""What real guests print is drawn in the pane, cell by cell, as a terminal draws it itself."""

from __future__ import annotations

import base64
from collections.abc import Callable

from tests.e2e.drawing import drawn_by_pane, drawn_by_terminal, go_raw, leave_raw, sees_drawn
from tests.e2e.operator import PANE, PROMPT, Operator
from tests.support.guests import Guest

Sit = Callable[..., Operator]

CSI = "\x1b["
MIXTURE = "".join(
    [
        *(f"{row:02} {chr(64 + row) * 77}" for row in range(1, 25)),  # Each fills its line.
        f"{CSI}5;10r{CSI}10;1H\n\n{CSI}5;1H\x1bM\x1bM{CSI}r",
        f"{CSI}12;15r{CSI}?6h{CSI}2;3Horigin{CSI}9;70Hits end{CSI}?6l{CSI}r",
        f"{CSI}3;20H{CSI}4P{CSI}3;30H{CSI}6@{CSI}4;40H{CSI}9X{CSI}17;1H{CSI}2M{CSI}18;1H{CSI}L",
        f"{CSI}4h{CSI}20;5Hinserted{CSI}4l{CSI}2;70Hwraps at the edge",
        f"{CSI}7;10H{CSI}1K{CSI}8;10H{CSI}K{CSI}44m{CSI}9;40H{CSI}K{CSI}0m{CSI}11;1H{CSI}2K",
        f"{CSI}11;1H\ta\tb{CSI}3g{CSI}11;5H\x1bH\r\tc{CSI}g",
        f"{CSI}13;1H{CSI}1mbold{CSI}22;3mitalic{CSI}23;4mline{CSI}24;7mback{CSI}27;9mgone{CSI}m",
        f"{CSI}14;1H{CSI}38;5;208mone{CSI}48;5;20mtwo{CSI}m{CSI}91;104mthree{CSI}39mfour{CSI}m",
        f"{CSI}16;1H日本語 e\u0301 \x1b(0lqqk\x1b(B \x1b)0\x0ex\x0f{CSI}19;1Hxy{CSI}5b",
        f"{CSI}21;1H\x1b7{CSI}31mred\x1b8back{CSI}22;78Hwide 日本{CSI}23;79H日",
        f"{CSI}24;1H{CSI}Kthe end of it\x1b8\n",
    ]
)
"""Scrolling regions, origin, insertion and deletion, erasure with a colour, tab stops, and what
characters can be; only what tmux knows too."""


def sit_down(operator: Sit, guest: Guest) -> Operator:
    """At the guest's console, of which each row is seen."""
    at = operator("-c", guest.uri)
    at.pick(guest.name)
    at.open_pane()
    at.choose("z")
    at.sees_no(PANE)
    return at


def test_sequences_of_all_kinds(operator: Sit, shared_guest: Guest) -> None:
    eye = shared_guest.serials[0]
    coded = base64.b64encode(MIXTURE.encode()).decode()
    eye.run(": >/tmp/coded")
    for start in range(0, len(coded), 500):  # A line of a terminal holds no more than 4,095.
        eye.run(f"printf %s {coded[start : start + 500]} >>/tmp/coded")
    eye.run("base64 -d /tmp/coded >/tmp/mixture; top -n 1 </dev/tty >/tmp/top; true")
    at = sit_down(operator, shared_guest)
    for name, end in (("mixture", "^the end of it"), ("top", "^ +PID +PPID")):
        at.type(f"clear; cat /tmp/{name}")
        at.press("Enter")
        at.sees(end)
        in_pane = drawn_by_pane(at)
        go_raw(at)
        at.press("Enter")
        at.sees(f"^{PROMPT}$")
        at.type(f"clear; cat /tmp/{name}")
        at.press("Enter")
        at.sees(end)
        sees_drawn(at, drawn_by_terminal, in_pane)
        at.type("clear")
        at.press("Enter")
        at.sees(rf"\A{PROMPT}$")  # What comes later than that would clear the pane.
        leave_raw(at, end)
    at.type("clear")
    at.press("Enter")


def test_a_text_that_is_edited(operator: Sit, shared_guest: Guest) -> None:
    at = sit_down(operator, shared_guest)
    at.type("seq 1 100 >/tmp/text; vi /tmp/text")
    at.press("Enter")
    at.sees(r"^1 *\n2 *\n")
    at.type("ddjx3oa line between")
    at.sees("a line between")
    at.press("Escape")
    at.sees("^- /tmp/text")  # It takes what follows an escape at once for one key with it.
    at.press("C-f")
    at.type("rx30GO")
    at.press("Tab")
    at.type("at its beginning")
    at.sees("at its beginning")
    at.press("Escape")
    at.sees("^- /tmp/text")
    in_pane = drawn_by_pane(at)
    go_raw(at)
    at.press("C-l")
    sees_drawn(at, drawn_by_terminal, in_pane)
    at.type("Gdd")
    at.press("C-b")
    at.type("J")
    in_terminal = drawn_by_terminal(at)
    leave_raw(at, "at its beginning")
    at.press("C-l")
    sees_drawn(at, drawn_by_pane, in_terminal)
    at.type(":q!")
    at.press("Enter")
    at.sees(f"^{PROMPT}$")
