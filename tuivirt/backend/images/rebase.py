"""An image laid on another one than before, or on none."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import Aborted, BadInput
from ..lifecycle import Progress
from ..model.finding import Finding, Plan, Weight
from ..model.size import spelled
from . import beside, header, judge, tool
from .here import require_here
from .read import Chain, Image, read_chain, real_path
from .users import Users

if TYPE_CHECKING:
    from ..host import Host

_LYING = frozenset(("qcow2", "qcow", "qed"))
"""Formats that can lie on another image, and be laid on another."""


@dataclass(frozen=True, slots=True)
class Rebasing:
    """What is to be done, settled."""

    image: Image
    backing: str
    """As it is written in the image; '' for none."""
    backing_form: str
    unsafe: bool
    plan: Plan


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the values cannot be right together."""
    backing, flatten = values.get("backing"), values.get("flatten")
    if backing and flatten:
        raise BadInput("it is laid on another image, or on none", "--backing or --flatten")
    if flatten and values.get("unsafe"):
        raise BadInput(
            "what an image takes from below is lost when only the name goes",
            advice="leave --unsafe out",
        )
    if flatten and values.get("backing_format"):
        raise BadInput("where it lies on nothing, that has no format", "--backing-format")


def plan_for(host: Host, values: Mapping[str, Any]) -> Plan:
    """What would be done, and what speaks against it. Raises TuivirtError."""
    return _settled(host, values).plan


def _settled(host: Host, values: Mapping[str, Any]) -> Rebasing:
    check(values)
    if not values.get("backing") and not values.get("flatten"):
        advice = "give --backing, or else --flatten"
        raise BadInput("it is not said what it lies on from now on", advice=advice)
    require_here(host)
    path, unsafe = real_path(str(values["path"])), bool(values.get("unsafe"))
    users = Users(host)
    usage = users.of(path)
    chain = read_chain(path, judge.form_of(usage, str(values.get("format") or "")))
    image = chain.top
    # What it lies on now is not even looked at where only the name is changed.
    found = judge.about(Chain((image,)) if unsafe else chain, usage)
    found += judge.against_writing(usage, content=unsafe)
    found += beside.about(path, writing=True)
    if image.form not in _LYING:
        text = f"{path} is {image.form}, which cannot lie on another image"
        found.append(Finding(Weight.REFUSED, text, "convert it to qcow2 first"))
    backing, form = str(values.get("backing") or ""), ""
    if backing:
        real, form, more = _new_backing(users, image, backing, values)
        found += more
        steps = [f"{path} lies on {real} ({form}) from now on"]
    else:
        steps = [f"{path} lies on nothing from now on"]
        if not image.backing_name:
            found.append(Finding(Weight.REFUSED, f"{path} lies on nothing already"))
    steps[0] += f", on {image.backing_name} before" if image.backing_name else ""
    if unsafe:
        text = f"{path} is spoilt unless {backing} holds the same as what it lay on before"
        found.append(Finding(Weight.RISK, text, "leave --unsafe out, if that is still there"))
    else:
        steps.append("   what differs is copied into it, so that it holds the same as before")
    plan = Plan(os.path.basename(path), tuple(steps), tuple(found))
    return Rebasing(image, backing, form, unsafe, plan)


def _new_backing(
    users: Users, image: Image, name: str, values: Mapping[str, Any]
) -> tuple[str, str, list[Finding]]:
    """Its real path, its format, and what speaks against it."""
    located = header.located(image.path, name)
    if not located:
        raise BadInput(f"{name} is no path on this machine")
    real = real_path(located)
    usage = users.of(real)
    below = read_chain(real, judge.form_of(usage, str(values.get("backing_format") or "")))
    found = judge.about(below, usage)
    for each in below.images:
        found += judge.against_reading(users.of(each.path))
    if any(each.path == image.path for each in below.images):
        text = f"{real} is {image.path}, or lies on it: the chain would go in a circle"
        found.append(Finding(Weight.REFUSED, text))
    if below.top.size_bytes < image.size_bytes and values.get("unsafe"):
        sizes = f"{spelled(below.top.size_bytes)}, and {image.path} {spelled(image.size_bytes)}"
        found.append(Finding(Weight.NOTE, f"{real} has {sizes}: what is beyond reads as zeroes"))
    return real, below.top.form, found


def rebase(
    host: Host,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Lay an image on another one, or on none; a sentence of what holds now.

    What it holds is the same at each moment, unless ``unsafe`` is said: what it took from below
    is copied into it before the name is changed. Raises BadInput before anything was changed,
    Aborted, TuivirtError. Source: ``qemu-img rebase``.
    """
    wanted = _settled(host, values)
    image = wanted.image
    what = f"cannot lay {image.path} on {wanted.backing or 'nothing'}"
    judge.refuse(wanted.plan, what, force)
    words = ["rebase", "-p", "-f", image.form, *(["-u"] if wanted.unsafe else [])]
    words += ["-b", wanted.backing, *(["-F", wanted.backing_form] if wanted.backing else [])]
    with beside.Work("rebasing", image.path, image.path, inside=True):
        try:
            answer = tool.run(
                [*words, "--", image.path],
                aborted=aborted,
                progress=progress,
                saying="copying what it takes from below",
            )
        except Aborted as error:
            raise Aborted(f"laying {image.path} on another was aborted", _half(image)) from error
        if answer.status != 0:
            failure = tool.failed(what, answer)
            failure.advice = ". ".join(filter(None, [failure.advice, _half(image)]))
            raise failure
    below = wanted.backing or "nothing"
    return judge.with_notes(f"{image.path} lies on {below}", wanted.plan.findings)


def _half(image: Image) -> str:
    return f"it lies on {image.backing_name or 'nothing'} as before, and holds the same"
