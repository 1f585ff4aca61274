"""The menu behind a console's one key: what is for tuivirt and not for the guest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import events

from tuivirt.backend.model.console import ConsoleSession, ConsoleState
from tuivirt.widgets.menu import Choice, Menu

PREFIX = "ctrl+right_square_bracket"
"""``ctrl+]``, as in virsh and telnet; ``console.prefix`` in the settings is another."""


class ConsoleMenu(Menu):
    """Its keys come before those of any menu, and its own prefix again leaves the console."""

    def __init__(self, title: str, choices: Sequence[Choice], prefixes: Sequence[str]) -> None:
        super().__init__(title, choices)
        self._prefixes = tuple(prefixes)

    def on_key(self, event: events.Key) -> None:
        if event.key in self._prefixes:
            event.stop()
            event.prevent_default()
            self.dismiss("leave")
            return
        for choice in self._all:
            if event.key in choice.key.split(","):
                event.stop()
                event.prevent_default()
                self._choose(choice)
                return
        super().on_key(event)


LIFE = {"start": ("start the guest", "S"), "reset": ("reset the guest", "R")}
LIFE["destroy"] = ("force off the guest", "K")
"""What is done to the guest without leaving its console, with its key here."""


def choices(
    session: ConsoleSession | None, others: int, panes: int, refusals: Mapping[str, str]
) -> list[Choice]:
    """What can be done now.

    ``others``: open consoles beside this one. ``refusals``: why one of LIFE cannot be done.
    """
    if session is None:
        return [Choice("leave", "leave", "q"), Choice("another", "open another console", "o")]
    state = session.status.state
    closed = "" if state is ConsoleState.OPEN else f"it is {state}"
    sending = session.sending
    log = session.log_path
    rows = [
        Choice("leave", "leave; it stays open", "q"),
        Choice("close", "close this console", "x"),
        Choice("raw", "raw: the whole terminal to the guest", "r", closed),
        Choice("zoom", "all rows to the guest, or not", "z"),
        Choice("another", "open another console", "o"),
    ]
    if others:
        rows += [
            Choice("next", "next console", "n,tab"),
            Choice("previous", "console before", "p,shift+tab"),
            Choice("beside", "one more beside it", "v"),
        ]
    if panes > 1:
        rows += [
            Choice("pane", "to the pane beside", "left,right"),
            Choice("only", "this one only", "1"),
        ]
    rows += [
        Choice("history", "scroll back, choose and copy text", "left_square_bracket"),
        Choice("search", "search what was printed", "slash"),
        Choice("save", "save what was printed to a file", "s"),
        Choice("log", "stop recording" if log else "record to a file", "g", note=log),
        Choice("size", "tell the guest this window's size (types stty)", "w", closed),
        Choice("file", "send the text of a file", "f", closed),
        Choice("tidy", "put the terminal right after garbage", "e"),
        Choice("literal", "send the next key as it is, ctrl+] too", "k", closed),
        Choice("send_break", "send a break", "b", closed),
        *(Choice(name, said, key, refusals[name]) for name, (said, key) in LIFE.items()),
        Choice("actions", "all actions for this guest", "a"),
        Choice("go", "go to another screen", "colon"),
    ]
    if sending is not None:
        rows.insert(0, Choice("stop", f"stop sending {sending.what}", "ctrl+c"))
    if state is ConsoleState.HELD:
        rows.insert(0, Choice("take", "take it from whoever has it", "t"))
    elif state is ConsoleState.CLOSED:
        rows.insert(0, Choice("again", "open it again", "t"))
    return rows
