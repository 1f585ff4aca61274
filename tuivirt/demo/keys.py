"""What an operator's terminal sent, cut into keys: a full-screen program reads one at a time."""

from __future__ import annotations

import re

_KEY = re.compile(
    rb"\x1b\[200~(?P<paste>.*?)\x1b\[201~"
    rb"|\x1b\[[0-?]*[ -/]*[@-~]"  # CSI, as in ECMA-48 5.4
    rb"|\x1bO."
    rb"|\x1b[^[O\x1b]"  # Alt and a key.
    rb"|[\xc2-\xf4][\x80-\xbf]{1,3}"
    rb"|.",
    re.DOTALL,
)
_UNFINISHED = re.compile(rb"\x1b\[200~(?!.*\x1b\[201~).*\Z|\x1b(\[[0-?]*[ -/]*|O)\Z", re.DOTALL)
_LONGEST = 1 << 16
"""Bytes of a paste that are waited for; what is longer comes as keys."""


class Keys:
    """Keeps a sequence that came in two pieces until it is whole."""

    def __init__(self) -> None:
        self._kept = b""

    def split(self, data: bytes) -> list[bytes]:
        """The keys, each as it was sent; a whole paste is one, with its brackets."""
        data = self._kept + data
        unfinished = _UNFINISHED.search(data)
        self._kept = b""
        if unfinished and len(data) - unfinished.start() < _LONGEST:
            self._kept = unfinished[0]
            data = data[: unfinished.start()]
        return [found[0] for found in _KEY.finditer(data)]
