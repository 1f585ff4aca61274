"""What goes into a secret: asked for, or read from a file; kept nowhere, and in no message."""

from __future__ import annotations

import base64
import binascii
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .errors import Aborted, BadInput, TuivirtError
from .model.question import Question, QuestionKind

if TYPE_CHECKING:
    from .host import Host

MOST_BYTES = 65536
"""libvirt's protocol carries no more."""
STDIN = "-"
_LOOK_S = 0.2
_ABOUT = "It becomes the value of a secret of libvirt's; tuivirt keeps it nowhere."
_EXACT = "secret-define and secret-set-value take it as it is with --file PATH"
_NOT_ASKED = "--file takes it from a file, of which - is standard input"


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options cannot be right."""
    if values.get("base64") and not values.get("file"):
        raise BadInput("base64 is about what a file holds", "what is typed is taken as it is")


def value_for(
    host: Host, called: str, values: Mapping[str, Any], aborted: threading.Event
) -> bytes:
    """The value of the secret that is ``called`` so: of the file that is named, or asked for.

    Raises Aborted, BadInput, TuivirtError; no message holds a part of it.
    """
    file = str(values.get("file") or "")
    value = _of_file(file) if file else _asked(host, called, aborted)
    if values.get("base64"):
        try:
            value = base64.b64decode(b"".join(value.split()), validate=True)
        except binascii.Error:
            raise BadInput(f"what {_place(file)} holds is no base64") from None
    if not value:
        raise BadInput(f"what {_place(file)} holds is empty", "a secret needs a value")
    return value


def told(value: bytes, values: Mapping[str, Any]) -> str:
    """What is to be known of a value, without a word of it: a clause, or ''."""
    if values.get("file") and not values.get("base64") and value.endswith(b"\n"):
        return "; the line end at the end of the file is a part of it"
    return ""


def _place(file: str) -> str:
    return "standard input" if file == STDIN else file


def _of_file(file: str) -> bytes:
    what = f"cannot read the value from {_place(file)}"
    try:
        if file == STDIN:
            if sys.stdin is None or sys.stdin.isatty():
                raise BadInput(what, "it is a terminal", "leave --file out to be asked for it")
            value = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with open(file, "rb") as source:
                value = source.read(MOST_BYTES + 1)
    except OSError as error:
        raise TuivirtError(what, error.strerror or str(error)) from error
    if len(value) > MOST_BYTES:
        raise BadInput(what, f"it holds more than the {MOST_BYTES} bytes that libvirt takes")
    return value


def _asked(host: Host, called: str, aborted: threading.Event) -> bytes:
    """Typed twice alike, so that nobody locks away what nobody can open."""
    first = _answer(host, f"The value of the secret {called}:", aborted)
    if not first:
        raise BadInput(f"no value was typed for the secret {called}", "a secret needs a value")
    if _answer(host, "The same once more:", aborted) != first:
        raise BadInput(f"the value of the secret {called} was typed in two ways", "nothing is set")
    return first.encode(errors="surrogateescape")


def _answer(host: Host, prompt: str, aborted: threading.Event) -> str:
    question = Question(
        host.name, host.uri, QuestionKind.SECRET, prompt, about=_ABOUT, exact=_EXACT
    )
    ended = threading.Event()

    def over() -> None:
        host.asked(question)
        ended.set()

    question.when_done(over)
    host.ask(question)
    while not ended.wait(_LOOK_S):
        if aborted.is_set():
            question.withdraw()
    answer = question.wait()
    if aborted.is_set():
        raise Aborted("no value is asked for any more")
    if answer is None:
        why = question.why_not or "nobody waits for it any more"
        raise TuivirtError("the value of the secret is not known", why, _NOT_ASKED)
    return answer
