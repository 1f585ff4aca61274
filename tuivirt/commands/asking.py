"""Asks on the terminal what a host wants to know before a verb can go on."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import sys
import threading

from tuivirt.backend.events import Event, SnapshotChanged
from tuivirt.backend.model.question import Question, QuestionKind
from tuivirt.widgets.text import plain

NO_TERMINAL = "nobody can be asked here, as standard input is no terminal"


class Asking:
    """Subscribes to the hosts' events; asks one question at a time, on a thread of its own.

    Where standard input is no terminal each is dismissed at once. A context: at its end the
    terminal is given back as it was, as the program may end in the middle of a question.
    """

    def __init__(self) -> None:
        self._seen: set[Question] = set()
        self._queue: queue.SimpleQueue[Question] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._refuse = ""
        self._tty = -1
        self._modes: list[object] = []

    def __call__(self, event: Event) -> None:
        if not isinstance(event, SnapshotChanged):
            return
        question = event.snapshot.question
        if question is None or question in self._seen:
            return
        self._seen.add(question)
        why_not = self._refuse or ("" if _on_a_terminal() else NO_TERMINAL)
        if why_not:
            # Not here: whoever publishes an event waits for this.
            threading.Thread(target=question.dismiss, args=(why_not,), daemon=True).start()
            return
        self._queue.put(question)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="asking", daemon=True)
                self._thread.start()

    def stop(self, why_not: str) -> None:
        """From now on nothing is asked: the terminal is somebody else's."""
        self._refuse = why_not

    def __enter__(self) -> Asking:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._refuse = self._refuse or "tuivirt ended"
        with self._lock:
            self._restore()

    def _restore(self) -> None:
        if self._modes:
            import termios

            modes, self._modes = self._modes, []
            with contextlib.suppress(termios.error):  # It may have gone.
                termios.tcsetattr(self._tty, termios.TCSADRAIN, modes)  # type: ignore[arg-type]
            os.write(self._tty, b"\n")

    def _work(self) -> None:
        while True:
            question = self._queue.get()
            try:
                self._tty = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
            except OSError:
                question.dismiss(NO_TERMINAL)
                continue
            try:
                self._ask(question)
            except OSError as error:
                question.dismiss(f"the terminal cannot be read: {error.strerror}")
            finally:
                os.close(self._tty)

    def _ask(self, question: Question) -> None:
        text = "\n".join(plain(line) for line in question.prompt.strip().split("\n"))
        if question.refused:
            text = f"that was refused\n{text}"
        if question.default:
            text = f"{text} [{plain(question.default)}]"
        ended, end = os.pipe()
        question.when_done(lambda: os.close(end))
        try:
            while question.open:
                line = self._line(f"{plain(question.host)}: {text} ", question.kind, ended)
                if line is None:
                    question.dismiss()
                elif question.kind is not QuestionKind.YES_NO or line in ("yes", "no"):
                    question.answer(line or question.default)
                else:
                    text = "type yes or no:"
        finally:
            os.close(ended)

    def _line(self, prompt: str, kind: QuestionKind, ended: int) -> str | None:
        """A line that was typed; None at its end, or when ``ended`` can be read."""
        import termios

        modes = termios.tcgetattr(self._tty)
        hidden = kind is QuestionKind.SECRET
        with self._lock:
            if self._refuse:
                return None
            if hidden:
                self._modes = list(modes)
                modes[3] &= ~termios.ECHO
            # What was typed before the question is no answer to it.
            termios.tcsetattr(self._tty, termios.TCSAFLUSH, modes)
            os.write(self._tty, prompt.encode(errors="replace"))
        try:
            poll = select.poll()
            poll.register(self._tty, select.POLLIN)
            poll.register(ended, select.POLLIN)
            ready = {fd for fd, _ in poll.poll()}
            if ended in ready:
                return None
            typed = os.read(self._tty, 4096)
        finally:
            with self._lock:
                self._restore()
        return typed.decode(errors="surrogateescape").rstrip("\r\n") if typed else None


def _on_a_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
