"""What is asked, what is asked again, and what is remembered for a run and no longer."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tuivirt.backend import board as backend
from tuivirt.backend.inquiry import TRIES, Inquiry, passed_on
from tuivirt.backend.model.question import Question, QuestionKind

SECRET, TEXT = QuestionKind.SECRET, QuestionKind.TEXT


class Board(backend.Board):
    """What a host is, without its connection."""

    @property
    def question(self) -> Question | None:
        return self.snapshot.question


@pytest.fixture
def board() -> Board:
    return Board("srv1", "qemu+ssh://srv1/system", lambda _event: None)


@pytest.fixture
def inquiry(board: Board) -> Inquiry:
    return Inquiry(cast(Any, board))


def test_an_open_question_stands_in_the_snapshot_until_it_is_answered(
    inquiry: Inquiry, board: Board
) -> None:
    inquiry.begin()
    question = inquiry.post(SECRET, "password: ")
    assert board.question is question
    assert inquiry.waiting
    assert question.answer("x")
    assert board.question is None
    assert not inquiry.waiting
    assert not question.answer("y"), "it is answered once"
    assert question.wait() == "x"


def test_what_was_not_refused_is_used_once_in_each_try(inquiry: Inquiry, board: Board) -> None:
    inquiry.begin()
    inquiry.post(SECRET, "password: ", kept=True).answer("x")
    inquiry.begin()
    again = inquiry.post(SECRET, "password: ", kept=True)
    assert (again.open, again.wait()) == (False, "x")
    assert not inquiry.by_person
    refused = inquiry.post(SECRET, "password: ", kept=True)
    assert board.question is refused
    assert refused.refused == 1


def test_what_the_try_was_refused_for_is_forgotten(inquiry: Inquiry) -> None:
    inquiry.begin()
    inquiry.post(SECRET, "password: ", kept=True).answer("x")
    inquiry.refused()
    inquiry.begin(anew=False)
    question = inquiry.post(SECRET, "password: ", kept=True)
    assert question.open
    assert question.refused == 1


def test_what_may_not_be_kept_is_asked_in_each_try(inquiry: Inquiry) -> None:
    inquiry.begin()
    inquiry.post(SECRET, "Code: ").answer("12")
    inquiry.begin()
    assert inquiry.post(SECRET, "Code: ").open


def test_after_one_was_dismissed_nothing_more_is_asked_in_that_try(inquiry: Inquiry) -> None:
    inquiry.begin()
    inquiry.post(SECRET, "password: ").dismiss()
    assert inquiry.unanswered == "you did not answer (password)"
    assert not inquiry.post(SECRET, "password: ").open
    inquiry.begin()
    assert inquiry.post(SECRET, "password: ").open


def test_what_is_withdrawn_was_not_refused_to_be_answered(inquiry: Inquiry) -> None:
    inquiry.begin()
    inquiry.post(SECRET, "password: ").withdraw()
    assert inquiry.unanswered == ""


def test_no_more_than_three_answers_are_taken(inquiry: Inquiry) -> None:
    inquiry.begin()
    for number in range(TRIES):
        inquiry.post(SECRET, "password: ").answer(str(number))
    assert not inquiry.post(SECRET, "password: ").open
    assert inquiry.unanswered == "3 answers were refused (password)"


def test_questions_of_the_host_and_of_its_test_wait_for_each_other(
    inquiry: Inquiry, board: Board
) -> None:
    probe = backend.Board("srv1", board.uri, passed_on(board))
    of_test = Inquiry(cast(Any, probe))
    inquiry.begin()
    of_test.begin()
    first = of_test.post(SECRET, "password: ")
    second = inquiry.post(SECRET, "password: ")
    assert board.question is first
    first.answer("x")
    assert board.question is second
    third = of_test.post(SECRET, "code: ")
    second.answer("x")
    assert board.question is third
    third.withdraw()
    assert board.question is None


def test_a_name_is_there_to_be_corrected_a_secret_never(inquiry: Inquiry) -> None:
    for kind, default in ((TEXT, "rob"), (SECRET, "")):
        inquiry.begin()
        inquiry.post(kind, "who? ").answer("rob")
        inquiry.refused()
        inquiry.begin()
        assert inquiry.post(kind, "who? ").default == default or kind is SECRET
        inquiry = Inquiry(cast(Any, Board("srv1", "x://", lambda _event: None)))


def test_a_closed_one_asks_nothing_and_remembers_nothing(inquiry: Inquiry, board: Board) -> None:
    inquiry.begin()
    inquiry.post(SECRET, "password: ", kept=True).answer("x")
    question = inquiry.post(TEXT, "name: ")
    inquiry.close()
    assert question.wait() is None
    assert board.question is None
    inquiry.begin()
    assert inquiry.post(SECRET, "password: ", kept=True).wait() is None


def test_a_question_shows_no_answer_in_its_words(inquiry: Inquiry) -> None:
    inquiry.begin()
    question = inquiry.post(SECRET, "password: ", kept=True)
    question.answer("s3cret")
    assert "s3cret" not in repr(question) + repr(inquiry) + repr(vars(board_of(inquiry)))


def board_of(inquiry: Inquiry) -> Any:
    return inquiry._host
