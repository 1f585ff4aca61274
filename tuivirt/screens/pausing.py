"""ctrl+z: back to the shell from which tuivirt was started, and on again with its ``fg``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from textual.app import App

from tuivirt.widgets.compositing import ExactCompositor

if TYPE_CHECKING:
    from tuivirt.actions.runner import Tasks


class Pausing(App[int]):
    """An app that stops on ctrl+z where there is somebody to continue it."""

    if TYPE_CHECKING:  # What the app has that this is a part of.
        tasks: Tasks

        def say(self, text: str, severity: str = "information") -> None: ...

    def on_mount(self) -> None:
        """Draw all of it again when it goes on, whoever stopped it."""
        self.app_resume_signal.subscribe(self, lambda _app: self._draw_all())

    def _draw_all(self) -> None:
        if ExactCompositor.sent is not None:
            ExactCompositor.sent.forget()
        self.refresh(layout=True)

    def action_suspend_process(self) -> None:
        """Stop, or say why not."""
        under_way = self.tasks.under_way
        if not has_a_shell():
            self.say("no shell would continue tuivirt; ctrl+q leaves it", "warning")
        elif under_way:
            one = len(under_way) == 1
            count = "the task" if one else f"the {len(under_way)} tasks"
            self.say(
                f"{count} under way would stand still too: wait, or abort in :tasks", "warning"
            )
        else:
            super().action_suspend_process()


def has_a_shell() -> bool:
    """Whether a shell with job control started us; it gives each of its jobs a group of its own.

    Stopped without one (``ssh -t HOST tuivirt``) the terminal would be dead for good.
    """
    return os.getpgrp() != os.getsid(0)
