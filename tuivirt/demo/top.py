"""The demo's ``top``: what runs in the guest, drawn anew each second."""

from __future__ import annotations

from typing import NamedTuple

from .fullscreen import DOWN, UP, FullScreen


class _Process(NamedTuple):
    pid: int
    name: str
    cpu: float
    """Its part of the guest's load."""
    memory: float
    """Its part of the memory in use."""


_PROCESSES = (
    _Process(411, "postgres", 0.55, 0.40),
    _Process(418, "nginx: worker", 0.25, 0.10),
    _Process(425, "python3 app.py", 0.15, 0.25),
    _Process(432, "systemd-journald", 0.03, 0.05),
    _Process(439, "sshd", 0.0, 0.02),
    _Process(446, "agetty", 0.0, 0.01),
)


class Top(FullScreen):
    """``c`` and ``m`` choose what it is sorted by, arrows which process is marked."""

    def __init__(self, *where: object) -> None:
        super().__init__(*where)  # type: ignore[arg-type]
        self._by_memory = False
        self._marked = 0
        self._round = 0

    def start(self) -> None:
        self._round += 1
        super().start()
        self._later(self._round)

    def end(self) -> None:
        self._round += 1
        super().end()

    def _later(self, number: int) -> None:
        """Draw each second, as long as somebody looks and it was not begun anew."""

        def due() -> None:
            if number == self._round and self.terminal.watched:
                self.draw()
                self._later(number)

        self.terminal.after(1.0, due)

    def key(self, key: bytes) -> None:
        if key in (b"c", b"m"):
            self._by_memory = key == b"m"
        elif key in UP or key in DOWN:
            step = 1 if key in DOWN else -1
            self._marked = min(max(0, self._marked + step), len(_PROCESSES) - 1)
        else:
            return
        self.draw()

    def draw(self) -> None:
        terminal = self.terminal
        share, (total, used) = terminal.cpu_share(), terminal.memory_kib()
        word = "memory" if self._by_memory else "CPU"
        head = (
            f"top - up {terminal.uptime():.0f} s    %CPU {share * 100:5.1f}",
            f"KiB Mem {total} total {used} used",
            f"sorted by {word}; c CPU  m memory  arrows  q leaves",
        )
        rows = [self.line(number, text) for number, text in enumerate(head, 1)]
        rows.append(self.line(4, "  PID USER     %CPU  %MEM  COMMAND", "7"))
        order = sorted(_PROCESSES, key=lambda each: -each.memory if self._by_memory else -each.cpu)
        for number, one in enumerate(order[: max(0, self.rows - 4)]):
            cpu, memory = share * one.cpu * 100, one.memory * used / total * 100
            text = f"{one.pid:5d} root    {cpu:5.1f} {memory:5.1f}  {one.name}"
            rows.append(self.line(5 + number, text, "1;33" if number == self._marked else ""))
        terminal.put("".join(rows) + ("\x1b[J" if self.rows > 4 + len(order) else ""))
