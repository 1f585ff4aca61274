"""What speaks for or against something that was planned, before it is done."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

from .record import record


class Weight(StrEnum):
    """How much a finding weighs."""

    REFUSED = "refused"
    """It cannot be, or must never be, done so."""
    RISK = "risk"
    """It is done only when the operator says so by name, or with ``--force``."""
    NOTE = "note"
    """Worth knowing."""


@record(frozen=True, slots=True)
class Finding:
    """Something that speaks against what is planned, or is worth knowing first."""

    weight: Weight
    text: str
    """What holds now, a phrase that names what it is about."""
    advice: str = ""
    """What to do about it."""


_TITLES = {Weight.REFUSED: "Refused", Weight.RISK: "Risk", Weight.NOTE: "Note"}


def lines_of(findings: Iterable[Finding]) -> list[str]:
    """The findings as text, the weightiest first, each with what to do about it below it."""
    said: list[str] = []
    known = tuple(findings)
    for weight, title in _TITLES.items():
        for finding in known:
            if finding.weight is weight:
                said.append(f"{title}: {finding.text}")
                if finding.advice:
                    said.append(f"   {finding.advice}")
    return said


class Planned(Protocol):
    """A plan as it is shown before it is carried out, whatever it is for."""

    @property
    def word(self) -> str:
        """What is typed by whoever takes its risks."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The plan as text, the most important first."""

    def of(self, weight: Weight) -> tuple[Finding, ...]:
        """The findings of this weight."""


@record(frozen=True, slots=True)
class Plan:
    """A plan of steps."""

    word: str
    """What is typed by whoever takes its risks."""
    steps: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    settled: tuple[tuple[str, str], ...] = ()
    """Options that were left open, with what the plan has for them: it is done with these."""

    def of(self, weight: Weight) -> tuple[Finding, ...]:
        """The findings of this weight."""
        return tuple(finding for finding in self.findings if finding.weight is weight)

    @property
    def lines(self) -> tuple[str, ...]:
        """The plan as text, the most important first."""
        said = [*lines_of(self.findings), *self.steps]
        # A guest's own words may hold a line's end, and must not look like a line of ours.
        return tuple(" ".join(line.splitlines()) for line in said)
