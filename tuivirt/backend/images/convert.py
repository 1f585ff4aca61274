"""An image converted: into another file, onto a device, or, to make it smaller, onto itself."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import Aborted, TuivirtError
from ..lifecycle import Progress
from ..model.size import spelled
from ..naming import sync
from . import beside, judge, tool
from .conversion import Conversion, settle
from .lock import Lock
from .users import Users

if TYPE_CHECKING:
    from ..host import Host

_CHECKED = frozenset(("qcow2", "qed", "vdi"))
"""Formats whose own records can be checked."""


def convert(
    host: Host,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Convert an image; a sentence of what is there now.

    Raises BadInput before anything was written; Aborted and TuivirtError, and then what was there
    is there as it was. Source: ``qemu-img convert``.
    """
    if progress is not None:
        progress("looking at the images", None)
    wanted = settle(host, values)
    judge.refuse_found(wanted.findings, f"cannot convert {wanted.source.path}", force=force)
    done = carry_out(host, wanted, aborted=aborted, progress=progress)
    return judge.with_notes(done, wanted.findings)


def carry_out(
    host: Host,
    wanted: Conversion,
    *,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Convert as settled. Raises Aborted, TuivirtError.

    What is replaced is locked before it is read: a guest that is started meanwhile does not start,
    rather than go on with a file that has lost its name.
    """
    source, target = wanted.source, wanted.target
    told = ""
    before = _marks(source.path)
    with (
        beside.Work(
            "conversion", source.path, target, inside=wanted.onto_device, given=wanted.given
        ) as work,
        contextlib.ExitStack() as held,
    ):
        new = work.path or target
        try:
            old = held.enter_context(Lock(target)) if wanted.replaces else None
            _write(wanted, new, aborted, progress)
            if wanted.onto_device:
                sync(target)
            else:
                _refuse_changed(wanted, before)
                again = partial(_refuse_used, host, wanted)
                told = work.put(instead=old, keep=wanted.keep, again=again)
        except Aborted as error:
            raise Aborted(f"the conversion of {source.path} was aborted", _left(wanted)) from error
        except TuivirtError as error:
            error.advice = ". ".join(filter(None, [error.advice, _left(wanted)]))
            raise
        except OSError as error:
            what = f"cannot convert {source.path}"
            raise TuivirtError(what, error.strerror or str(error), _left(wanted)) from error
    used = spelled(os.stat(target).st_blocks * 512)
    if wanted.in_place:
        kept = f"; as it was it is {wanted.keep}" if wanted.keep else ""
        return f"{target} takes {used}, {spelled(source.used_bytes)} before{kept}{told}"
    if wanted.onto_device:
        return f"{target} has what is in {source.path}, as {wanted.form}"
    return f"{target} has what is in {source.path}, as {wanted.form} ({used}){told}"


def _write(
    wanted: Conversion, new: str, aborted: threading.Event | None, progress: Progress | None
) -> None:
    source = wanted.source
    what = f"cannot convert {source.path}"
    words = ["convert", "-p", "-f", source.form, "-O", wanted.form, *wanted.words]
    answer = tool.run(
        [*words, "--", source.path, new], aborted=aborted, progress=progress, saying="converting"
    )
    if answer.status != 0:
        raise tool.failed(what, answer)
    if wanted.form in _CHECKED:
        answer = tool.run(
            ["check", "-f", wanted.form, "--", new],
            aborted=aborted,
            progress=progress,
            saying="checking the result",
        )
        if answer.status != 0:
            raise tool.failed(f"{what}: the result is not sound", answer)
    if wanted.verify:
        _compare(wanted, new, aborted, progress)


def _compare(
    wanted: Conversion, new: str, aborted: threading.Event | None, progress: Progress | None
) -> None:
    source = wanted.source
    answer = tool.run(
        ["compare", "-p", "-f", source.form, "-F", wanted.form, "--", source.path, new],
        aborted=aborted,
        progress=progress,
        saying="comparing the result",
    )
    if answer.status == 1:
        raise TuivirtError(
            f"cannot convert {source.path}", "the result has not the same in it", "try it again"
        )
    if answer.status != 0:
        raise tool.failed(f"cannot compare {source.path} with the result", answer)


def _marks(path: str) -> Sequence[int]:
    """What is another once somebody has written to a file."""
    now = os.stat(path)
    return now.st_ino, now.st_size, now.st_mtime_ns


def _refuse_changed(wanted: Conversion, before: Sequence[int]) -> None:
    """Whoever wrote to it meanwhile would find that lost, or the copy torn."""
    source = wanted.source
    if not source.block and _marks(source.path) != before:
        raise TuivirtError(
            f"cannot convert {source.path}",
            "it was changed while it was read",
            "see who writes to it (fuser), and try again",
        )


def _refuse_used(host: Host, wanted: Conversion) -> None:
    """Raises BadInput where the old image has users by now that it had not."""
    now = judge.against_writing(Users(host).of(wanted.target), content=not wanted.in_place)
    judge.refuse_new(wanted.findings, now, f"cannot replace {wanted.target}")


def _left(wanted: Conversion) -> str:
    if wanted.onto_device:
        return f"what is on {wanted.target} is worth nothing now"
    if os.path.lexists(wanted.target):
        return f"{wanted.target} is as it was"
    return "nothing of it was left behind"
