"""What a disk to attach is made of, of every kind; and of a storage server what is known before.

Of a server only whether it answers is found out here, and only where this machine is the one that
will call it: what an image there holds is for the guest alone.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .disks import DiskRequest, Source, resolve
from .errors import BadInput, TuivirtError
from .here import is_here
from .secrets import refuse_missing
from .xml.disk import DISK
from .xml.disk_uri import uri_of
from .xml.disksource import PORTS, READ_ONLY
from .xml.errors import BadValue
from .xml.field import Value
from .xml.netdisk import asked_network, network_of

if TYPE_CHECKING:
    from .host import Host

ANSWER_S = 3.0
"""How long a storage server may take to answer."""
_NAMES = {"file": "a file", "block": "a block device", "volume": "a pool's volume"}
_SUFFIXES = {
    **{f".{form}": form for form in ("qcow2", "vmdk", "vdi", "vhdx", "qed")},
    ".vhd": "vpc",
}
_FILES = (*READ_ONLY, "gluster", "nfs", "ssh")
"""Protocols that hand out files as they are; the others hand out what is in them."""
_MAGIC = b"NBDMAGIC"
_MEANT = {"transport": "tcp"}
"""What a silent XML means."""


def network_asked(request: DiskRequest) -> dict[str, Value] | None:
    """The fields of the network source that is asked for, or None. Raises BadInput."""
    try:
        return asked_network(request.source, request.network, network=request.kind == "network")
    except BadValue as error:
        label = "Source" if error.field == "source" else DISK[error.field].label
        raise BadInput(f"{label}: {error.why}") from error


def find_source(host: Host, request: DiskRequest, network: dict[str, Value] | None) -> Source:
    """Look the source up where it lies. Raises BadInput when it cannot be used; changes nothing.

    ``network``: as `network_asked` told.
    """
    if network is None:
        found = resolve(host, request.source, request.format)
        if request.source and request.kind and request.kind != found.source_type:
            raise BadInput(
                f"{found.label} is {_NAMES[found.source_type]}", f"{_NAMES[request.kind]} was meant"
            )
        return found
    _refuse_unclear(network, request.format)
    refuse_missing(host, network)
    return Source("network", uri_of(network), format=request.format or "raw", network=network)


def _refuse_unclear(network: dict[str, Value], form: str) -> None:
    """A name that tells of a format, and none is said: raw would show the guest the file itself."""
    name = str(network.get("source") or "").lower()
    told = next((form for end, form in _SUFFIXES.items() if name.endswith(end)), "")
    if told and not form and network["protocol"] in _FILES:
        raise BadInput(
            f"{network['source']} is called like an image in {told} format",
            "what another machine has is not looked into, and is taken as raw unless you say",
            f"say it (--subdriver {told}, or --subdriver raw)",
        )


def refuse_dead_server(host: Host, network: dict[str, Value]) -> None:
    """Raises BadInput when no server of a network source answers this machine.

    Asked before a running guest gets the disk: QEMU waits for a server with the whole guest
    standing still, for minutes. Nothing is asked where another machine would call the server.
    """
    if not is_here(host):
        return
    places: Sequence[str | tuple[str, int]]
    if network.get("transport") == "unix":
        places = [str(network["socket"])]
    else:
        port = network.get("port") or PORTS.get(str(network["protocol"]))
        servers = str(network.get("server") or "").split(", ")
        places = [(name, int(port)) for name in servers if name and isinstance(port, int)]
    whys = []
    for place in places:
        whys.append(_asked(place, nbd=network["protocol"] == "nbd"))
        if not whys[-1]:
            # The others of a cluster are for when this one does not.
            return
    if whys:
        raise BadInput(
            f"{uri_of(network)} does not answer",
            "; ".join(dict.fromkeys(whys)),
            "start the server, or look at its address and at the firewall; what is not there yet"
            " can be attached for the next boot",
        )


def _asked(place: str | tuple[str, int], *, nbd: bool) -> str:
    """Why there is no answer; '' when there is one, or when we may not ask."""
    try:
        if isinstance(place, str):
            with socket.socket(socket.AF_UNIX) as call:
                call.settimeout(ANSWER_S)
                call.connect(place)
                return _greeted(call) if nbd else ""
        with socket.create_connection(place, ANSWER_S) as call:
            return _greeted(call) if nbd else ""
    except PermissionError:
        # The daemon's user may be let in where we are not.
        return ""
    except TimeoutError:
        return f"no answer within {ANSWER_S:g} s"
    except OSError as error:
        return error.strerror or str(error)
    except UnicodeError:
        return "there can be no server of that name"


def _greeted(call: socket.socket) -> str:
    """Whether it speaks NBD: the server begins."""
    told = b""
    while len(told) < len(_MAGIC):
        more = call.recv(len(_MAGIC) - len(told))
        if not more:
            break
        told += more
    return "" if told == _MAGIC else "it is no NBD server"


def dropped(asked: dict[str, Value], disk_xml: str) -> str:
    """What of a network source libvirt has not kept, by label; an older one drops what it does
    not know without a word."""
    has = network_of(disk_xml)
    # What is meant anyway, it need not keep.
    lost = [n for n, value in asked.items() if has[n] != value and value != _MEANT.get(n)]
    return ", ".join(DISK[name].label for name in lost)


def what_to_try(error: TuivirtError, network: dict[str, Value]) -> str:
    """Advice by what QEMU says, whose words are always English; '' where nothing is known."""
    why, protocol = error.why, str(network["protocol"])
    if "Unknown driver" in why or "Unknown protocol" in why or "does not accept value" in why:
        return (
            f"the host's QEMU comes without {protocol}: install its driver there"
            " (Debian and Ubuntu: qemu-block-extra; others: qemu-block-…)"
        )
    if any(words in why for words in ("export", "Export")) and protocol == "nbd":
        return "see which exports the server has (qemu-nbd -L, or nbdinfo)"
    if (
        "Failed to connect" in why
        or "magic" in why
        or "refused" in why
        or "timed out" in why
        or "resolv" in why
    ):
        return "is the server up, and can the host itself reach it?"
    if "ermission denied" in why or "uthenticat" in why or "ecret" in why:
        return "look at the user and the secret (virsh secret-list), and at what the server allows"
    return ""
