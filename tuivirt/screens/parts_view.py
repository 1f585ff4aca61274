"""A tab of what libvirt keeps of a domain and tells nothing of: read now and then, as a tree."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from tuivirt.actions.errors import TuivirtError
from tuivirt.backend.model.domain import Domain
from tuivirt.widgets.block import Block
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.tones import Toned

from .processors_view import LookUp
from .telling import in_lines

ASK_AGAIN_S = 10.0
"""libvirt tells of none that somebody else makes."""


class PartsView(Vertical):
    """A table, and a legend below; the keys of the list are about what it shows."""

    DEFAULT_CSS = "PartsView { width: 1fr; height: 1fr; }"
    PARAMETER: ClassVar[str]
    """Of the actions, what names one."""
    ON_KEYS: ClassVar[dict[str, str]]
    """What the keys of these actions mean here."""
    MAKES: ClassVar[str]
    """Of those, the one that needs none under the cursor."""

    class Wished(Message):
        """Something is to be done with what is under the cursor: the action, what is known."""

        def __init__(self, action: str, values: dict[str, Any]) -> None:
            super().__init__()
            self.action = action
            self.values = values

    def __init__(self, table: LiveTable[Any], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.table = table
        self._legend = Block()
        self._asked_for: object = None
        self._asking = False
        self._asked_at = 0.0
        self._answered: Callable[[], None] = lambda: None
        self._look_deeper: Callable[[], None] = lambda: None
        self._awaited = 0
        """How many of the answers that take longer have not come yet."""

    def compose(self) -> ComposeResult:
        yield self.table
        yield self._legend

    def focus(self, scroll_visible: bool = True) -> PartsView:
        """The keys are the table's."""
        self.table.focus(scroll_visible)
        return self

    @property
    def chosen(self) -> str:
        """The one under the cursor, by name; empty: there is none."""
        row = self.table.row(self.table.cursor)
        return self.name_of(row) if row is not None else ""

    def name_of(self, row: Any) -> str:
        """What the row's part is called."""
        raise NotImplementedError

    def wish_for(self, key: str) -> tuple[str, dict[str, Any]] | None:
        """What the key of an action of the list means here; None: the same as everywhere."""
        action = self.ON_KEYS.get(key)
        if action is None:
            return None
        chosen = "" if action == self.MAKES else self.chosen
        return action, {self.PARAMETER: chosen} if chosen else {}

    # Reading

    @property
    def ask_again_s(self) -> float:
        return ASK_AGAIN_S

    def ask(
        self, domain: Domain, token: object, look_up: LookUp, answered: Callable[[], None]
    ) -> None:
        """Look them up where they are not known, may have changed, or were read long ago."""
        self._answered = answered
        old = time.monotonic() - self._asked_at >= self.ask_again_s
        if self._asking or (token == self._asked_for and not old):
            return
        if domain.stalled_since is not None and self.is_known:
            return  # What is known stays, and is read again once it answers.
        self._asked_for, self._asking = token, True
        self._look_deeper = lambda: self._read_deeper(domain, look_up)
        self.read(domain, look_up)

    def read(self, domain: Domain, look_up: LookUp) -> None:
        """Ask for them, and have `take` called with what comes."""
        raise NotImplementedError

    def read_deeper(self, domain: Domain, look_up: LookUp) -> None:
        """Ask for what takes longer, as it looks into the images: by `ask_deeper`."""
        raise NotImplementedError

    def _read_deeper(self, domain: Domain, look_up: LookUp) -> None:
        # Where a guest's monitor hangs, so does this: each more would take a worker of the host.
        if not self._awaited and domain.stalled_since is None:
            self.read_deeper(domain, look_up)

    def ask_deeper(
        self,
        domain: Domain,
        look_up: LookUp,
        function: Callable[..., Any],
        then: Callable[[Any], None],
    ) -> None:
        """Look something up that takes longer; no more is asked for until its answer came."""
        self._awaited += 1

        def came(answer: Any) -> None:
            self._awaited -= 1
            then(answer)

        look_up(domain.host, function, domain.uuid, then=came, alone=(function, domain.ref))

    def take(self, answer: Any) -> None:
        self._asking, self._asked_at = False, time.monotonic()
        if isinstance(answer, TuivirtError):
            if not self.is_known:
                self.table.set_empty(in_lines(answer))
            self._tell(str(answer), "warn")
            return
        self.show_found(answer)
        self._answered()
        self._look_deeper()

    @property
    def is_known(self) -> bool:
        """Whether they were read once."""
        raise NotImplementedError

    def show_found(self, found: Any) -> None:
        """What was read is drawn."""
        raise NotImplementedError

    def _tell(self, text: str, tone: str) -> None:
        self._legend.show([(Toned(f" {text}", tone),)] if text else [])

    def action_wish(self, action: str) -> None:
        """What is about the one under the cursor; nothing where there is none."""
        if chosen := self.chosen:
            self.post_message(self.Wished(action, {self.PARAMETER: chosen}))
