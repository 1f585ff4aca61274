"""Work on an image: what is written lies beside it until it is whole, and is told of if it stays.

``.NAME.tuivirt-XXXXXXXX`` is what is written, the same with ``.job`` says what it is to be. That
one is locked for as long as somebody works: when it is there and is not, the work was cut off.
With ``.old`` it is what the result takes the place of, for the moment in which that is done.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..begun import BACKUP, BESIDE, BOOT, first, forget, is_gone, note, noted, say
from ..errors import TuivirtError
from ..machine import boot
from ..marks import Mark, Told, marks_in, read, stem_for, stem_of
from ..model.finding import Finding, Weight
from ..model.size import spelled
from . import place, tool
from .lock import Lock

if TYPE_CHECKING:
    from ..host import Host

_LEAVING_S = 8.0
"""How long the program waits at its end until what runs has been taken back."""

_GIVEN = "given"
"""The name that was given for a device: that it leads to may be another's after a boot."""
_NUMBERS = ("/dev/block/", "/dev/disk/by-diskseq/")
"""Links whose names are the kernel's numbers."""

_open: set[Work] = set()
_changed = threading.Condition()


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that was begun and not ended."""

    verb: str
    """What it was, as in ``conversion``."""
    source: str
    target: str
    file: str
    """What it has written so far; '' where it wrote into the image itself."""
    job: str
    under_way: bool
    """Somebody works on it now."""
    whole: bool = False
    """It was written to its end, and another file had the name that it was to have."""
    old: str = ""
    """What it was about to take the place of; '' where that has its name."""
    real: str = ""
    """Where ``target``, the name of a device, leads now; '' for what is none."""
    lost: bool = False
    """That name may be another device's by now."""

    @property
    def said(self) -> str:
        """``conversion of /a into /b``."""
        into = f" into {self.target}" if self.target != self.source else ""
        return f"{self.verb} of {self.source}{into}"

    def finding(self, path: str, *, writing: bool) -> Finding:
        """What is to be known of it before more is done with the image at ``path``."""
        if self.under_way:
            weight = Weight.REFUSED if writing or path in (self.target, self.real) else Weight.NOTE
            return Finding(weight, f"a {self.said} is under way", "wait for its end")
        if self.old:
            return Finding(
                Weight.NOTE,
                f"a {self.said} was cut off as it was put in place: {self.old} is what was there",
                f"look at {self.target}; where it is not right, mv {self.old} to it; then remove "
                f"what is left of both, and {self.job}",
            )
        if self.lost:
            return Finding(
                Weight.NOTE,
                f"a {self.said} was cut off before the machine was last started: which device "
                "that is now cannot be told",
                f"find it (lsblk), and do it again there; then remove {self.job}",
            )
        device = (self.real or self.target).startswith("/dev/")
        if not self.file and self.verb == "conversion" and device:
            return Finding(
                Weight.NOTE,
                f"a {self.said} was cut off: what is on {self.target} is worth nothing",
                f"do it again; or remove {self.job}",
            )
        if not self.file:
            return Finding(
                Weight.NOTE,
                f"a {self.said} was cut off",
                f"do it again; or look at the image (tuivirt image-check) and remove {self.job}",
            )
        size = spelled(os.stat(self.file).st_blocks * 512) if os.path.exists(self.file) else "gone"
        if self.whole:
            return Finding(
                Weight.NOTE,
                f"the whole result of a {self.said} lies there: {self.file} ({size})",
                f"give it a name (mv), or remove it; and remove {self.job}",
            )
        return Finding(
            Weight.NOTE,
            f"an unfinished {self.said} lies there: {self.file} ({size})",
            f"remove it, and {self.job}: nothing goes on from there",
        )


class Work:
    """A context manager around work that ends in ``target``; raises TuivirtError.

    ``path`` is where the result is written, beside it. Leaving the context removes what was not
    put in place. With ``inside`` nothing is written beside: the image itself is changed. One at a
    time works on a target, or changes what another reads. ``given`` is the name that led to a
    device.
    """

    def __init__(
        self, verb: str, source: str, target: str, *, inside: bool = False, given: str = ""
    ) -> None:
        self._said = {"verb": verb, "source": source, "target": target}
        self._given = given or target
        self._target = target
        self._inside = inside
        self._mark: Mark | None = None
        self._note: Mark | None = None
        self._stays = False
        self.path = ""

    def __enter__(self) -> Work:
        with _changed:
            _open.add(self)
        folder, name = os.path.split(self._target)
        # A device's folder is no place for files.
        if not self._inside or os.path.isfile(self._target):
            self._begin(folder, name, stem_for(folder, name))
        else:
            self._note = note(name, {**self._said, _GIVEN: self._given})
            self._refuse_second()
        return self

    def _begin(self, folder: str, name: str, stem: str) -> None:
        self._note = note(name, self._said, stem)
        try:
            self._mark = Mark(stem, self._said)
            if not self._inside:
                # Nobody else may read it before it has the rights of what it replaces.
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                os.close(os.open(stem, flags, 0o600))
                self.path = stem
        except OSError as error:
            self.__exit__()
            why = error.strerror or str(error)
            raise TuivirtError(f"nothing can be written in {folder}", why) from error
        self._refuse_second()

    def _refuse_second(self) -> None:
        """Whoever began at the same moment finds this one's job, as this one finds theirs."""
        target = self._said["target"]
        own = {mark.path for mark in (self._mark, self._note) if mark is not None}
        for each in leftovers(target):
            if each.under_way and each.job not in own:
                self.__exit__()
                what = f"nothing can be done with {target} now"
                raise TuivirtError(what, f"a {each.said} is under way", "wait for its end")

    def put(
        self,
        *,
        instead: Lock | None = None,
        keep: str = "",
        again: Callable[[], None] | None = None,
    ) -> str:
        """Give the result its name, as `place.put` does; returns and raises what that does.

        Where another file came there meanwhile the result stays beside, and is told of.
        """
        try:
            return place.put(self.path, self._target, instead=instead, keep=keep, again=again)
        except place.Taken:
            self.path, self._stays = "", True
            if self._mark is not None:
                self._mark.say({**self._said, "whole": True})
            raise

    def __exit__(self, *exc: object) -> None:
        try:
            if self._inside and exc and exc[0] is None:
                self._settle()
            self._clean()
        finally:
            with _changed:
                _open.discard(self)
                _changed.notify_all()

    def _settle(self) -> None:
        """The same was cut off before, and is done now."""
        verb, source, target = self._said.values()
        for each in leftovers(target):
            same = (each.verb, each.real or each.target) == (verb, target)
            # A conversion leaves nothing of what was there, wherever that came from.
            same = same and (verb == "conversion" or each.source == source)
            if same and not (each.under_way or each.file or each.old):
                # Another user's may stay: its own advice says what to do about it.
                with contextlib.suppress(OSError):
                    forget(Path(each.job))

    def _clean(self) -> None:
        if self.path:
            # What was put in place is not there any more.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
        # The note is the last to go: it leads to the other.
        for mark in filter(None, (self._mark, self._note)):
            mark.end(stays=self._stays)
        self._mark = self._note = None


@atexit.register
def _leave() -> None:
    """The program ends: what runs is aborted, and takes back what it wrote."""
    tool.ending.set()
    until = time.monotonic() + _LEAVING_S
    with _changed:
        while _open and time.monotonic() < until:
            _changed.wait(0.1)


def leftovers(path: str) -> list[Leftover]:
    """What was begun with the image at this path, as source or result, and not ended."""
    found = [*_in_folder(os.path.dirname(path)), *_on_devices()]
    return [
        each for each in found if path in (each.source, each.real or each.target) and not each.lost
    ]


def about(path: str, *, writing: bool) -> list[Finding]:
    """What is to be known of them before the image is worked on."""
    return [each.finding(path, writing=writing) for each in leftovers(path)]


def tell(host: Host, folders: Iterable[Path], *, but: str) -> None:
    """Have the operator know of all that was cut off in these folders, ``but`` of that verb."""
    for each in (found for folder in dict.fromkeys(folders) for found in _in_folder(str(folder))):
        if each.verb != but:
            _tell(host, each)


def tell_noted(host: Host, path: Path, told: Told) -> None:
    """Have the operator know of work that was cut off by its note, which goes with its mark."""
    beside = told.said.get(BESIDE)
    if not beside:
        _tell(host, _on_device(path, told))
    elif (found := read(Path(str(beside)))) is not None:
        _tell(host, _leftover(Path(str(beside)), found))
    elif is_gone(str(beside), told):
        forget(path)


def _tell(host: Host, left: Leftover) -> None:
    if not left.under_way and first(left.job):
        finding = left.finding(left.target, writing=False)
        say(host, finding.text, finding.advice)


def _in_folder(folder: str) -> Iterator[Leftover]:
    for path in marks_in(Path(folder)):
        if (found := read(path)) is not None:
            yield _leftover(path, found)


def _on_devices() -> Iterator[Leftover]:
    """Where no mark may lie beside them: this user's."""
    for path, told in noted():
        if not told.said.get(BESIDE) and told.said["verb"] != BACKUP:
            yield _on_device(path, told)


def _on_device(path: Path, told: Told) -> Leftover:
    """What a note tells of a device, under the name that was given for it."""
    left = _leftover(path, told)
    given = str(told.said.get(_GIVEN, left.target))
    # Of the kernel's names, sdb and dm-3, each boot may make another use; udev's links follow.
    kept = given != left.target and given.startswith("/dev/") and not given.startswith(_NUMBERS)
    lost = not kept and told.said.get(BOOT) != boot()
    return replace(left, target=given, real=os.path.realpath(given), lost=lost)


def _leftover(path: Path, found: Told) -> Leftover:
    verb, source, target = (found.said[key] for key in ("verb", "source", "target"))
    stem = stem_of(path)
    there, old = (each if os.path.lexists(each) else "" for each in (stem, stem + place.OLD))
    whole = found.said.get("whole") is True
    return Leftover(verb, source, target, there, str(path), found.under_way, whole, old)
