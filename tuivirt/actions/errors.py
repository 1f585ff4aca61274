"""The errors that screens show; the backend raises them."""

from __future__ import annotations

from tuivirt.backend.errors import BadInput, NotConnected, TuivirtError

__all__ = ["BadInput", "NotConnected", "TuivirtError"]
