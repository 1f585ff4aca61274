"""A console whose guest is the test: it prints what the test says and keeps what is typed."""

from __future__ import annotations

from collections.abc import Callable

from tuivirt.actions.errors import TuivirtError
from tuivirt.backend.model.console import ConsoleState, ConsoleStatus, Sending
from tuivirt.backend.model.ref import Ref
from tuivirt.backend.terminal.emulator import GhosttyEmulator

from . import factory


class ScriptedSession:
    """Stands where a Recording stands, with the same emulator."""

    def __init__(self, number: int = 1, device: str = "serial0", name: str = "web-01") -> None:
        self.ref: Ref = factory.ref_of(number)
        self.name = name
        self.device = device
        self.on_change: Callable[[], None] | None = None
        self.emulator = GhosttyEmulator(80, 24)
        self.status = ConsoleStatus(ConsoleState.OPEN, "open")
        self.received = 0
        self.sending: Sending | None = None
        self.log_path = ""
        self.trouble = ""
        self.typed = b""
        self.did: list[str] = []

    def says(self, text: str) -> None:
        """The guest prints."""
        data = text.encode()
        self.received += len(data)
        self.typed += self.emulator.feed(data)
        self._tell()

    def becomes(self, state: ConsoleState, text: str = "") -> None:
        """The connection to the guest changes."""
        self.status = ConsoleStatus(state, text)
        self._tell()

    def _tell(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def seen(self) -> None:
        """Told of each change, seen or not."""

    def send(self, data: bytes) -> bool:
        if self.status.state is not ConsoleState.OPEN:
            return False
        self.typed += data
        return True

    def send_slowly(self, data: bytes, what: str) -> bool:
        self.did.append(f"send {what}")
        return self.send(data)

    def stop_sending(self) -> None:
        self.sending = None
        self.did.append("stop sending")

    def open(self, *, force: bool = False) -> None:
        self.did.append("open by force" if force else "open")

    def start_log(self, path: str | None = None) -> str:
        if path == "/full":
            raise TuivirtError("cannot record to /full", "No space left on device")
        self.log_path = path or "/state/web-01-serial0.log"
        return self.log_path

    def stop_log(self) -> str:
        self.log_path = ""
        why, self.trouble = self.trouble, ""
        return why

    def follow(self, host: object, ref: Ref) -> None:
        self.ref = ref
        self.did.append(f"follow to {ref.host}")
        self.becomes(ConsoleState.OPEN, "open")

    def let_go(self) -> None:
        self.did.append("let go")

    def close(self) -> None:
        self.did.append("close")
