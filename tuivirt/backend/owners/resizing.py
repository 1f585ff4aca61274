"""What speaks against giving an image another size: one judgement, for volumes and for files."""

from __future__ import annotations

from dataclasses import replace

from ..model.finding import Finding, Weight
from .usage import Usage


def against_resizing(usage: Usage, name: str, *, shrinks: bool) -> list[Finding]:
    """Who has it open, what lies on it, whose saved memory goes with it as it is now.

    ``name``: what the image is called in what is said.
    """
    from ..images.judge import against_writing

    said = []
    if running := [use for use in usage.domains if use.running]:
        lies = "lies below" if all(use.below for use in running) else "is"
        names = ", ".join(dict.fromkeys(use.said for use in running))
        said.append(
            Finding(
                Weight.REFUSED,
                f"{name} is open: it {lies} {names}, which runs with it, and would not see it, or "
                "be spoilt by it",
                "shut that down first; tuivirt blockresize makes a running guest's disk larger",
            )
        )
    off = tuple(use for use in usage.domains if not use.running)
    overlays = usage.overlays
    if shrinks:
        above = [*dict.fromkeys(use.said for use in off if use.below or use.frozen), *overlays]
        if above:
            said.append(
                Finding(
                    Weight.REFUSED,
                    f"{name} is in use by {', '.join(above)}: what lies on it needs all of it",
                    "give those another image to lie on first, or delete them",
                )
            )
        off, overlays = tuple(use for use in off if not (use.below or use.frozen)), ()
    rest = replace(usage, path=name, domains=off, overlays=overlays)
    return said + against_writing(rest, content=True)
