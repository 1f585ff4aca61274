"""What the menu of a console does; each method is one choice of ``console_menu``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuivirt.actions.errors import TuivirtError
from tuivirt.backend.model.console import ConsoleSession

from .console_another import Another
from .console_sending import Sender
from .telling import joined

if TYPE_CHECKING:
    from .console import ConsoleScreen

TIDY = (
    b"\x18\x1b\\\x0f\x1b(B\x1b[!p\x1b[m\x1b[?1049l\x1b[?25h\x1b[?7h\x1b[r"
    b"\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[999;1H"
)
"""What ends whatever a guest has begun, so that a shell's prompt can be read again."""


class Doing:
    """Acts on the console that gets the keys."""

    def __init__(self, screen: ConsoleScreen) -> None:
        self._screen = screen
        self.sender = Sender(screen)

    def do(self, choice: str, session: ConsoleSession) -> None:
        """Carry a choice out."""
        getattr(self, choice)(session)

    def leave(self, _session: ConsoleSession) -> None:
        self._screen.leave()

    def close(self, session: ConsoleSession) -> None:
        self._screen.close_session(session)

    def take(self, session: ConsoleSession) -> None:
        session.open(force=True)

    def again(self, session: ConsoleSession) -> None:
        session.open()

    def stop(self, session: ConsoleSession) -> None:
        session.stop_sending()

    def raw(self, session: ConsoleSession) -> None:
        session.let_go()
        self._screen.joint.lend_console(session.ref, session.device, session.log_path)
        session.open()

    def zoom(self, _session: ConsoleSession) -> None:
        self._screen.zoom()

    def another(self, session: ConsoleSession) -> None:
        Another(self._screen, session.ref).ask()

    def next(self, session: ConsoleSession, step: int = 1) -> None:
        sessions = self._screen.sessions
        self._screen.panes.show(sessions[(sessions.index(session) + step) % len(sessions)])

    def previous(self, session: ConsoleSession) -> None:
        self.next(session, -1)

    def beside(self, _session: ConsoleSession) -> None:
        panes = self._screen.panes
        hidden = [other for other in self._screen.sessions if other not in panes.shown]
        why = panes.add(hidden[0]) if hidden else "all consoles are shown"
        if why:
            self._screen.say(why, "warning")

    def only(self, _session: ConsoleSession) -> None:
        self._screen.panes.only()

    def pane(self, _session: ConsoleSession) -> None:
        self._screen.panes.turn()

    def history(self, _session: ConsoleSession) -> None:
        self._screen.look_back()

    def search(self, _session: ConsoleSession) -> None:
        self._screen.ask_search()

    def save(self, session: ConsoleSession) -> None:
        self.sender.save(session)

    def log(self, session: ConsoleSession) -> None:
        try:
            if path := session.log_path:
                if why := session.stop_log():
                    self._screen.say(f"not all was recorded: {why}; what was is in {path}", "error")
                else:
                    self._screen.say(f"recorded to {path}; tuivirt log {session.name} shows it")
            else:
                self._screen.say(f"recording to {session.start_log()}")
        except TuivirtError as error:
            self._screen.say(joined(error), "error")

    def size(self, session: ConsoleSession) -> None:
        size = self._screen.panes.slot.pane.size
        if size.width < 1 or size.height < 1:
            return  # A guest that is told zero may never wrap a line again.
        frame = self._screen.panes.slot.pane.frame
        if frame is not None and frame.alternate:
            why = "a full-screen program would take stty for its own keys; leave it first"
            self._screen.say(why, "warning")
            return
        session.emulator.resize(size.width, size.height)
        session.send(f"stty rows {size.height} cols {size.width}\r".encode())
        self._screen.panes.slot.paint()

    def file(self, session: ConsoleSession) -> None:
        self.sender.file(session)

    def tidy(self, session: ConsoleSession) -> None:
        session.emulator.feed(TIDY)
        self._screen.panes.slot.paint()
        self._screen.say("colours, line drawing, mouse and the like are as at the start")

    def literal(self, _session: ConsoleSession) -> None:
        self._screen.next_is_literal()

    def send_break(self, session: ConsoleSession) -> None:
        self._screen.act("send-break", [session.ref], device=session.device)

    def actions(self, session: ConsoleSession) -> None:
        self._screen.joint.open_menu([session.ref])

    def go(self, _session: ConsoleSession) -> None:
        self._screen.action_command()
