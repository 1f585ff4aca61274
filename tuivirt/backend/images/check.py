"""An image's own records checked, and mended."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import Aborted, BadInput, TuivirtError
from ..lifecycle import Progress
from ..model.finding import Finding, Plan, Weight
from . import beside, judge, tool
from .here import require_here
from .read import read_image, real_path
from .users import Users

if TYPE_CHECKING:
    from ..host import Host

LEAKS, ALL = "leaks", "all"
_SOUND, _CORRUPT, _LEAKS, _NOT_OFFERED = 0, 2, 3, 63
"""How ``qemu-img check`` ends."""


def plan_for(host: Host, values: Mapping[str, Any]) -> Plan:
    """What would be done, and what speaks against it. Raises TuivirtError."""
    _path, _form, plan = _settled(host, values)
    return plan


def _settled(host: Host, values: Mapping[str, Any]) -> tuple[str, str, Plan]:
    require_here(host)
    path, repair = real_path(str(values["path"])), str(values.get("repair") or "")
    usage = Users(host).of(path)
    image = read_image(path, judge.form_of(usage, str(values.get("format") or "")))
    found = judge.against_encrypted([image])
    found += judge.about_format(image, usage, reads=False) + beside.about(
        path, writing=bool(repair)
    )
    step = f"{path}: {image.form}, is looked through"
    if repair:
        found += judge.against_writing(usage, content=False)
        step += f"; what is wrong in it is mended ({repair})"
    else:
        found += judge.against_reading(usage)
    if repair == ALL:
        found.append(
            Finding(
                Weight.RISK,
                "mending an image that is corrupt may lose what is in it",
                "copy the file first",
            )
        )
    return path, image.form, Plan(path.rpartition("/")[2], (step,), tuple(found))


def check(
    host: Host,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Check an image, and mend it where that is asked for; a sentence of how it is.

    Raises BadInput where it cannot be checked, Aborted, and TuivirtError where it is corrupt.
    Source: ``qemu-img check``.
    """
    repair = str(values.get("repair") or "")
    if repair:
        host.require_write()
    path, form, plan = _settled(host, values)
    judge.refuse(plan, f"cannot check {path}", force)
    if not repair:
        return judge.with_notes(_checked(path, form, "", aborted, progress), plan.findings)
    with beside.Work("repair", path, path, inside=True):
        return judge.with_notes(_checked(path, form, repair, aborted, progress), plan.findings)


def _checked(
    path: str,
    form: str,
    repair: str,
    aborted: threading.Event | None,
    progress: Progress | None,
) -> str:
    what = f"cannot check {path}"
    words = ["check", "--output=json", "-f", form, *(["-r", repair] if repair else [])]
    try:
        answer = tool.run(
            [*words, "--", path],
            aborted=aborted,
            progress=progress,
            saying="mending" if repair else "checking",
        )
    except Aborted as error:
        said = "what was mended by then is, the rest is as it was" if repair else ""
        raise Aborted(f"the check of {path} was aborted", said) from error
    if answer.status == _NOT_OFFERED:
        raise BadInput(what, f"an image of {form} keeps no records that could be wrong")
    if answer.status not in (_SOUND, _CORRUPT, _LEAKS):
        raise tool.failed(what, answer)
    told = tool.read_json(answer, what)
    errors, leaks = int(told.get("corruptions") or 0), int(told.get("leaks") or 0)
    mended = _mended(told)
    if errors:
        advice = (
            "copy the file and try --repair all; what cannot be mended comes from a backup"
            if repair != ALL
            else "what cannot be mended comes from a backup"
        )
        raise TuivirtError(f"{path} is corrupt", f"{_counted(errors, 'error')}{mended}", advice)
    if answer.status == _CORRUPT:
        raise tool.failed(f"{path} is corrupt", answer)
    if leaks:
        lost = f"{_counted(leaks, 'cluster')} of it hold nothing and are not given back"
        return f"{path} is sound, but {lost}: --repair leaks{mended}"
    return f"{path} is sound{mended}"


def _mended(told: Mapping[str, Any]) -> str:
    fixed = [
        _counted(int(told[key]), word)
        for key, word in (("corruptions-fixed", "error"), ("leaks-fixed", "lost cluster"))
        if told.get(key)
    ]
    return f"; mended: {', '.join(fixed)}" if fixed else ""


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"
