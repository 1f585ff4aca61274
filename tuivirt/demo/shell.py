"""A small shell on a demo guest's serial port: enough to look around and to try a console."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .fullscreen import FullScreen
    from .terminal import Terminal

_ROOT = "bin  boot  dev  etc  home  proc  root  sys  tmp  usr  var"
_SUM = re.compile(r"\$\(\((\d{1,9})\s*([-+*])\s*(\d{1,9})\)\)")
_PROGRAMS = ("top", "less", "vi", "view", "more", "keys", "mouse", "paste")
_NOTES = """\
This guest is a fiction. Type help.

Its shell is there to try a console on: what is printed, how it is drawn, and what becomes of
the keys. All of it is made by the program that you look at it with."""


class Shell:
    """Line editing, a few commands, and one program at a time that has the screen."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._line = bytearray()
        self._escape = b""
        self._status = 0
        self._program: FullScreen | None = None
        self._rows, self._columns = 24, 80

    def prompt(self) -> str:
        return f"\x1b[1;32mroot@{self._terminal.hostname}\x1b[0m:~# "

    def look(self) -> bool:
        """Somebody opened the console: a program that has the screen draws it for them."""
        if self._program is None:
            return False
        self._program.start()
        return True

    def feed(self, data: bytes) -> None:
        """Keys from the operator. The host's lock is held."""
        at = 0
        while at < len(data):
            if self._program is None:
                self._key(data[at])
                at += 1
                continue
            rest = self._program.feed(data[at:])
            if rest is None:
                return
            self._program, self._status = None, 0
            data, at = rest, 0
            self._terminal.put(self.prompt())

    def _key(self, byte: int) -> None:
        terminal = self._terminal
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
        elif byte == 0x0C:
            terminal.put("\x1b[H\x1b[2J" + self.prompt() + self._line.decode(errors="replace"))
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
        if words[0] in _PROGRAMS:
            self._program = self._start(words)
            if self._program is not None:
                self._program.start()
            return self._program is None
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
            many = words[1] if len(words) > 1 else ""
            if many and not many.isdecimal():
                self._say("flood: how many lines, or nothing for no end", 1)
                return False
            self._status = 0
            self._terminal.pour(_flood(int(many) if many else None, self.prompt().encode()))
            return True
        if len(words) < 2 or not words[-1].isdecimal():
            self._say("seq: a number is needed", 1)
            return False
        first = int(words[1]) if len(words) > 2 and words[1].isdecimal() else 1
        self._status = 0
        self._terminal.pour(_count(first, int(words[-1]), self.prompt().encode()))
        return True

    def _start(self, words: list[str]) -> FullScreen | None:
        """A full-screen program by its name; None when it has nothing to show."""
        where = (self._terminal, self._rows, self._columns)
        if words[0] == "top":
            from .top import Top

            return Top(*where)
        if words[0] in ("keys", "mouse", "paste"):
            from .reports import Reports

            return Reports(*where)
        text = self._text(words[1]) if len(words) > 1 else None
        if text is None:
            named = f"can't open '{words[1]}'" if len(words) > 1 else "a file is needed"
            self._say(f"{words[0]}: {named}; there are {', '.join(sorted(_FILES))}", 1)
            return None
        from .viewer import Viewer

        return Viewer(*where, words[1], text)

    def _text(self, path: str) -> str | None:
        """What is in a file; None when there is none of that name."""
        maker = _FILES.get(path if path.startswith("/") else f"/root/{path}")
        return None if maker is None else maker(self)

    # ------------------------------------------------------------------ commands
    def _ls(self, words: list[str]) -> None:
        where = next((word for word in words if not word.startswith("-")), "/root")
        where = where.rstrip("/") or "/"
        names = [path.rpartition("/")[2] for path in _FILES if path.rpartition("/")[0] == where]
        if where == "/dev":
            disks = [name for name, _ in self._terminal.partitions()]
            names = ["console", "null", "ttyS0", *disks]
        elif where == "/":
            names = _ROOT.split()
        if not names:
            self._say(f"ls: {where}: No such file or directory", 1)
            return
        if any(word in ("--color", "--color=always", "--color=auto") for word in words):
            style = {"/": "1;34", "/dev": "1;33"}.get(where)
            names = [f"\x1b[{style}m{name}\x1b[0m" if style else name for name in names]
        self._say("  ".join(names))

    def _cat(self, words: list[str]) -> None:
        for path in words:
            text = self._text(path)
            if text is None:
                self._say(f"cat: can't open '{path}': No such file or directory", 1)
            else:
                self._say(text)

    def _partitions(self) -> str:
        rows = [
            f" 254 {number * 16:8d} {kib:10d} {name}"
            for number, (name, kib) in enumerate(self._terminal.partitions())
        ]
        return "\n".join(["major minor  #blocks  name\n", *rows])

    def _stty(self, words: list[str]) -> None:
        if words == ["size"]:
            self._say(f"{self._rows} {self._columns}")
            return
        for what, number in zip(words[::2], words[1::2], strict=False):
            if what not in ("rows", "cols", "columns") or not number.isdecimal():
                self._say(f"stty: invalid argument '{what} {number}'", 1)
                return
            # A program that is told of no row, or of a million, draws nothing, or for ever.
            size = min(max(1, int(number)), 1000)
            if what == "rows":
                self._rows = size
            else:
                self._columns = size
        if not words:
            self._say(f"speed 115200 baud; rows {self._rows}; columns {self._columns};")

    def _uname(self, words: list[str]) -> None:
        long = f"Linux {self._terminal.hostname} 6.1.0-demo #1 SMP x86_64 GNU/Linux"
        self._say({"-a": long, "-r": "6.1.0-demo"}.get(words[0] if words else "", "Linux"))

    def _colours(self, _words: list[str]) -> None:
        row = "".join(f"\x1b[{code}m {code} " for code in (*range(40, 48), *range(100, 108)))
        cube = "".join(f"\x1b[48;5;{code}m " for code in range(16, 88))
        self._say(f"{row}\x1b[0m\n{cube}\x1b[0m")
        ramp = "".join(f"\x1b[48;2;{red};64;{255 - red}m " for red in range(0, 256, 4))
        self._say(f"{ramp}\x1b[0m")
        marks = {1: "bold", 2: "faint", 3: "italic", 4: "underlined", 7: "reversed", 9: "struck"}
        self._say(" ".join(f"\x1b[{code}m{name}\x1b[0m" for code, name in marks.items()))

    def _letters(self, _words: list[str]) -> None:
        self._say("wide      日本語 한국어 ｆｕｌｌ 🚀")
        self._say("combining e\u0301 a\u0308 n\u0303  and made of one: é ä ñ")
        self._say("boxes     ┌─┬─┐ ╔═╦═╗ ░▒▓█")
        self._say("DEC       \x1b(0lqwqk `afg tqnqu ~ mqvqj\x1b(B")

    def _free(self, _words: list[str]) -> None:
        total, used = self._terminal.memory_kib()
        self._say("              total        used        free")
        self._say(f"Mem:    {total:11d} {used:11d} {total - used:11d}")

    def _uptime(self, _words: list[str]) -> None:
        days, rest = divmod(int(self._terminal.uptime()), 86400)
        share = self._terminal.cpu_share()
        self._say(f" up {days} days, {rest // 3600}:{rest // 60 % 60:02d},  load {share:.2f}")


def _sum(found: re.Match[str]) -> str:
    left, right = int(found[1]), int(found[3])
    return str({"+": left + right, "-": left - right, "*": left * right}[found[2]])


def _flood(many: int | None, prompt: bytes) -> Iterator[bytes]:
    number = 0
    while many is None or number < many:
        number += 1
        yield b"flood %08d the quick brown fox jumps over the lazy dog 0123456789\r\n" % number
    yield prompt


def _count(first: int, last: int, prompt: bytes) -> Iterator[bytes]:
    for number in range(first, last + 1):
        yield b"%d\r\n" % number
    yield prompt


_FILES: dict[str, Callable[[Shell], str]] = {
    "/root/notes.txt": lambda shell: _NOTES,
    "/root/numbers.txt": lambda shell: "\n".join(
        f"{number:4d}  line {number} of 500, times itself {number * number}"
        for number in range(1, 501)
    ),
    "/proc/partitions": Shell._partitions,
    "/proc/uptime": lambda shell: f"{shell._terminal.uptime():.2f} 0.00",
}

_COMMANDS: dict[str, Callable[[Shell, list[str]], None]] = {
    "ls": Shell._ls,
    "cat": Shell._cat,
    "uname": Shell._uname,
    "echo": lambda shell, words: shell._say(" ".join(words)),
    "colours": Shell._colours,
    "colors": Shell._colours,
    "letters": Shell._letters,
    "bell": lambda shell, words: shell._say("\a(the bell rang)"),
    "stty": Shell._stty,
    "free": Shell._free,
    "uptime": Shell._uptime,
    "hostname": lambda shell, words: shell._say(shell._terminal.hostname),
    "whoami": lambda shell, words: shell._say("root"),
    "clear": lambda shell, words: shell._terminal.put("\x1b[H\x1b[2J"),
    "help": lambda shell, words: shell._say(_HELP.rstrip()),
    "true": lambda shell, words: None,
}

_HELP = """\
top                  what runs, drawn each second; c m and arrows, q leaves
less numbers.txt     a text in a scrolling region; vi view more: the same
keys mouse paste     shows each key, mouse click and paste as it comes
flood [N]            N lines or no end of them; ctrl+c ends it; seq N counts
colours (colors)     16, 256 and all colours, and how text can be marked
letters              wide and combining ones, boxes, DEC's line drawing
bell                 rings it
stty rows R cols C   the size that programs draw for; stty size tells it
ls --color /         names in colours; ls /dev, cat /proc/partitions: the disks
uname echo hostname whoami uptime free clear true help reboot poweroff halt
"""
