"""What goes to a guest besides single keys, and what of its output goes to a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tuivirt.backend.model.console import ConsoleSession
from tuivirt.widgets.dialogs import ConfirmDialog
from tuivirt.widgets.text import plain, size_bytes

from .console_lines import why_not_sent

if TYPE_CHECKING:
    from .console import ConsoleScreen

SHOWN_LINES = 8
"""Of a paste, before it is sent."""
SHOWN_COLUMNS = 66
LARGEST_FILE = 1 << 20
"""Bytes; at a serial port's pace this takes minutes already."""


def preview(text: str) -> list[str]:
    """What is going to be sent: its first lines, harmless, and how much follows."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    shown = [f"│ {plain(line[:SHOWN_COLUMNS])[:SHOWN_COLUMNS]}" for line in lines[:SHOWN_LINES]]
    if len(lines) > SHOWN_LINES:
        shown.append(f"│ … and {len(lines) - SHOWN_LINES} lines more")
    return shown


def write_new(path: Path, text: str) -> None:
    """Write a file for its owner alone, whole or not at all. Raises OSError, also if it exists."""
    made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(made, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        path.unlink(missing_ok=True)  # A half of it would be taken for all.
        raise


class Sender:
    """Pastes, files, and saving."""

    def __init__(self, screen: ConsoleScreen) -> None:
        self._screen = screen

    def paste(self, session: ConsoleSession, text: str) -> None:
        """One line is typed at once; several are shown first, as each may run something."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if not text:
            return
        if "\n" not in text:
            self._send(session, text, "the paste")
            return
        self._ask(session, text, "Paste", "the paste")

    def _ask(self, session: ConsoleSession, text: str, title: str, what: str) -> None:
        count = text.count("\n") + (not text.endswith("\n"))
        size = size_bytes(len(text.encode()))
        lines = "1 line" if count == 1 else f"{count} lines"
        dialog = ConfirmDialog(
            f"{title}: {session.name} {session.device}",
            [f"{lines}, {size}. A shell runs each of them.", *preview(text)],
            yes="send",
        )
        self._screen.app.push_screen(
            dialog, lambda yes: self._send(session, text, what) if yes else None
        )

    def _send(self, session: ConsoleSession, text: str, what: str) -> None:
        if session.sending is not None:
            self._screen.say("another text is being sent; wait, or stop it", "warning")
        elif not session.send_slowly(session.emulator.paste(text), what):
            self._screen.say(why_not_sent(session, self._screen.prefix), "warning")
        else:
            self._screen.say("")  # What was said before is not about this.

    def file(self, session: ConsoleSession) -> None:
        """Send the text of a file of this machine."""
        self._screen.ask_line("send the text of file ", lambda name: self._read(session, name))

    def _read(self, session: ConsoleSession, name: str) -> None:
        if not name:
            return
        path = Path(os.path.expanduser(name))
        try:
            if not path.is_file():
                raise OSError(0, "it is no file" if path.exists() else "there is no such file")
            # The kernel's files have no size, and some wait for more at their end.
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
                data = file.read(LARGEST_FILE + 1) or b""
            if len(data) > LARGEST_FILE:
                raise OSError(0, f"it is larger than {size_bytes(LARGEST_FILE)}")
            if not data:
                raise OSError(0, "it is empty")
            text = data.decode()
        except UnicodeDecodeError:
            why = "it is not text; encode it first, as base64 does"
            self._screen.say(f"cannot send {path}: {why}", "error")
        except OSError as error:
            self._screen.say(f"cannot send {path}: {error.strerror}", "error")
        else:
            self._ask(session, text.replace("\r\n", "\n"), f"Send {path.name}", path.name)

    def save(self, session: ConsoleSession) -> None:
        """Write what was printed to a file of this machine."""
        name = "".join(c if c.isalnum() or c in "-_." else "_" for c in session.name)
        offered = f"{name.lstrip('.')}-{session.device}.txt"
        self._screen.ask_line("save to ", lambda given: self._write(session, given), offered)

    def _write(self, session: ConsoleSession, name: str) -> None:
        if not name:
            return
        path = Path(os.path.expanduser(name))
        text = session.emulator.text() + "\n"
        try:
            write_new(path, text)
        except FileExistsError:
            self._screen.say(f"{path} is there already; nothing was written", "error")
        except OSError as error:
            self._screen.say(f"cannot save to {path}: {error.strerror}", "error")
        else:
            self._screen.say(f"saved {text.count(chr(10))} lines to {path.absolute()}")
