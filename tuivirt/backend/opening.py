"""Why a connection could not be opened, and what to try."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import libvirt

from .errors import TuivirtError, code_of
from .uri import is_known, shown, transport

if TYPE_CHECKING:
    from .host import Host

PORTS = {"tls": 16514, "tcp": 16509, "libssh": 22, "libssh2": 22}
"""Where a transport leads to unless the URI says."""
SYSTEM_SOCKETS = ("/run/libvirt/", "/var/run/libvirt/")
STILL_S = 5.0
"""After how long a daemon here that takes connections and says nothing is told of."""

_CHECK_URI = (
    "check the URI's spelling; for example qemu:///system, qemu:///session, "
    "qemu+ssh://user@host/system"
)


def explain(
    error: libvirt.libvirtError, uri: str, said: str = "", *, noted: str = ""
) -> TuivirtError:
    """libvirt's reason with advice that fits it.

    ``said`` is what ssh said where that is the way, ``noted`` what libvirt put in its log.

    libvirt gives one code for most of these (38, a system error), so its text must be looked
    at; text that is not recognised is shown with general advice. That text is made here, by the
    library: in English whatever the operator's language, as nothing in this program sets
    LC_MESSAGES. Only a refusal comes from the daemon, in its host's language.
    """
    why = shown(error.get_error_message() or str(error))
    if noted:
        why = f"{why}: {noted}"
    uri = shown(uri)
    code = code_of(error)
    advice = ""
    if is_known(uri) and transport(uri) in _AWAY:
        from .reasons import by_libvirt, told_by_ssh  # Long, and only for hosts elsewhere.

        told = told_by_ssh(said, uri) if _BROKE_OFF.match(why) else None
        why, advice = told if told is not None else (why, by_libvirt(why, uri))
    return TuivirtError(
        f"cannot connect to {uri}", why, advice or _advice(why, uri, code), code=code
    )


def sockets() -> frozenset[Line]:
    """The sockets of this process: descriptor, and what the kernel calls it."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            to = os.readlink(f"/proc/self/fd/{name}")
            if to.startswith("socket:"):
                found.add((int(name), to))
    return frozenset(found)


Line = tuple[int, str]
"""A connection's socket: its descriptor, and what the kernel calls it."""
_lines: set[Line] = set()
"""Those that are known to be somebody's."""


def unexpected(error: Exception, uri: str) -> TuivirtError:
    """As any other failure to connect, with its type, and without what a URI may hold."""
    why = f"{type(error).__name__}: {shown(str(error))}"
    return TuivirtError(f"cannot connect to {uri}", why, "check the URI's spelling")


def others() -> frozenset[Line]:
    """The sockets of this process that are no known connection's: a try's may be among them."""
    return sockets() - _lines


def line_of(uri: str, before: frozenset[Line], ssh: int | None = None) -> Line | None:
    """The socket of a connection that was just opened, where there is no doubt which it is.

    ``before`` are the sockets that there were when that began; ``ssh`` is the process by which
    it goes.
    """
    found = [each for each in others() - before if _fits(each[0], uri)]
    if len(found) > 1:  # Others have come up at the same time.
        found = [each for each in found if _leads(each[0], uri, ssh)]
    if len(found) != 1:
        return None
    _lines.add(found[0])
    return found[0]


def _fits(fd: int, uri: str) -> bool:
    """Whether a socket is of the kind that a connection to this URI has."""
    way = transport(uri)
    with suppress(OSError), socket.socket(fileno=os.dup(fd)) as end:
        peer = end.getpeername()
        if way in ("ssh", "ext"):  # A program is at its other end.
            return end.family is socket.AF_UNIX and not peer
        if way == "":
            return end.family is socket.AF_UNIX and bool(peer)
        return way != "alias" and end.family in (socket.AF_INET, socket.AF_INET6)
    return False


def _leads(fd: int, uri: str, ssh: int | None) -> bool:
    """Whether one of that kind leads where this URI does, as far as that is told.

    A daemon's socket tells the path that the daemon knows it by, which may be another than ours:
    it may be bound elsewhere, or run in a file system of its own.
    """
    from .far_end import is_held_by, leads_to  # One host that comes up alone needs none of it.

    way = transport(uri)
    if way == "ssh":
        return ssh is not None and is_held_by(fd, ssh)
    given = parse_qs(urlsplit(uri).query).get("socket")
    if way == "" and given and leads_to(fd, given[0]):
        return True
    with suppress(OSError), socket.socket(fileno=os.dup(fd)) as end:
        peer = end.getpeername()
        if way == "":
            return _is_socket_of(uri, str(peer))
        if way in PORTS:
            port: int = peer[1]
            return port == (urlsplit(uri).port or PORTS[way])
    return False


def _is_socket_of(uri: str, path: str) -> bool:
    parts = urlsplit(uri)
    given = parse_qs(parts.query).get("socket")
    if given:
        return path == given[0]
    return path.startswith(SYSTEM_SOCKETS) == (parts.path == "/system")


def cut(line: Line | None) -> None:
    """Have libvirt see the end of a connection, and with it every call under way on it.

    Not by closing: before 10.0 its client then leaves all but one of those calls waiting, and what
    the socket says later ends the program (rpc: a watch that points to a stack that is gone).
    """
    if line is None:
        return
    with suppress(OSError), socket.socket(fileno=os.dup(line[0])) as end:
        if os.readlink(f"/proc/self/fd/{end.fileno()}") == line[1]:
            end.shutdown(socket.SHUT_RDWR)


def forget(line: Line | None) -> None:
    """The connection is closed."""
    if line is not None:
        _lines.discard(line)


@contextmanager
def watched(host: Host, uri: str) -> Iterator[None]:
    """Around a try by a socket here. Raises TuivirtError where it was given up."""
    over, lock, before = threading.Event(), threading.Lock(), sockets()
    given_up = False

    def look() -> None:
        nonlocal given_up
        from .mute import wait_on  # Hardly ever needed.

        given_up = wait_on(host, uri, over, lock, before)

    timer = threading.Timer(STILL_S, look)
    timer.daemon = True
    timer.start()
    try:
        yield
    except libvirt.libvirtError as error:
        with lock:
            over.set()
        timer.cancel()
        timer.join()  # It may be about to say that it was the reason.
        if not given_up:
            raise
        from .mute import ADVICE, NO_ANSWER

        raise TuivirtError(
            f"cannot connect to {shown(uri)}", NO_ANSWER, ADVICE, code=code_of(error)
        ) from error
    finally:
        with lock:
            over.set()
        timer.cancel()


_AWAY = ("ssh", "libssh", "libssh2", "tls", "tcp")
_BROKE_OFF = re.compile("cannot (recv|write) data|end of file while", re.IGNORECASE)
"""libvirt's words for an ssh that ended; with any others libvirt itself has the reason."""


_REFUSED = (
    libvirt.VIR_ERR_AUTH_FAILED,
    libvirt.VIR_ERR_AUTH_CANCELLED,
    libvirt.VIR_ERR_AUTH_UNAVAILABLE,
)


def _advice(why: str, uri: str, code: int | None) -> str:
    # What libvirt says of a driver that does not exist depends on whether a daemon runs here:
    # it passes the URI on to that daemon, and may fail to reach it.
    if not is_known(uri):
        return _CHECK_URI
    text = why.lower()
    parts = urlsplit(uri)
    host = parts.hostname or "this machine"
    local = not parts.hostname
    if "permission denied" in text and "publickey" not in text and local:
        return (
            "add yourself to the group libvirt (usermod -aG libvirt USER) and log in again, "
            "or use qemu:///session"
        )
    if code in _REFUSED and local:
        return "join the group libvirt, or run as a user that polkit lets manage libvirt"
    if "no such file or directory" in text or "failed to connect socket" in text:
        if local:
            return "start the daemon: systemctl start libvirtd (or virtqemud), or use --demo"
        return f"start libvirtd on {host}"
    if _blames_the_uri(text):
        return _CHECK_URI
    return f"try: virsh -c {uri} version"


def _blames_the_uri(text: str) -> bool:
    """Whether the (lower-case) text speaks of the URI itself rather than of the way there."""
    return any(
        part in text
        for part in (
            "no connection driver available",
            "unexpected uri",
            "unable to parse uri",
            "transport",
            "invalid uri",
            "unexpected qemu uri path",
            "unknown driver",
        )
    )
