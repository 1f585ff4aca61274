"""What the mouse sends to a guest that asked for it."""

from __future__ import annotations

from .native import TerminalHandle, check, ffi, lib, sized

_ACTIONS = {"press": "PRESS", "release": "RELEASE", "motion": "MOTION"}
_BUTTONS = {1: "LEFT", 2: "MIDDLE", 3: "RIGHT", 4: "FOUR", 5: "FIVE", 6: "SIX", 7: "SEVEN"}
_LAST_HELD = 3
"""The buttons behind are the wheel's."""
CELL_PIXELS = 8, 16
"""What a guest is told that asks, and what it counts in where it wants points; nothing is drawn
by it."""
_ROOM = 64


class MouseEncoder:
    """Encodes for one terminal; its caller holds the terminal's lock."""

    def __init__(self, terminal: TerminalHandle) -> None:
        self._terminal = terminal
        encoder = ffi.new("GhosttyMouseEncoder *")
        check(lib.ghostty_mouse_encoder_new(ffi.NULL, encoder), "mouse_encoder_new")
        event = ffi.new("GhosttyMouseEvent *")
        check(lib.ghostty_mouse_event_new(ffi.NULL, event), "mouse_event_new")
        self._encoder, self._event = encoder[0], event[0]
        self._buffer = ffi.new("char[]", _ROOM)
        self._length = ffi.new("size_t *")

    def encode(
        self, action: str, button: int, x: int, y: int, modifiers: int, size: tuple[int, int]
    ) -> bytes:
        """The bytes; none for what the guest did not ask for."""
        if button > _LAST_HELD and action != "press":
            return b""  # A wheel turns; nothing is held or let go.
        lib.ghostty_mouse_encoder_setopt_from_terminal(self._encoder, self._terminal.raw)
        room = sized("GhosttyMouseEncoderSize")
        room.cell_width, room.cell_height = width, height = CELL_PIXELS
        room.screen_width, room.screen_height = size[0] * width, size[1] * height
        held = ffi.new("bool *", action == "motion" and button > 0)
        option = lib.ghostty_mouse_encoder_setopt
        option(self._encoder, lib.GHOSTTY_MOUSE_ENCODER_OPT_SIZE, room)
        option(self._encoder, lib.GHOSTTY_MOUSE_ENCODER_OPT_ANY_BUTTON_PRESSED, held)
        event = self._event
        lib.ghostty_mouse_event_set_action(
            event, getattr(lib, f"GHOSTTY_MOUSE_ACTION_{_ACTIONS[action]}")
        )
        if button in _BUTTONS:
            lib.ghostty_mouse_event_set_button(
                event, getattr(lib, f"GHOSTTY_MOUSE_BUTTON_{_BUTTONS[button]}")
            )
        else:
            lib.ghostty_mouse_event_clear_button(event)
        lib.ghostty_mouse_event_set_mods(event, modifiers)
        place = ffi.new("GhosttyMousePosition *", {"x": (x + 0.5) * width, "y": (y + 0.5) * height})
        lib.ghostty_mouse_event_set_position(event, place[0])
        call = lib.ghostty_mouse_encoder_encode
        if call(self._encoder, event, self._buffer, _ROOM, self._length):
            return b""
        return bytes(ffi.buffer(self._buffer, self._length[0])[:])

    def close(self) -> None:
        """Give the library's memory back."""
        lib.ghostty_mouse_event_free(self._event)
        lib.ghostty_mouse_encoder_free(self._encoder)
