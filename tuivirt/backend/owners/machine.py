"""What this machine itself does with a file or a block device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..passthrough import blocks as kernel
from ..passthrough.diskuse import Uses


def by_machine(path: str) -> Iterator[str]:
    """What it does with the block device, or with the file as a device of its own, at a real path.

    Source: /sys/class/block, /proc.
    """
    uses = Uses()
    name = kernel.name_of(path) if path.startswith("/dev/") else ""
    if name:
        yield from kernel.reasons(name, {}, uses)
        return
    for each in Path("/sys/class/block").glob("loop*/loop/backing_file"):
        try:
            backing = each.read_text(errors="surrogateescape").rstrip("\n")
        except OSError:
            continue  # It was taken down meanwhile.
        if backing == path:
            loop = each.parent.parent.name
            beyond = ", ".join(use for use in kernel.reasons(loop, {}, uses) if use)
            yield f"it is this machine's /dev/{loop}" + (f" ({beyond})" if beyond else "")
