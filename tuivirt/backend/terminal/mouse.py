"""What the mouse sends to a guest that asked for it."""

from __future__ import annotations

from .encoder import Encoder
from .native import ffi, lib, sized

_ACTIONS = {"press": "PRESS", "release": "RELEASE", "motion": "MOTION"}
_BUTTONS = {1: "LEFT", 2: "MIDDLE", 3: "RIGHT", 4: "FOUR", 5: "FIVE", 6: "SIX", 7: "SEVEN"}
_LAST_HELD = 3
"""The buttons behind are the wheel's."""
CELL_PIXELS = 8, 16
"""What a guest is told that asks, and what it counts in where it wants points; nothing is drawn
by it."""


class MouseEncoder(Encoder):
    """Encodes what Textual tells of the mouse; its caller holds the terminal's lock."""

    KIND = "mouse"

    def encode(
        self, action: str, button: int, x: int, y: int, modifiers: int, size: tuple[int, int]
    ) -> bytes:
        """The bytes; none for what the guest did not ask for."""
        if button > _LAST_HELD and action != "press":
            return b""  # A wheel turns; nothing is held or let go.
        self._follow_terminal()
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
        return self._encoded()
