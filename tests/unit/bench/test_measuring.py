"""The bench's own parts tell the truth."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bench.figure import bounded, compared, quantile
from tests.bench.output import BODY_TOP, rows_drawn
from tests.bench.process import cpu_s, memory_kib
from tests.bench.stage import ROWS
from tests.bench.terminal import Ended, Program, bursts


def test_a_figure_is_one_line_of_json_that_says_whether_it_is_met() -> None:
    line = compared("daemon CPU", 40.0, "ms", "loop", 100.0, 0.5).line()
    assert "\n" not in line
    told = json.loads(line)
    assert list(told) == ["name", "value", "unit", "against", "ratio", "target", "met"]
    assert (told["ratio"], told["met"]) == (0.4, True)
    assert not compared("daemon CPU", 60.0, "ms", "loop", 100.0, 0.5).met
    assert not bounded("bytes", 1001, "B", 1000).met
    assert bounded("bytes", 1000, "B", 1000).met


@pytest.mark.parametrize(("part", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_a_quantile_is_a_value_that_was_measured(part: float, value: int) -> None:
    assert quantile(range(1, 101), part) == value


def test_the_processor_time_of_another_process_is_its_own() -> None:
    source = "import sys\nfor n in range(3_000_000): pass\nprint(); sys.stdin.readline()"
    argv = [sys.executable, "-S", "-c", source]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        told = cpu_s(child.pid)
        words = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        ticked = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
        child.communicate("\n")
    assert told == pytest.approx(ticked, abs=0.03)
    assert told > 0.01


def test_resident_memory_counts_what_a_process_touches() -> None:
    # In a process that does nothing else: here other tests' threads may take memory meanwhile.
    source = """if True:
        import mmap, sys
        print(flush=True); sys.stdin.readline()
        room = mmap.mmap(-1, 16 << 20)
        for at in range(0, len(room), 4096): room[at] = 1
        print(flush=True); sys.stdin.readline()
    """
    pipe = subprocess.PIPE
    argv = [sys.executable, "-S", "-c", source]
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        before = memory_kib(child.pid, "Rss")
        child.stdin.write("\n")
        child.stdin.flush()
        child.stdout.readline()
        grown = memory_kib(child.pid, "Rss") - before
        child.communicate("\n")
    assert 16 << 10 <= grown < 18 << 10


def test_bursts_are_parted_by_silence() -> None:
    assert bursts([(0.0, b"a"), (0.1, b"b"), (2.0, b"c")], 0.5) == [b"ab", b"c"]


def test_only_lines_of_the_tables_body_count_as_rows() -> None:
    last = BODY_TOP + ROWS - 1
    data = f"\x1b[1;5Hx\x1b[{BODY_TOP};1Hx\x1b[{BODY_TOP};9Hx\x1b[{last};1Hx\x1b[{last + 1};1Hx"
    assert rows_drawn(data.encode()) == {BODY_TOP, last}


def test_a_program_has_a_terminal_is_answered_and_is_timed(tmp_path: Path) -> None:
    # The standard library's own prompt stands for a program with a terminal.
    with Program("code", "-q", home=str(tmp_path)) as program:
        assert 0 < program.wait_for(">>>") <= time.monotonic() - program.started
        program.settle()
        program.write(b"print('\\x1b[?2026$p', sep='', end=''); input()\r")
        program.wait_for("2026;2$y")
        program.write(b"\rimport os; print(tuple(os.get_terminal_size()), 6 * 7)\r")
        program.wait_for("(160, 50) 42")


def test_a_program_that_ends_is_an_error(tmp_path: Path) -> None:
    with (
        Program("tests.bench.nowhere", home=str(tmp_path)) as program,
        pytest.raises(Ended, match="nowhere"),
    ):
        program.wait_for("never")
