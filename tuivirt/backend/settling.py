"""What takes its time and ends later: told once how, to whoever listens."""

from __future__ import annotations

import threading
from collections.abc import Callable

SHUTDOWN_TIMEOUT_S = 30.0
"""How long a guest is given to shut down before it is told that it has not."""
LET_GO_S = 10.0
"""How long a guest is given to let go of a device before it is told as pending."""
LINGER_S = 2.0
"""How long a pipe to a console waits for more of what the guest prints."""

Settled = Callable[[str | BaseException], None]
"""Given the sentence of how it ended, or the error."""


class Settling:
    """Something under way that ends with a sentence or an error."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listener: Settled | None = None
        self._end: str | BaseException | None = None

    @property
    def is_settled(self) -> bool:
        with self._lock:
            return self._end is not None

    def on_settled(self, listener: Settled) -> None:
        """Have ``listener`` called once when it ends, at once if it has; on any thread."""
        with self._lock:
            self._listener = listener
            end = self._end
        if end is not None:
            listener(end)

    def settle(self, end: str | BaseException) -> None:
        """Tell how it ended, from any thread; only the first time counts."""
        with self._lock:
            if self._end is not None:
                return
            self._end = end
            listener = self._listener
        if listener is not None:
            listener(end)


class Outcome(Settling):
    """What is true after something was asked for.

    While ``pending`` the guest has not done it; whoever follows it settles it later with a
    sentence or an error.
    """

    def __init__(self, text: str, *, pending: bool = False, advice: str = "") -> None:
        super().__init__()
        self.text = text
        self.advice = advice
        self.asked = pending
        """The guest had not done it when the call was over; it may have since."""

    @property
    def pending(self) -> bool:
        return self.asked and not self.is_settled
