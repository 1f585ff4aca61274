"""Tells an answer from the rest of something that was typed for somewhere else."""

from __future__ import annotations

from time import monotonic
from typing import ClassVar


class Guard:
    """Knows when a key was pressed last, and so whether the next one can be an answer.

    Nobody reads a question and answers it within a quarter of a second of another key: what comes
    that fast is the rest of a word, a key that repeats while it is held down, or what was typed
    ahead while the line was slow.
    """

    QUIET_S: ClassVar[float] = 0.25
    """For how long no other key must have been pressed before an answer; typists are faster."""

    TOO_FAST: ClassVar[str] = "too fast for an answer: press it again"

    def __init__(self, *, read: bool = False) -> None:
        """``read``: the first key may be the answer, as it is none that anything typed holds."""
        self._typed_at = float("-inf") if read else monotonic()

    def typed(self) -> None:
        """A key was pressed that is no answer."""
        self._typed_at = monotonic()

    def meant(self) -> bool:
        """Whether what is pressed now is an answer."""
        before, self._typed_at = self._typed_at, monotonic()
        return self._typed_at - before >= self.QUIET_S
