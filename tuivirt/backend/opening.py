"""Why a connection could not be opened, and what to try."""

from __future__ import annotations

from urllib.parse import urlsplit

import libvirt

from .errors import TuivirtError, code_of
from .uri import is_known, shown

_CHECK_URI = (
    "check the URI's spelling; for example qemu:///system, qemu:///session, "
    "qemu+ssh://user@host/system"
)


def explain(error: libvirt.libvirtError, uri: str) -> TuivirtError:
    """libvirt's reason with advice that fits it.

    libvirt gives one code for most of these (38, a system error), so its text must be looked
    at; text that is not recognised is shown with general advice. That text is made here, by the
    library: in English whatever the operator's language, as nothing in this program sets
    LC_MESSAGES. Only a refusal comes from the daemon, in its host's language.
    """
    why = shown(error.get_error_message() or str(error))
    uri = shown(uri)
    code = code_of(error)
    return TuivirtError(f"cannot connect to {uri}", why, _advice(why, uri, code), code=code)


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
    if "host key verification failed" in text:
        return f"check the key of {host}, then accept it once with: ssh {host}"
    if "permission denied" in text or "publickey" in text:
        return f"ssh to {host} was refused: check the key, the user name and ssh-agent"
    if (
        "could not resolve" in text
        or "name or service not known" in text
        or ("no address associated" in text)
    ):
        return f"the host name {host} is not known: check its spelling and DNS"
    if "unable to connect to server" in text or "connection refused" in text:
        return f"nothing listens at that address on {host}: check the port and the daemon"
    if "no route to host" in text or "timed out" in text:
        return f"{host} cannot be reached: check the network and the firewall"
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
