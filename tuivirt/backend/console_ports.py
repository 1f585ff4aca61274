"""Which ports of a guest a console can be opened on, and what is said where there are none."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from .console import consoles
from .errors import NotFound, TuivirtError
from .xml.belongings import ConsolePort

if TYPE_CHECKING:
    from .host import Host

_OPENABLE = ("pty",)


class NoConsole(TuivirtError):
    """The domain has nothing that a console could be opened on, nor from its next start on."""


def inside(tty: str) -> str:
    """What the guest's own system needs for its prompt to come to a port."""
    return (
        f"inside the guest: console={tty} on its kernel's command line, and a getty there "
        f"(systemctl enable serial-getty@{tty}, and start it)"
    )


def openable(host: Host, uuid: str) -> tuple[ConsolePort, ...]:
    """The ports of a domain that can be opened, libvirt's default first; one at least.

    Raises NoConsole when there are none, with what to do about it; a plain TuivirtError when only
    a start is missing.
    """
    known = consoles(host, uuid)
    found = _with_pty(known)
    if found:
        return found
    name = host.domain(uuid).name()
    what = f"{name} has no console to open"
    if known:
        why = f"libvirt opens only ports that end in a pty; it has {_kinds(known)}"
    elif later := _with_pty(consoles(host, uuid, saved=True)):
        why = f"it runs without one, and has {_names(later)} from its next start on"
        raise TuivirtError(what, why, "shut it down and start it")
    else:
        why = "it has no serial port and no console device"
    word = shlex.quote(name)
    advice = (
        f"add a serial port for its next start: tuivirt attach-serial {word} --config\n"
        "Or a virtio console, at once where it has a virtio-serial controller: "
        f"tuivirt attach-console {word}\n{inside('ttyS0')}; for the virtio console hvc0"
    )
    raise NoConsole(what, why, advice)


def chosen(host: Host, uuid: str, devname: str | None) -> ConsolePort:
    """The port of that alias, or the first that can be opened.

    Raises as ``openable``, and NotFound with those that there are.
    """
    found = openable(host, uuid)
    if devname is None:
        return found[0]
    for port in found:
        if port.name == devname:
            return port
    name = host.domain(uuid).name()
    for port in consoles(host, uuid):
        if port.name == devname:
            why = f"it ends in {port.backend}, and libvirt opens only ports that end in a pty"
            raise TuivirtError(f"cannot open {devname} of {name}", why, f"it has {_names(found)}")
    raise NotFound(f"{name} has no console {devname!r}", f"it has {_names(found)}")


def _with_pty(ports: tuple[ConsolePort, ...]) -> tuple[ConsolePort, ...]:
    return tuple(port for port in ports if port.backend in _OPENABLE)


def _names(ports: tuple[ConsolePort, ...]) -> str:
    return ", ".join(port.name for port in ports)


def _kinds(ports: tuple[ConsolePort, ...]) -> str:
    return ", ".join(f"{port.name} ({port.backend})" for port in ports)
