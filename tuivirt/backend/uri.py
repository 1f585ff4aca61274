"""What a libvirt URI tells of a connection, and what of it may be shown."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

_PASSWORD = re.compile(r"(://[^/@?\s:\[]*):(?!\d*(?:[/?\s]|$))\S*@")
"""To the last ``@``: a password may hold what ends a host's name, and shows all the same. A port
is none."""

_DRIVERS = frozenset(
    ("bhyve", "ch", "demo", "esx", "gsx", "hyperv", "lxc", "openvz", "parallels", "phyp", "qemu",
     "test", "uml", "vbox", "vmwarefusion", "vmwareplayer", "vmwarews", "vpx", "vz", "xen",
     "xenapi")
)  # fmt: skip
"""The schemes of libvirt's drivers (libvirt.org/drivers.html), those it dropped too, and ours."""

_OUR_SSH = re.compile(r"[?&]command=[^&\s]*tuivirt-[^&\s/%]*(?:/|%2[Ff])ssh\b")
"""The parameter that leads libvirt to our own ssh (ssh/door.py)."""
_REMOTE = ("bhyve", "ch", "lxc", "openvz", "qemu", "vbox", "vz", "xen")
"""Those whose hosts a libvirtd answers for."""


def shown(text: str) -> str:
    """``text``, a URI or a sentence with one in it, without passwords, and with what was given.

    Screens, the log, errors and the command line's output get this; only libvirt gets the rest.
    """
    return _OUR_SSH.sub("", _PASSWORD.sub(r"\1@", text))


def is_known(uri: str) -> bool:
    """Whether a URI names a hypervisor that libvirt has ever had a driver for.

    An alias of libvirt.conf, which has no scheme, is left to libvirt.
    """
    scheme, there, _ = uri.partition("://")
    return not there or scheme.partition("+")[0].lower() in _DRIVERS


def transport(uri: str) -> str:
    """How libvirt gets to the host of a URI: ``ssh``, ``tls``, ``tcp`` …; empty: by a socket here.

    An alias of libvirt.conf has no scheme and is told as ``alias``.
    """
    scheme, there, rest = uri.partition("://")
    if not there:
        return "alias"
    _driver, _, way = scheme.lower().partition("+")
    if way:
        return "" if way == "unix" else way
    # Without one, a host is reached by TLS.
    return "tls" if rest[:1] not in ("/", "?", "") and scheme in _REMOTE else ""


def is_local(uri: str) -> bool:
    """Whether the daemon behind a URI runs on this machine, as far as the URI tells.

    ``uri`` is the connection's own (virConnectGetURI): an alias of libvirt.conf tells nothing.
    """
    parts = urlsplit(uri)
    if parts.scheme.startswith(("test", "demo")):
        return False  # Their paths are made up.
    _driver, _, transport = parts.scheme.partition("+")
    # Any other transport may lead anywhere, ``ext`` by a command of the operator's own; and a
    # socket may be forwarded from anywhere.
    return (
        bool(parts.scheme)
        and not parts.hostname
        and transport in ("", "unix")
        and "socket" not in parse_qs(parts.query)
    )
