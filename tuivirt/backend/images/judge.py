"""What speaks against doing something with an image, by who uses it and by what it is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from ..errors import BadInput
from ..model.finding import Finding, Plan, Weight
from ..model.size import spelled
from ..owners import risks, some
from .read import Chain, Image
from .users import Usage, Use

_PRIVATE = ("/boot", "/dev", "/etc", "/proc", "/root", "/sys")
"""Where no image of a guest has business; what lies there is the machine's own."""


def refuse(plan: Plan, what: str, force: bool) -> None:
    """Raise BadInput where a plan may not be carried out."""
    refuse_found(plan.findings, what, force=force)


def refuse_found(findings: Sequence[Finding], what: str, *, force: bool = False) -> None:
    """Raise BadInput where one of them forbids it, or is a risk that nobody takes."""
    refused = [each for each in findings if each.weight is Weight.REFUSED]
    risks = [each for each in findings if each.weight is Weight.RISK and not force]
    for found, advice in ((refused, ""), (risks, "--force takes the risk")):
        if found:
            said = [each.advice for each in found if each.advice]
            raise BadInput(
                what,
                "; ".join(each.text for each in found),
                ". ".join(filter(None, [*said[:1], advice])),
            )


def refuse_new(before: Iterable[Finding], now: Iterable[Finding], what: str) -> None:
    """Raise BadInput where more than notes speaks against it that was not known before."""
    known = {(each.weight, each.text) for each in before}
    new = [each for each in now if (each.weight, each.text) not in known]
    refuse_found(new, what)


def with_notes(done: str, findings: Iterable[Finding]) -> str:
    """What was done, and below it what was worth knowing about it."""
    notes = [each for each in findings if each.weight is Weight.NOTE]
    said = [each.text + (f": {each.advice}" if each.advice else "") for each in notes]
    return "\n".join([one_line(done), *(f"Note: {one_line(text)}" for text in said)])


def one_line(text: str) -> str:
    """A path may hold a line's end, and must not look like a line of ours."""
    return " ".join(text.splitlines())


def _names(uses: Iterable[Use]) -> str:
    return ", ".join(dict.fromkeys(use.said for use in uses))


def against_reading(usage: Usage) -> list[Finding]:
    """Reading all of it: not while somebody writes to it, for the copy would be torn."""
    found = _by_machine(usage) + risks(usage.away)
    writers = [use for use in usage.domains if use.running and not use.reads_only]
    if writers:
        found.append(
            Finding(
                Weight.REFUSED,
                f"{usage.path} is open: it is {_names(writers)}, which runs",
                "shut that down first, or copy the disk while it runs: tuivirt blockcopy",
            )
        )
    return found


def against_writing(usage: Usage, *, content: bool) -> list[Finding]:
    """Writing to it or putting another in its place; ``content``: a guest would see the change."""
    found = _by_machine(usage) + risks(usage.unsure if content else usage.away)
    running = [use for use in usage.domains if use.running]
    if running:
        lies = "lies below" if all(use.below for use in running) else "is"
        found.append(
            Finding(
                Weight.REFUSED,
                f"{usage.path} is open: it {lies} {_names(running)}, which runs",
                "shut that down first",
            )
        )
    off = [use for use in usage.domains if not use.running and not use.snapshot]
    if own := [use for use in off if not use.below]:
        text = f"{usage.path} is {_names(own)}, which is off"
        found.append(Finding(Weight.NOTE, text, "do not start it meanwhile"))
    if not content:
        return found
    above = [use for use in off if use.below]
    if above or usage.overlays:
        names = ", ".join(filter(None, [_names(above), ", ".join(usage.overlays)]))
        found.append(
            Finding(
                Weight.RISK,
                f"{names} {'lies' if len(above) + len(usage.overlays) == 1 else 'lie'} on it, "
                "and what is in there is spoilt by the change",
                "give those another image to lie on first, or delete them",
            )
        )
    if kept := [use for use in usage.domains if use.snapshot]:
        kept = [use for use in kept if use.frozen] or kept
        names = ", ".join(some(use.said for use in kept))
        text = f"{names} {'keeps' if len(kept) == 1 else 'keep'} {usage.path}, and there is no "
        text += "going back to what that was after the change"
        found.append(Finding(Weight.RISK, text, f"let go of it first: {kept[0].letting_go}"))
    if saved := [use for use in off if use.saved]:
        found.append(
            Finding(
                Weight.RISK,
                f"{_names(saved)}: its saved memory goes with the disk as it is now",
                "start it and shut it down first, or throw the saved memory away",
            )
        )
    return found


def _by_machine(usage: Usage) -> list[Finding]:
    if not usage.machine:
        return []
    return [
        Finding(
            Weight.REFUSED,
            f"{usage.path} is in use by this machine: {'; '.join(usage.machine)}",
            "free it first",
        )
    ]


def about(chain: Chain, usage: Usage) -> list[Finding]:
    """What the image itself, and what it lies on, give to think of."""
    top = chain.top
    found = []
    if chain.problem:
        found.append(Finding(Weight.REFUSED, chain.problem, chain.advice))
    found += against_encrypted(chain.images)
    if top.corrupt:
        found.append(
            Finding(
                Weight.RISK,
                f"{top.path} is marked as corrupt: what is read from it may be wrong",
                "look at it first: tuivirt image-check",
            )
        )
    return found + about_format(top, usage)


def against_encrypted(images: Iterable[Image]) -> list[Finding]:
    """What is encrypted can be told of, and not be read or written to without its secret."""
    locked = next((each for each in images if each.encrypted), None)
    if locked is None:
        return []
    key = "key-secret" if locked.form == "luks" else "encrypt.key-secret"
    opened = f"driver={locked.form},{key}=s,file.filename={locked.path.replace(',', ',,')}"
    return [
        Finding(
            Weight.REFUSED,
            f"{locked.path} is encrypted, and its secret is not asked for here",
            "qemu-img works on it with that: --object secret,id=s,file=FILE (the file holds the "
            f"value) --image-opts {opened}",
        )
    ]


def about_format(image: Image, usage: Usage, *, reads: bool = True) -> list[Finding]:
    """What is to be known where nobody said which format it has.

    A guest that wrote a raw image may have written the head of another format, which names a
    file of this machine as what it lies on. ``reads``: what lies there would be read through it.
    """
    if not image.probed:
        return []
    below = image.backing_name or image.data_file
    text = f"nobody says which format {image.path} has, and it looks like {image.form}"
    if not below:
        return [Finding(Weight.NOTE, text)]
    strange = _is_private(image.backing) or _is_private(image.data_file)
    return [
        Finding(
            Weight.RISK if reads or strange else Weight.NOTE,
            f"{text} and names {below} as what it takes its data from",
            "a guest may have written that into a raw image: say which format it has",
        )
    ]


def _is_private(path: str) -> bool:
    real = os.path.realpath(path) if path else ""
    return any(real.startswith(f"{place}/") for place in _PRIVATE)


def about_room(folder: str, needed: int, what: str) -> list[Finding]:
    """Whether the file system at ``folder`` has so many bytes free for ``what``."""
    stat = os.statvfs(folder)
    free = stat.f_bavail * stat.f_frsize
    if needed <= free:
        return []
    return [
        Finding(
            Weight.RISK,
            f"{what} may need {spelled(needed)}, and {folder} has {spelled(free)} free",
            "make room there, or write it elsewhere",
        )
    ]


def form_of(usage: Usage, given: str) -> str:
    """The format as far as anybody says it: who asks, else the domains that have the image."""
    return given or usage.form
