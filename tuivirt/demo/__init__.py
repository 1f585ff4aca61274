"""The embedded default: libvirt's own test driver, completed with what it lacks.

`register()` lets `demo:///` URIs be opened like libvirt's. What a demo host holds is fiction:
paths of volumes and devices exist nowhere, so nothing may look for them on this machine.
"""

from __future__ import annotations

from ..backend.connection import register_scheme


def register() -> None:
    """Let URIs of the scheme ``demo`` be opened by the demo."""
    from .connection import open_demo

    register_scheme("demo", open_demo)
