"""Somebody at a terminal with tuivirt: presses keys and waits for what the screen says."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

from tests.support.initramfs import PROMPT as PROMPT_WITH_BLANK
from tests.support.tmux import ScreenTimeout, Terminal
from tuivirt.widgets.guard import Guard

PATIENCE_S = 40.0
"""For how long something is waited for that a busy machine may delay."""

LEAVE_CONSOLE = "C-]"
PANE = r"ctrl\+\] menu"
"""What the screen of consoles says at its top."""

PROMPT = PROMPT_WITH_BLANK.rstrip()
"""The guest's, as the screen's rows have it: without blanks at their ends."""


class Operator:
    """A terminal with the program in it, by what an operator does there."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    # Hands

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names."""
        self.terminal.keys(*keys)

    def type(self, text: str) -> None:
        self.terminal.type(text)

    def go_to(self, room: str) -> None:
        """``:`` and a word."""
        self.type(f":{room}")
        self.sees(rf"^ :{room}\b")
        self.press("Enter")
        self.sees_no(rf"^ :{room}\b")

    def pick(self, name: str) -> None:
        """Let the list show this domain alone, under the cursor."""
        self.type(f"/{re.escape(name)}")
        self.sees(rf"^ /{re.escape(re.escape(name))}")
        self.press("Enter")
        self.sees_no("^ /")
        self.sees(r"Domains 1 of \d+")
        self.sees_row(name)

    def attach_disk(self, source: str, target: str = "") -> None:
        """Fill in the form that ``+`` opens, and do it."""
        self.press("+")
        self.sees("Attach a disk: ")
        self.type(source)
        self.press("Tab")
        if target:
            self.type(target)
        self.press("C-s")
        self.sees_no("Attach a disk: ")

    def detach_disk(self, target: str, wait_s: int | None = None) -> None:
        """Fill in the form that ``-`` opens, go to its button and press it."""
        self.press("-")
        self.sees("Detach a disk: ")
        if not self.now(rf"Target \*\s+(‹ )?{target}"):  # On the tab of disks it is filled in.
            self.type(target)
        self.press("Tab", "Tab")
        if wait_s is not None:
            self.press("C-u")
            self.type(str(wait_s))
        self.press("Tab")
        self.answer("Detach a disk: ", "Enter")

    def answer(self, question: str, key: str) -> None:
        """Read a question, then answer it: keys that come as fast as typing are not taken."""
        self.sees(question)
        deadline = time.monotonic() + PATIENCE_S
        while self.now(question):
            if time.monotonic() > deadline:
                raise AssertionError(f"{key} is no answer to {question!r}:\n{self.text}")
            time.sleep(2 * Guard.QUIET_S)  # Silence is what the question waits for.
            self.press(key)
            self.sees(rf"too fast for an answer|\A(?!(.|\n)*{question})")

    def accept(self, said: str) -> None:
        """Read a plan, and have it done."""
        self.sees(said)
        self.press("Tab")
        self.answer(said, "Enter")

    def fill_in(self, question: str, text: str) -> None:
        """Read a question, type the answer once it can be one, and Enter."""
        self.sees(question)
        time.sleep(2 * Guard.QUIET_S)  # Silence is what the question waits for.
        self.type(text)
        self.press("Enter")

    def open_pane(self) -> None:
        """``c``, and wait until the guest's shell answers in the pane."""
        self.press("c")
        self.sees(PANE)
        self.sees(r"^ .*\[\S+ \w+\d\W")
        self.sees_no(r"^ opening")
        self.prompt()

    def prompt(self) -> None:
        """Press Enter until the guest's shell says its prompt: the console may just be opening."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.press("Enter")
            try:
                self.sees(rf"^{PROMPT}", 3)
                return
            except ScreenTimeout:
                if time.monotonic() > deadline:
                    raise

    def leave_pane(self) -> None:
        """Back to the screen before; the console stays open."""
        self.press(LEAVE_CONSOLE, LEAVE_CONSOLE)
        self.sees_no(PANE)

    def choose(self, key: str) -> None:
        """A choice of the console's menu."""
        self.press(LEAVE_CONSOLE)
        self.sees("leave; it stays open")
        self.press(key)
        self.sees_no("leave; it stays open")

    def open_console(self) -> None:
        """The pane, and from there the whole terminal to the guest."""
        self.open_pane()
        self.choose("r")
        self.sees(r"^\[connected to .+; ctrl\+\] leaves\]")
        self.press("Enter")
        self.sees(rf"^{PROMPT}")

    def leave_console(self) -> None:
        """From the whole terminal to the pane, from there to the screen before."""
        self.press(LEAVE_CONSOLE)
        self.sees(PANE)
        self.sees("left the console of")
        self.leave_pane()

    # Eyes

    @property
    def text(self) -> str:
        """The screen as it is now."""
        return "\n".join(self.terminal.screen())

    def still(self) -> tuple[list[str], list[str]]:
        """The screen, and with its colours, once it is drawn to its end: seen thrice the same."""
        deadline = time.monotonic() + PATIENCE_S
        seen: list[list[str]] = []
        while time.monotonic() < deadline:
            seen = [*seen[-2:], self.terminal.screen()]
            if len(seen) == 3 and seen[0] == seen[1] == seen[2]:
                return seen[2], self.terminal.styled()
            time.sleep(0.05)  # tmux tells no one of a change.
        raise AssertionError("the screen never comes to rest:\n" + self.text)

    def now(self, pattern: str) -> bool:
        """Whether the screen shows this already."""
        return re.search(pattern, self.text, re.MULTILINE) is not None

    def sees(self, pattern: str, timeout: float = PATIENCE_S) -> re.Match[str]:
        """Wait until the screen shows this."""
        return self.terminal.wait_for(pattern, timeout)

    def sees_no(self, pattern: str, timeout: float = PATIENCE_S) -> None:
        """Wait until the screen does not show this any more."""
        self.terminal.wait_gone(pattern, timeout)

    def sees_row(self, name: str, pattern: str = "", timeout: float = PATIENCE_S) -> re.Match[str]:
        """Wait until the list shows this domain with ``pattern`` before or behind its name.

        ``{name}`` in the pattern stands for it.
        """
        quoted = re.escape(name)
        return self.sees((pattern or "{name}").replace("{name}", quoted), timeout)

    # The process

    @property
    def child(self) -> int:
        """The program's process, where the terminal's own is a shell around it."""
        pid = self.terminal.pid
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if len(found) != 1:
            raise AssertionError(f"the shell has {len(found)} children:\n{self.text}")
        return int(found[0])

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.child, number)
