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
