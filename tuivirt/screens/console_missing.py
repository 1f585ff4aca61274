"""A guest without a console: what it lacks, and the device added at once if that is wanted."""

from __future__ import annotations

from tuivirt.actions.consoles import inside
from tuivirt.actions.errors import TuivirtError
from tuivirt.widgets.menu import Choice, Menu


class MissingConsole(Menu):
    """What to add; the form of the device comes next. Nothing is changed by choosing."""

    def __init__(self, error: TuivirtError) -> None:
        super().__init__(
            error.what,
            [
                Choice(
                    "attach-serial",
                    "add a serial port, for the next boot",
                    "s",
                    detail=f"{error.why}; {inside('ttyS0')}",
                ),
                Choice(
                    "attach-console",
                    "add a virtio console, now or at the next boot",
                    "v",
                    detail=f"{error.why}; {inside('hvc0')}",
                ),
                Choice("", "leave it as it is", "n", detail=error.why),
            ],
        )
