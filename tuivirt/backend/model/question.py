"""A question that a host's connection or a verb hangs on, and only the operator can answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from enum import StrEnum


class QuestionKind(StrEnum):
    """What sort of answer is asked for."""

    SECRET = "secret"
    """A password, a passphrase, a one-time code: not to be seen while it is typed."""
    TEXT = "text"
    """A user name: may be seen."""
    YES_NO = "yes or no"
    """Whether an unknown host key is the right one: ``yes`` or ``no``."""


class Question:
    """One question. From any thread it is answered, dismissed or withdrawn, once.

    ``host`` is the name of the host, ``uri`` leads there. ``prompt`` is what ssh, the host or
    libvirt asks, as it came: untrusted text. ``kept``: an answer that is not refused is used again
    for as long as tuivirt runs. ``refused`` counts the answers that were not right. ``default`` is
    an answer to begin with. ``about``: what it is for, where no connection hangs on it. ``exact``:
    the answer is taken as it is or not at all, and this says how else it can be given.
    """

    def __init__(
        self,
        host: str,
        uri: str,
        kind: QuestionKind,
        prompt: str,
        *,
        kept: bool = False,
        refused: int = 0,
        default: str = "",
        about: str = "",
        exact: str = "",
    ) -> None:
        self.host = host
        self.uri = uri
        self.kind = kind
        self.prompt = prompt
        self.kept = kept
        self.refused = refused
        self.default = default
        self.about = about
        self.exact = exact
        self.open = True
        """Whether it still waits for an answer."""
        self.asked_at = time.monotonic()
        self.why_not = ""
        """Why it was dismissed."""
        self._lock = threading.Lock()
        self._future: Future[str | None] = Future()

    def answer(self, text: str) -> bool:
        """Answer it; False when nobody waits for that any more."""
        return self._end(text)

    def dismiss(self, why: str = "you did not answer") -> bool:
        """It will not be answered: whoever asked gives up, and asks again only on demand."""
        return self._end(None, why)

    def withdraw(self) -> bool:
        """Whoever asked has gone."""
        return self._end(None)

    def _end(self, result: str | None, why_not: str = "") -> bool:
        with self._lock:
            if not self.open:
                return False
            self.open = False
            self.why_not = why_not
        # Not under the lock: who is told of it may hold one that others wait for with this one.
        self._future.set_result(result)
        return True

    def wait(self) -> str | None:
        """The answer; None when there is none. Blocks."""
        return self._future.result()

    def when_done(self, told: Callable[[], None]) -> None:
        """Call ``told`` when it is no longer open, on the thread that ended it."""
        self._future.add_done_callback(lambda _done: told())
