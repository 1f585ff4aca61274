"""Who has an image, as records and in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..model.at_most import at_most
from ..model.finding import Finding, Weight

MOST_SAID = 5
"""More of one kind is counted: it would hide the rest of a plan."""


@dataclass(frozen=True, slots=True)
class Use:
    """A domain's use of an image, or of another file."""

    domain: str
    target: str
    """The disk, as in ``vda``; or what else the file is to it, as in ``kernel``, ``snapshot a``."""
    running: bool
    """The domain runs with it: it is open."""
    below: bool
    """The disk does not have it itself, but lies on it."""
    reads_only: bool
    form: str
    """What the domain says of its format; '' where that is not told."""
    saved: bool
    """The domain has a managed save."""
    host: str = ""
    """The host that the domain is on, where that is another machine's."""
    uuid: str = ""
    later: bool = False
    """The domain runs, and has it from its next start on."""
    snapshot: str = ""
    """The domain's snapshot of that name keeps it: the domain itself has no use of it now."""
    frozen: bool = False
    """There is no going back to the snapshot once somebody has written to it."""
    shareable: bool = False
    """The domain says that it shares what it writes to."""

    @property
    def who(self) -> str:
        """``web-01``, or ``snapshot s2 of web-01``."""
        return self.said if self.snapshot else self.name

    @property
    def name(self) -> str:
        """``web-01``, or ``web-01 on host b``."""
        return f"{self.domain} on host {self.host}" if self.host else self.domain

    @property
    def said(self) -> str:
        """``vda of web-01``."""
        return f"{self.target} of {self.name}"

    @property
    def state(self) -> str:
        """``which runs``."""
        if self.later:
            return "which has it from its next start on"
        return "which runs" if self.running else "which is off"

    @property
    def phrase(self) -> str:
        """``vda of web-01, which runs``, or ``what snapshot s2 of web-01 keeps``."""
        return f"what {self.said} keeps" if self.snapshot else f"{self.said}, {self.state}"

    @property
    def letting_go(self) -> str:
        """What has the snapshot keep it no more, and leaves it as it is.

        Without ``--metadata`` the image would be deleted or written to with the snapshot.
        """
        return f"tuivirt snapshot-delete {self.domain} {self.snapshot} --metadata"


@dataclass(frozen=True, slots=True)
class Usage:
    """All that has one image."""

    path: str
    domains: tuple[Use, ...] = ()
    overlays: tuple[str, ...] = ()
    """Paths of images that lie on it."""
    machine: tuple[str, ...] = ()
    """What this machine does with it, a phrase each."""
    volumes: tuple[str, ...] = ()
    """``pool/name`` of the volumes that lie on it, however many are between."""
    images: tuple[str, ...] = ()
    """Paths of the images in no pool that lie on it, however many are between."""
    away: tuple[str, ...] = ()
    """Hosts that may have it and could not be asked, or tell of what may be another; sentences."""
    unseen: tuple[str, ...] = ()
    """What could not be looked into, and may lie on it; sentences."""

    @property
    def form(self) -> str:
        """The format that the domains agree on; '' where none says it."""
        forms = {use.form for use in self.domains if use.form}
        return forms.pop() if len(forms) == 1 else ""

    @property
    def unsure(self) -> tuple[str, ...]:
        """All that could not be seen."""
        return (*self.away, *self.unseen)

    @property
    def phrases(self) -> tuple[str, ...]:
        """Who has it, a phrase each: ``vda of web-01, which runs``."""
        return tuple(dict.fromkeys((*(use.phrase for use in self.domains), *self.machine)))


def some(words: Iterable[str], end: str = "") -> list[str]:
    """Those that can be said: a nightly snapshot keeps an image as often as there were nights.

    ``end``: what is said of those that are only counted.
    """
    return at_most(MOST_SAID, words, after=f" like these{end}")


def risks(sentences: Iterable[str]) -> list[Finding]:
    """What could not be seen, as findings: it is asked, and never taken for nothing."""
    said = some(sentences, " could not be looked into")
    return [Finding(Weight.RISK, each) for each in said]
