"""A guest's shell, spoken to through the backend's own console."""

from __future__ import annotations

import re
import threading

from tests.support.initramfs import PROMPT
from tuivirt.backend.console import Console, ConsoleState, ConsoleStatus
from tuivirt.backend.host import Host


class Talk:
    """A console that a test types into and reads from; it notes every state it goes through."""

    def __init__(
        self,
        host: Host,
        uuid: str,
        devname: str | None = None,
        *,
        prompt: str = PROMPT,
        force: bool = False,
        safe: bool = False,
    ) -> None:
        self.prompt = prompt
        self.states: list[ConsoleStatus] = []
        self._said = bytearray()
        self._start = 0
        self._changed = threading.Condition()
        self.console = Console(
            host,
            uuid,
            devname=devname,
            force=force,
            safe=safe,
            on_data=self._heard,
            on_state=self._state,
        )

    def _heard(self, data: bytes) -> None:
        with self._changed:
            self._said += data
            self._changed.notify_all()

    def _state(self, status: ConsoleStatus) -> None:
        with self._changed:
            self.states.append(status)
            self._changed.notify_all()

    def open(self, *, force: bool = False) -> Talk:
        self.console.open(force=force)
        return self

    def wait_for(self, state: ConsoleState, timeout: float = 30) -> ConsoleStatus:
        """Wait until that is its newest state."""
        with self._changed:
            ok = self._changed.wait_for(
                lambda: bool(self.states) and self.states[-1].state is state, timeout
            )
            assert ok, f"never {state}: {self.states}"
            return self.states[-1]

    def expect(self, pattern: str, timeout: float = 60) -> re.Match[str]:
        """Wait until the guest says it, after what was expected before."""
        compiled = re.compile(pattern, re.DOTALL)
        found: re.Match[str] | None = None

        def is_said() -> bool:
            nonlocal found
            found = compiled.search(self._said.decode("latin-1"), self._start)
            return found is not None

        with self._changed:
            assert self._changed.wait_for(is_said, timeout), (
                f"no {pattern!r} in {bytes(self._said[self._start :])!r}"
            )
            assert found is not None
            self._start = found.end()
            return found

    def type(self, text: str) -> None:
        assert self.console.write(text.encode()) == len(text.encode())

    def wait_for_shell(self) -> None:
        """Wait until it is open and the guest answers."""
        self.wait_for(ConsoleState.OPEN)
        self.type("\n")
        self.expect(re.escape(self.prompt))

    def run(self, command: str, timeout: float = 30) -> str:
        """What a command prints in the guest."""
        self.type(f"{command}\n")
        said = self.expect(rf"\n(.*?){re.escape(self.prompt)}", timeout)[1]
        return said.replace("\r\n", "\n")

    def run_until(self, command: str, pattern: str, tries: int = 200) -> str:
        """Run it again until it prints the pattern: a guest takes its time to notice things."""
        for _ in range(tries):
            said = self.run(command)
            if re.search(pattern, said):
                return said
        raise AssertionError(f"{command!r} never printed {pattern!r}: {said!r}")

    def close(self) -> None:
        self.console.close()
