"""A terminal that is far away: its answer tells so, and what is proposed helps."""

from __future__ import annotations

import re
import time

import pytest

from tests.support.line import Line

FAR_S = 0.35
"""How long this terminal's answers take."""
_STYLES = re.compile(rb"\x1b\[([\d;]*)m")


def test_an_answer_that_takes_long_types_nothing_and_proposes_to_send_less() -> None:
    with Line("--demo") as line:
        line.sees("Domains 1")
        for _ in range(2):  # One long answer may be a hitch.
            line.sees(r"\x1b\[6n")
            time.sleep(FAR_S)  # What is tested is that it takes this long.
            line.type("\x1b[1;1R")
        line.sees(r"this line takes 0\.[3-9] s there and back: :slow on sends less")
        line.type(":slow on\r")
        line.sees("slow on: figures once a second")
        line.type("\x11")
        assert line.ended(20) == 0


@pytest.mark.parametrize("mode", ["--slow", "--ascii"])
def test_with_no_color_the_program_sends_none(mode: str) -> None:
    with Line("--demo", mode, env={"NO_COLOR": "1"}) as line:
        said = line.sees("Domains 1")
        line.type("?")
        said += line.sees("What can be done to a domain")
        chosen = {number for each in _STYLES.findall(said) for number in each.split(b";")}
        assert chosen <= {b"", b"0", b"1", b"2", b"7"}, "bold, dim and reversed are no colours"
        line.type("\x11")
        assert line.ended(20) == 0
