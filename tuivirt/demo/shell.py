"""A small shell on a demo guest's serial port: enough to look around and to try a console."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .terminal import Terminal

_ROOT = "bin  boot  dev  etc  home  proc  root  sys  tmp  usr  var"
_SUM = re.compile(r"\$\(\((\d{1,9})\s*([-+*])\s*(\d{1,9})\)\)")
_HELP = """\
cat /proc/partitions  disks, those just plugged in too
colours               all sixteen, and some of the 256
top                   a full-screen program; q ends it
seq N, flood          long output, output without end; ctrl+c ends it
ls uname echo hostname uptime free clear whoami reboot poweroff
"""


class Shell:
    """Line editing, a few commands, and one program at a time that has the screen."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._line = bytearray()
        self._escape = b""
        self._status = 0
        self._full_screen = False

    def prompt(self) -> str:
        return f"\x1b[1;32mroot@{self._terminal.hostname}\x1b[0m:~# "

    def feed(self, data: bytes) -> None:
        """Keys from the operator. The host's lock is held."""
        for byte in data:
            self._key(byte)

    def _key(self, byte: int) -> None:
        terminal = self._terminal
        if self._full_screen:
            if byte in (3, ord("q")):
                self._leave_screen()
            return
        if self._escape:
            # An arrow or function key: swallowed up to its last letter.
            self._escape += bytes((byte,))
            if (len(self._escape) > 2 and 0x40 <= byte <= 0x7E) or byte not in b"[O0123456789;":
                self._escape = b""
            return
        if byte == 0x1B:
            self._escape = b"\x1b"
        elif byte == 3:
            terminal.interrupt()
            self._line.clear()
            self._status = 130
            terminal.put("^C\n" + self.prompt())
        elif byte in (8, 127):
            self._rub_out()
        elif byte == 0x15:
            while self._line:
                self._rub_out()
        elif byte in (10, 13):
            line = self._line.decode(errors="replace")
            self._line.clear()
            terminal.put("\n")
            self._run_line(line)
        elif byte >= 32 and len(self._line) < 4096:
            self._line.append(byte)
            terminal.put_bytes(bytes((byte,)))

    def _rub_out(self) -> None:
        if not self._line:
            return
        while len(self._line) > 1 and self._line[-1] & 0xC0 == 0x80:
            self._line.pop()  # The later bytes of one UTF-8 character.
        wide = self._line[-1] >= 0xE0  # Nearly all of three bytes and more are two cells wide.
        self._line.pop()
        self._terminal.put("\b \b" * (2 if wide else 1))

    def _run_line(self, line: str) -> None:
        for part in re.split(r";|&&", line):
            if not self._run(part.strip()):
                return  # It has the screen, or output of its own that ends with the prompt.
        self._terminal.put(self.prompt())

    def _run(self, line: str) -> bool:
        """Run one command; false when the prompt comes later or not at all."""
        line = _SUM.sub(_sum, line).replace("$?", str(self._status))
        try:
            words = shlex.split(line)
        except ValueError as error:
            self._say(f"sh: {error}", 2)
            return True
        if not words:
            return True
        if words[0] == "top":
            self._full_screen = True
            self._terminal.put("\x1b[?1049h\x1b[?25l")
            self._draw_top()
            return False
        if words[0] == "flood" or words[0] == "seq":
            return not self._pour(words)
        if words[0] in ("reboot", "poweroff", "halt"):
            self._status = 0
            (self._terminal.restart if words[0] == "reboot" else self._terminal.halt)()
            return False
        command = _COMMANDS.get(words[0])
        if command is None:
            self._say(f"sh: {words[0]}: not found", 127)
        else:
            self._status = 0
            command(self, words[1:])
        return True

    def _say(self, text: str, status: int = 0) -> None:
        self._status = status
        self._terminal.put(text + "\n")

    def _pour(self, words: list[str]) -> bool:
        if words[0] == "flood":
            self._terminal.pour(_flood())
            return True
        if len(words) < 2 or not words[-1].isdecimal():
            self._say("seq: a number is needed", 1)
            return False
        first = int(words[1]) if len(words) > 2 and words[1].isdecimal() else 1
        self._status = 0
        self._terminal.pour(_count(first, int(words[-1]), self.prompt().encode()))
        return True

    # ------------------------------------------------------------------ commands
    def _ls(self, words: list[str]) -> None:
        where = next((word for word in words if not word.startswith("-")), "~")
        disks = [name for name, _ in self._terminal.partitions()]
        known = {"~": "notes.txt", "/root": "notes.txt", "/": _ROOT, "/proc": "partitions uptime"}
        if where.rstrip("/") == "/dev":
            self._say("  ".join(["console", "null", "ttyS0", *disks]))
        elif where in known:
            self._say(known[where])
        else:
            self._say(f"ls: {where}: No such file or directory", 1)

    def _cat(self, words: list[str]) -> None:
        for path in words:
            if path == "/proc/partitions":
                self._say("major minor  #blocks  name\n")
                for number, (name, kib) in enumerate(self._terminal.partitions()):
                    self._say(f" 254 {number * 16:8d} {kib:10d} {name}")
            elif path == "/proc/uptime":
                self._say(f"{self._terminal.uptime():.2f} 0.00")
            elif path in ("notes.txt", "/root/notes.txt"):
                self._say("This guest is a fiction. Type help.")
            else:
                self._say(f"cat: can't open '{path}': No such file or directory", 1)

    def _uname(self, words: list[str]) -> None:
        long = f"Linux {self._terminal.hostname} 6.1.0-demo #1 SMP x86_64 GNU/Linux"
        self._say({"-a": long, "-r": "6.1.0-demo"}.get(words[0] if words else "", "Linux"))

    def _colours(self, _words: list[str]) -> None:
        row = "".join(f"\x1b[{code}m {code} " for code in (*range(40, 48), *range(100, 108)))
        cube = "".join(f"\x1b[48;5;{code}m " for code in range(16, 88))
        self._say(f"{row}\x1b[0m\n{cube}\x1b[0m")
        self._say("\x1b[1mbold\x1b[0m \x1b[3mitalic\x1b[0m \x1b[4munderlined\x1b[0m 日本 é ↯")

    def _free(self, _words: list[str]) -> None:
        total, used = self._terminal.memory_kib()
        self._say("              total        used        free")
        self._say(f"Mem:    {total:11d} {used:11d} {total - used:11d}")

    def _uptime(self, _words: list[str]) -> None:
        days, rest = divmod(int(self._terminal.uptime()), 86400)
        share = self._terminal.cpu_share()
        self._say(f" up {days} days, {rest // 3600}:{rest // 60 % 60:02d},  load {share:.2f}")

    # ------------------------------------------------------------------ the full-screen program
    def _draw_top(self) -> None:
        if not self._full_screen or not self._terminal.watched:
            self._full_screen = False
            return
        terminal = self._terminal
        share, (total, used) = terminal.cpu_share(), terminal.memory_kib()
        rows = [("postgres", 0.55), ("nginx: worker", 0.25), ("python3 app.py", 0.15), ("sshd", 0)]
        lines = [
            f"top - up {terminal.uptime():.0f} s    %CPU {share * 100:5.1f}",
            f"KiB Mem {total} total {used} used",
            "",
            "\x1b[7m  PID USER     %CPU  COMMAND          \x1b[0m",
        ]
        for number, (name, part) in enumerate(rows):
            lines.append(f"{411 + 7 * number:5d} root    {share * part * 100:5.1f}  {name}")
        text = "".join(f"\x1b[{n + 1};1H{line}\x1b[K" for n, line in enumerate(lines))
        terminal.put(f"{text}\x1b[J")
        terminal.after(1.0, self._draw_top)

    def _leave_screen(self) -> None:
        self._full_screen = False
        self._status = 0
        self._terminal.put("\x1b[?25h\x1b[?1049l" + self.prompt())


def _sum(found: re.Match[str]) -> str:
    left, right = int(found[1]), int(found[3])
    return str({"+": left + right, "-": left - right, "*": left * right}[found[2]])


def _flood() -> Iterator[bytes]:
    number = 0
    while True:
        number += 1
        yield b"flood %08d the quick brown fox jumps over the lazy dog 0123456789\r\n" % number


def _count(first: int, last: int, prompt: bytes) -> Iterator[bytes]:
    for number in range(first, last + 1):
        yield b"%d\r\n" % number
    yield prompt


_COMMANDS: dict[str, Callable[[Shell, list[str]], None]] = {
    "ls": Shell._ls,
    "cat": Shell._cat,
    "uname": Shell._uname,
    "echo": lambda shell, words: shell._say(" ".join(words)),
    "colours": Shell._colours,
    "colors": Shell._colours,
    "free": Shell._free,
    "uptime": Shell._uptime,
    "hostname": lambda shell, words: shell._say(shell._terminal.hostname),
    "whoami": lambda shell, words: shell._say("root"),
    "clear": lambda shell, words: shell._terminal.put("\x1b[H\x1b[2J"),
    "help": lambda shell, words: shell._say(_HELP.rstrip()),
    "true": lambda shell, words: None,
}
