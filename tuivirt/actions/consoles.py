"""Opening a console to look at; called as ``function(host, …)`` on the host's look-ups lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuivirt.backend.console_ports import NoConsole, chosen, inside
from tuivirt.backend.console_ports import openable as ports
from tuivirt.backend.model.console import ConsoleSession
from tuivirt.backend.model.ref import Kind, Ref

if TYPE_CHECKING:
    from tuivirt.backend.host import Host

__all__ = ["NoConsole", "inside", "open_console", "ports"]


def open_console(
    host: Host, uuid: str, device: str | None, force: bool, safe: bool
) -> ConsoleSession:
    """Begin to open a port of a domain, the default one without ``device``, and record it.

    Raises as ``backend.console_ports.chosen``.
    """
    from tuivirt.backend.recording import Recording

    port = chosen(host, uuid, device)
    ref = Ref(host.name, Kind.DOMAIN, uuid)
    recording = Recording(host, ref, host.domain(uuid).name(), port.name, safe=safe)
    recording.open(force=force)
    return recording
