"""What one host asks of the operator: one question at a time, and what need not be asked again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .events import Event, Noticed, Publish, SnapshotChanged
from .model.question import Question, QuestionKind

if TYPE_CHECKING:
    from .board import Board
    from .host import Host

TRIES = 3
"""How many answers to one question are taken, as ssh does."""


class Inquiry:
    """The questions of one host. An open one stands in the host's snapshot, for whoever answers.

    An answer that may be kept is used again, once in each try to connect, until it is refused;
    it is in the memory of this process and nowhere else.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._kept: dict[str, str] = {}
        self._asked: dict[str, int] = {}
        """By prompt: how often it came in this try."""
        self._refused: dict[str, int] = {}
        """By prompt: how many of its answers were refused, in this try and those just before."""
        self._names: dict[str, str] = {}
        """By prompt: what was answered last and may be seen, to begin with the next time."""
        self._open: Question | None = None
        self._closed = False
        self.unanswered = ""
        """Why a question of this try has no answer."""
        self.by_person = False
        """Whether somebody answered in this try."""

    def begin(self, *, anew: bool = True) -> None:
        """A try to connect begins; not ``anew``: after one that was refused just now."""
        with self._lock:
            self._asked.clear()
            if anew:
                self._refused.clear()
            self.unanswered, self.by_person = "", False

    def refused(self) -> None:
        """The try ended with a refusal: nothing that was answered in it is used again."""
        with self._lock:
            for prompt in self._asked:
                self._kept.pop(prompt, None)
                self._refused[prompt] = self._refused.get(prompt, 0) + 1

    @property
    def asked(self) -> bool:
        """Whether anything was asked in this try, of the operator or of what is kept."""
        return bool(self._asked)

    @property
    def waiting(self) -> bool:
        """Whether a question is open."""
        return self._open is not None

    def tell(self, text: str) -> None:
        """Something is to be done, in words of ssh's, and nothing to be answered."""
        self._host.tell(Noticed(host=self._host.name, text=text.strip()))

    def defect(self, error: BaseException) -> None:
        """Something went wrong that nobody expected: say so."""
        self._host.defect(error)

    def post(
        self, kind: QuestionKind, prompt: str, *, kept: bool = False, default: str = ""
    ) -> Question:
        """Ask; the question comes back answered already where the answer is known.

        The same prompt twice in one try means that the first answer was refused. After one that
        was dismissed nothing more is asked in that try.
        """
        with self._lock:
            times = self._asked[prompt] = self._asked.get(prompt, 0) + 1
            if times > 1:
                self._kept.pop(prompt, None)
                self._refused[prompt] = self._refused.get(prompt, 0) + 1
            question = Question(
                self._host.name,
                self._host.uri,
                kind,
                prompt,
                kept=kept,
                refused=self._refused.get(prompt, 0),
                default=default or self._names.get(prompt, ""),
            )
            if times > TRIES and not self.unanswered:
                self.unanswered = f"{TRIES} answers were refused ({_asked(prompt)})"
            known = self._kept.get(prompt) if kept else None
            if known is not None:
                question.answer(known)
            elif self._closed or self.unanswered:
                question.withdraw()
            else:
                self._open = question
        if question.open:
            question.when_done(lambda: self._ended(question))
            self._host.update(retry_at=None)  # The next try is this one.
            self._host.ask(question)
            if not question.open:  # Answered by whoever was just told.
                self._host.asked(question)
        return question

    def _ended(self, question: Question) -> None:
        answer = question.wait()
        with self._lock:
            self._open = None
            if answer is not None:
                self.by_person = True
                if question.kind is QuestionKind.TEXT:
                    self._names[question.prompt] = answer
                if question.kept:
                    self._kept[question.prompt] = answer
                if question.kind is QuestionKind.YES_NO and answer != "yes":
                    self.unanswered = "you said no"
                    if "key" in question.prompt:
                        self.unanswered += " to its host key"
            elif question.why_not:
                self.unanswered = f"{question.why_not} ({_asked(question.prompt)})"
        self._host.asked(question)

    def close(self) -> None:
        """Nothing is asked any more, and what is open is withdrawn."""
        with self._lock:
            self._closed = True
            question = self._open
            self._kept.clear()
        if question is not None:
            question.withdraw()


def _asked(prompt: str) -> str:
    return prompt.strip().split("\n")[-1].rstrip(": ")


def passed_on(to: Board) -> Publish:
    """For a host that nobody looks at: what it asks is asked at another."""
    asked: list[Question] = []

    def heard(event: Event) -> None:
        if not isinstance(event, SnapshotChanged):
            return
        question = event.snapshot.question
        if asked and asked[0] is not question:
            to.asked(asked.pop())
        if question is not None and not asked:
            asked.append(question)
            to.ask(question)

    return heard
