"""A guest without a console: what it lacks, and the device added at once if that is wanted."""

from __future__ import annotations

from tuivirt.actions.errors import TuivirtError
from tuivirt.widgets.menu import Choice, Menu

INSIDE = (
    "inside: console=ttyS0 on its kernel's command line, and a getty there "
    "(systemctl enable --now serial-getty@ttyS0)"
)
INSIDE_VIRTIO = (
    "inside: console=hvc0 on its kernel's command line, and a getty there "
    "(systemctl enable --now serial-getty@hvc0)"
)


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
                    detail=f"{error.why}; {INSIDE}",
                ),
                Choice(
                    "attach-console",
                    "add a virtio console, now or at the next boot",
                    "v",
                    detail=f"{error.why}; {INSIDE_VIRTIO}",
                ),
                Choice("", "leave it as it is", "n", detail=error.why),
            ],
        )
