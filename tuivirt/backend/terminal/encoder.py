"""What the library's encoders of keys and of the mouse have in common."""

from __future__ import annotations

from .native import TerminalHandle, check, ffi, lib

_ROOM = 128
"""Bytes; the longest sequence there is has some thirty."""


class Encoder:
    """Encodes for one terminal; its caller holds the terminal's lock."""

    KIND = ""
    """How the library calls what is encoded, in small letters."""

    def __init__(self, terminal: TerminalHandle) -> None:
        self._terminal = terminal
        kind = self.KIND
        encoder = ffi.new(f"Ghostty{kind.title()}Encoder *")
        check(getattr(lib, f"ghostty_{kind}_encoder_new")(ffi.NULL, encoder), f"{kind} encoder")
        event = ffi.new(f"Ghostty{kind.title()}Event *")
        check(getattr(lib, f"ghostty_{kind}_event_new")(ffi.NULL, event), f"{kind} event")
        self._encoder, self._event = encoder[0], event[0]
        self._call = getattr(lib, f"ghostty_{kind}_encoder_encode")
        self._take_modes = getattr(lib, f"ghostty_{kind}_encoder_setopt_from_terminal")
        self._buffer = ffi.new("char[]", _ROOM)
        self._length = ffi.new("size_t *")

    def _follow_terminal(self) -> None:
        """Encode in the modes that the guest has set by now."""
        self._take_modes(self._encoder, self._terminal.raw)

    def _encoded(self) -> bytes:
        """What the event sends; none where the library says that it sends nothing."""
        if self._call(self._encoder, self._event, self._buffer, _ROOM, self._length):
            return b""
        return bytes(ffi.buffer(self._buffer, self._length[0])[:])

    def close(self) -> None:
        """Give the library's memory back."""
        getattr(lib, f"ghostty_{self.KIND}_event_free")(self._event)
        getattr(lib, f"ghostty_{self.KIND}_encoder_free")(self._encoder)
