"""Paths as they really are: two names of one file are told by where they lead."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..here import is_here

if TYPE_CHECKING:
    from ..host import Host

Real = Callable[[str], str]
"""A path as it really is."""


def real_of(host: Host) -> Real:
    """Of this machine's host its links are followed; of another's nothing more is known."""
    return RealPaths() if is_here(host) else str


class RealPaths:
    """As os.path.realpath, with each folder and path looked at once: a pool has thousands."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}
        """Where each leads, with a slash at its end."""
        self._known: dict[str, str] = {}

    def __call__(self, path: str) -> str:
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._really(path)
        return known

    def _really(self, path: str) -> str:
        if not path.startswith("/"):
            return path
        # By hand: os.path's own splitting and joining take longer than the look at the link.
        folder, _slash, name = path.rpartition("/")
        begun = self._folders.get(folder)
        if begun is None:
            real = os.path.realpath(folder or "/")
            begun = self._folders[folder] = real if real.endswith("/") else f"{real}/"
        whole = begun + name
        return os.path.realpath(whole) if os.path.islink(whole) else whole
