"""What an image holds written into the one that it lies on."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import Aborted, BadInput
from ..lifecycle import Progress
from ..model.finding import Finding, Plan, Weight
from ..model.size import spelled
from . import beside, header, judge, tool
from .here import require_here
from .read import Chain, Image, read_chain, real_path
from .users import Usage, Users

if TYPE_CHECKING:
    from ..host import Host


@dataclass(frozen=True, slots=True)
class Committing:
    """What is to be done, settled."""

    image: Image
    base: Image
    deep: bool
    """The base is not what it lies on at once, but further down."""
    plan: Plan


def plan_for(host: Host, values: Mapping[str, Any]) -> Plan:
    """What would be done, and what speaks against it. Raises TuivirtError."""
    return _settled(host, values).plan


def _settled(host: Host, values: Mapping[str, Any]) -> Committing:
    require_here(host)
    path = real_path(str(values["path"]))
    users = Users(host)
    usage = users.of(path)
    chain = read_chain(path, judge.form_of(usage, str(values.get("format") or "")))
    image = chain.top
    if not image.backing_name:
        raise BadInput(f"{path} lies on no other image", advice="there is nothing to write it into")
    if len(chain.images) < 2:
        raise BadInput(f"cannot write {path} into what it lies on", chain.problem, chain.advice)
    place = _place(chain, str(values.get("base") or ""))
    base = chain.images[place]
    found = judge.about(chain, usage)
    found += judge.against_writing(usage, content=False)
    found += beside.about(path, writing=True)
    found += beside.about(base.path, writing=True)
    for each in chain.images[1 : place + 1]:
        below = _without(users.of(each.path), usage, chain)
        found += judge.against_writing(below, content=True)
    folder = os.path.dirname(base.path)
    if not base.block:
        found += judge.about_room(folder, image.used_bytes, f"{base.path}, as it grows,")
    if image.size_bytes > base.size_bytes:
        sizes = f"from {spelled(base.size_bytes)} to {spelled(image.size_bytes)}"
        found.append(Finding(Weight.NOTE, f"{base.path} is enlarged {sizes}"))
    elif image.size_bytes < base.size_bytes:
        sizes = f"{spelled(image.size_bytes)}, and {base.path} {spelled(base.size_bytes)}"
        found.append(Finding(Weight.NOTE, f"{path} has {sizes}: what is beyond stays"))
    kept = "keeps its own data as well" if values.get("keep") or place > 1 else "is emptied then"
    steps = (
        f"{path} ({spelled(image.used_bytes)}) is written into {base.path}",
        f"   what {base.path} holds in those places is lost",
        f"   {path} {kept}",
    )
    return Committing(image, base, place > 1, Plan(os.path.basename(path), steps, tuple(found)))


def _place(chain: Chain, base: str) -> int:
    if not base:
        return 1
    real = real_path(header.located(chain.top.path, base) or base)
    for place, each in enumerate(chain.images):
        if place and each.path == real:
            return place
    below = ", ".join(each.path for each in chain.images[1:])
    raise BadInput(f"{chain.top.path} does not lie on {real}", f"it lies on {below}")


def _without(below: Usage, own: Usage, chain: Chain) -> Usage:
    """Who uses an image further down past the one that is written into it.

    A snapshot that keeps that one itself is spoilt though it has the upper one as well.
    """
    through = {(use.domain, use.target) for use in own.domains}
    return replace(
        below,
        domains=tuple(
            use
            for use in below.domains
            if (use.domain, use.target) not in through or (use.snapshot and not use.below)
        ),
        overlays=tuple(o for o in below.overlays if o not in {i.path for i in chain.images}),
    )


def commit(
    host: Host,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Write what an image holds into what it lies on; a sentence of what holds now.

    Read through the image all is the same at each moment, also where it is cut off in between.
    Raises BadInput before anything was changed, Aborted, TuivirtError. Source:
    ``qemu-img commit``.
    """
    wanted = _settled(host, values)
    image, base = wanted.image, wanted.base
    what = f"cannot write {image.path} into {base.path}"
    judge.refuse(wanted.plan, what, force)
    words = ["commit", "-p", "-f", image.form]
    words += ["-d"] if values.get("keep") or wanted.deep else []
    words += ["-b", base.path] if wanted.deep else []
    with beside.Work("commit", image.path, base.path, inside=True):
        try:
            answer = tool.run(
                [*words, "--", image.path], aborted=aborted, progress=progress, saying="writing"
            )
        except Aborted as error:
            what = f"writing {image.path} into {base.path} was aborted"
            raise Aborted(what, _half(wanted)) from error
        if answer.status != 0:
            failure = tool.failed(what, answer)
            failure.advice = ". ".join(filter(None, [failure.advice, _half(wanted)]))
            raise failure
    done = f"{base.path} holds what {image.path} held"
    return judge.with_notes(done, wanted.plan.findings)


def _half(wanted: Committing) -> str:
    return (
        f"{wanted.base.path} may hold a part of it by now; {wanted.image.path} holds all as "
        "before, and the same can be done again"
    )
