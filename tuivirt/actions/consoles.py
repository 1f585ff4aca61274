"""Opening a console to look at; called as ``function(host, …)`` on the host's look-ups lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuivirt.backend.console import consoles
from tuivirt.backend.model.console import ConsoleSession
from tuivirt.backend.model.ref import Kind, Ref

from .errors import TuivirtError

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.xml.belongings import ConsolePort

_OPENABLE = ("pty",)


class NoConsole(TuivirtError):
    """The domain has nothing that a console could be opened on."""


def ports(host: Host, uuid: str) -> tuple[ConsolePort, ...]:
    """The ports of a domain that can be opened, libvirt's default first.

    Raises NoConsole when there are none, with what to do about it; a plain TuivirtError when only
    a start is missing.
    """
    known = consoles(host, uuid)
    found = tuple(port for port in known if port.backend in _OPENABLE)
    if found:
        return found
    name = host.domain(uuid).name()
    if known:
        others = ", ".join(f"{port.name} ({port.backend})" for port in known)
        why = f"libvirt opens only ports that end in a pty; it has {others}"
    elif later := [port for port in consoles(host, uuid, saved=True) if port.backend in _OPENABLE]:
        raise TuivirtError(
            f"{name} has no console to open yet",
            f"it runs without one, and has {', '.join(port.name for port in later)} from its next"
            " start on",
            "shut it down and start it",
        )
    else:
        why = "it has no serial port and no console device"
    raise NoConsole(f"{name} has no console to open", why)


def open_console(
    host: Host, uuid: str, device: str | None, force: bool, safe: bool
) -> ConsoleSession:
    """Begin to open a port of a domain, the default one without ``device``, and record it.

    Raises NoConsole, NotFound, and TuivirtError for a device that it does not have.
    """
    from tuivirt.backend.recording import Recording

    found = ports(host, uuid)
    names = [port.name for port in found]
    if device is not None and device not in names:
        name = host.domain(uuid).name()
        advice = f"it has {', '.join(names)}"
        raise TuivirtError(f"{name} has no console {device}", advice=advice)
    chosen = device or names[0]
    ref = Ref(host.name, Kind.DOMAIN, uuid)
    recording = Recording(host, ref, host.domain(uuid).name(), chosen, safe=safe)
    recording.open(force=force)
    return recording
