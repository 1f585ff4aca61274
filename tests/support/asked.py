"""Stands where an operator does: answers what a host asks, and remembers what that was."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.events import Event, LinkChanged, Noticed, SnapshotChanged
from tuivirt.backend.host import Host
from tuivirt.backend.model.host import HostSnapshot
from tuivirt.backend.model.question import Question

PATIENCE_S = 40.0


class Asked:
    """A host, and whoever is asked by it.

    Each question gets the next of ``answers``; None dismisses it, and so does their end. With
    ``answers`` None the questions stay open.
    """

    def __init__(
        self,
        uri: str,
        answers: Sequence[str | None] | None = (),
        *,
        name: str = "lab",
        sampling: bool = False,
        interval: float = 2.0,
    ) -> None:
        self.questions: list[Question] = []
        self.noticed: list[str] = []
        self.links: list[str] = []
        self._answers = None if answers is None else list(answers)
        self._changed = threading.Condition()
        self.host = Host(name, uri, publish=self._publish, sampling=sampling, interval=interval)
        self.host.start()

    def _publish(self, event: Event) -> None:
        answer: Callable[[], object] | None = None
        with self._changed:
            if isinstance(event, SnapshotChanged):
                question = event.snapshot.question
                if question is not None and question not in self.questions:
                    self.questions.append(question)
                    answer = self._answer(question)
            elif isinstance(event, LinkChanged):
                self.links.append(event.link)
            elif isinstance(event, Noticed):
                self.noticed.append(event.text)
            self._changed.notify_all()
        if answer is not None:
            answer()

    def _answer(self, question: Question) -> Callable[[], object] | None:
        if self._answers is None:
            return None
        text = self._answers.pop(0) if self._answers else None
        return question.dismiss if text is None else lambda: question.answer(text)

    def answers(self, *answers: str | None) -> None:
        """What the next questions get."""
        with self._changed:
            self._answers = list(answers)

    @property
    def prompts(self) -> list[str]:
        """What was asked so far."""
        return [question.prompt for question in self.questions]

    def opened(self) -> HostSnapshot:
        """The first snapshot of a connection; raises what it could not be opened for."""
        return self.host.wait_filled(PATIENCE_S)

    def refused(self) -> TuivirtError:
        """Why it could not be opened."""
        try:
            snapshot = self.host.wait_filled(PATIENCE_S)
        except TuivirtError as error:
            return error
        raise AssertionError(f"it was opened: {snapshot}")

    def until(self, true: Callable[[HostSnapshot], object], what: str) -> HostSnapshot:
        """Wait for a snapshot (or an event, or a question) of which that is true."""
        with self._changed:
            if not self._changed.wait_for(lambda: true(self.host.snapshot), PATIENCE_S):
                raise AssertionError(f"never: {what}; last: {self.host.snapshot}")
            return self.host.snapshot

    def close(self) -> None:
        self.host.close()

    def __enter__(self) -> Asked:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
