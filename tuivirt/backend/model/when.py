"""Which configuration a change touches."""

from __future__ import annotations

from enum import StrEnum


class When(StrEnum):
    """Which of a domain's two configurations a change touches."""

    AUTO = "auto"
    """Both while it runs and is persistent, else the one there is."""
    NOW = "now"
    NEXT_BOOT = "next boot"
    BOTH = "both"

    def of(self, *, active: bool, persistent: bool) -> When:
        """What it means for a domain: AUTO as what there is to be changed, the others as is."""
        if self is not When.AUTO:
            return self
        if active:
            return When.BOTH if persistent else When.NOW
        return When.NEXT_BOOT
