"""What hosts ask while they are connected to, one question at a time, over whatever is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.screen import ModalScreen

from tuivirt.backend.model.question import Question, QuestionKind
from tuivirt.widgets.answer import AnswerDialog
from tuivirt.widgets.dialogs import ConfirmDialog
from tuivirt.widgets.text import plain

if TYPE_CHECKING:
    from .consoling import Consoling

ASK_AGAIN = "ctrl+r asks again"
_KEPT = (
    "It is kept in this program's memory, for when the line breaks, until tuivirt ends or it is "
    "refused; it is written nowhere."
)
_ONCE = "It is used once and written nowhere."
_COMPARE = (
    "Say yes only when this fingerprint is the one that the host's owner has told you. With any "
    "other, somebody else answers in its place and can read along."
)


class SecretDialog(AnswerDialog):
    """Asks for what is known to the operator alone, or for a user name."""

    def __init__(self, question: Question) -> None:
        self.question = question
        hidden = question.kind is QuestionKind.SECRET
        wrong = "That was refused." if question.refused else ""
        if question.refused > 1:
            wrong = f"That was refused, the answer before it too ({question.refused} in all)."
        about = f"For {plain(question.uri)}."
        if question.about:
            about = question.about
        elif hidden:
            about += f" {_KEPT if question.kept else _ONCE}"
        super().__init__(
            f"{question.host} asks",
            question.prompt,
            [about],
            wrong=wrong,
            hidden=hidden,
            value=question.default,
            exact=question.exact,
        )

    def on_screen_resume(self) -> None:
        _close_unless_open(self, self.question)


class DecisionDialog(ConfirmDialog):
    """Asks for yes or no; that is no unless *yes* was chosen."""

    def __init__(self, question: Question) -> None:
        self.question = question
        sentences = [line.strip() for line in question.prompt.strip().split("\n")]
        if "key" in question.prompt:
            sentences += [" ", _COMPARE]
        super().__init__(f"{question.host} asks", sentences)
        self.on_yes = False

    def on_screen_resume(self) -> None:
        _close_unless_open(self, self.question)


def _close_unless_open(dialog: ModalScreen[Any], question: Question) -> None:
    if not question.open:
        dialog.dismiss(None)


def follow_questions(app: Consoling) -> bool:
    """Show the next open question, close one that nobody waits for; whether one is shown."""
    for screen in app.screen_stack:
        if isinstance(screen, SecretDialog | DecisionDialog):
            in_front = screen is app.screen
            if in_front:
                _close_unless_open(screen, screen.question)
            # The next one comes when this one has gone.
            return True
    for host in app.fleet.hosts.values():
        if host.question is not None and host.question.open:
            _show(app, host.question)
            return True
    return False


def _show(app: Consoling, question: Question) -> None:
    def answered(text: str | None) -> None:
        if text is not None:
            question.answer(text)
        elif question.dismiss() and not question.about:
            app.say(f"{question.host} is not connected: {ASK_AGAIN}", "warning")
        app.call_later(app.follow)

    def decided(yes: bool | None) -> None:
        if question.answer("yes" if yes else "no") and not yes:
            app.say(f"{question.host} is not connected: {ASK_AGAIN}", "warning")
        app.call_later(app.follow)

    if question.kind is QuestionKind.YES_NO:
        app.push_screen(DecisionDialog(question), decided)
    else:
        app.push_screen(SecretDialog(question), answered)
