"""Who has an image: as `owners` finds it, for what works on images of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..owners import Finder, Usage, Use

if TYPE_CHECKING:
    from ..host import Host

__all__ = ["Usage", "Use", "Users"]


class Users:
    """Who uses the images of this machine at one moment. Raises TuivirtError."""

    def __init__(self, host: Host) -> None:
        self._finder = Finder(host, here=True)

    def of(self, path: str) -> Usage:
        """Who uses the image at this real path."""
        return self._finder.of(path)
