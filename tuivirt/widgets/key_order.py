"""Keys that come faster than the screen: each finds what the one before it has done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from textual import events
from textual.app import App

from .command_bar import CommandBar

T = TypeVar("T")


class KeysInOrder(App[T], inherit_bindings=False):
    """Gives a key out only when the screen that it is meant for is there.

    Textual hands a key to the queue of the widget that has the focus at that moment. Of what is
    typed ahead, or comes in one packet, all would go to a command line that its first Enter
    closes, or to the list beneath a screen that is still being made.
    """

    overhear: Callable[[events.Event], None] | None = None
    """Told of each event that is given out, before it is."""

    pressed_at = 0.0
    """When the last key came: monotonic seconds."""

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self.pressed_at = time.monotonic()
            if self._screen_stack:
                # Set in any case, even when making the screen fails.
                await self.screen._mounted_event.wait()
            bar = self.focused
            if isinstance(bar, CommandBar) and bar.take(event):
                return
        if self.overhear is not None:
            self.overhear(event)
        await super().on_event(event)

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """A list takes keys by its bindings alone: at once, not when they have gone from queue to
        queue up to here. By then a colon that follows would have taken the focus from it."""
        if await super()._check_bindings(key, priority):
            return True
        return priority and self._is_bound_alone and await super()._check_bindings(key)

    @property
    def _is_bound_alone(self) -> bool:
        """Whether nobody but bindings wants the keys of what has the focus."""
        at = self.focused or self.screen
        return not any(hasattr(node, "on_key") for node in at.ancestors_with_self)
