"""A network disk's source: what was asked for, made whole and looked through; and which are one.

Pure: whether there is such a server, export or secret is found out elsewhere.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping

from .disk import DISK
from .disk_uri import is_uri, parse_servers, parse_uri
from .disksource import NAMES, NETWORK, PORTS, SECRETS
from .errors import BadValue
from .field import Value
from .tree import parse

_SEVERAL = ("rbd", "gluster")
_HERE = ("localhost", "127.0.0.1", "::1")
_IQN = re.compile(r"(iqn|eui|naa)\.[^/\s]+(/\d+)?")
_OF_SLASH = {"rbd": "pool/image", "gluster": "volume/path"}


def asked_network(
    text: str, options: Mapping[str, object], *, network: bool = False
) -> dict[str, Value] | None:
    """The fields of the network source that is meant; None for another kind of source.

    ``text`` is a URI, or, beside the options (fields of a disk), its name at the server.
    ``network``: it is said to be one. Raises BadValue for what cannot be.
    """
    given = {name: value for name, value in options.items() if value not in (None, "")}
    uri = is_uri(text) and not given.get("protocol")
    if not uri and not given.get("protocol"):
        if network:
            raise BadValue("protocol", "a network disk needs one, or a URI as its source")
        if given:
            raise BadValue(next(iter(given)), "makes no sense for a disk of the host itself")
        return None
    said = parse_uri(text) if uri else {"source": text} if text else {}
    if "server" in given:
        protocol = str(given.get("protocol") or said.get("protocol"))
        given |= parse_servers(_bracketed(str(given["server"])), protocol)
    checked = {name: value for name, value in DISK.check(given).items() if value is not None}
    for name in said.keys() & checked.keys():
        if said[name] != checked[name]:
            raise BadValue(name, f"{checked[name]!r} is not what the URI says")
    whole = {**said, **checked}
    _look_through(whole)
    return whole


def _bracketed(servers: str) -> str:
    """An address of IPv6 alone may stand without its brackets."""
    return f"[{servers}]" if servers.count(":") > 1 and servers[0] != "[" else servers


def is_needed(name: str, protocol: str) -> bool:
    """Whether a network source cannot be without that field, where it has it at all."""
    without = {"server": "rbd", "source": "nbd", "socket": ""}
    return name in without and protocol != without[name]


def _look_through(fields: dict[str, Value]) -> None:
    protocol = str(fields["protocol"])
    server, name = str(fields.get("server") or ""), str(fields.get("source") or "")
    if fields.get("transport") == "unix":
        if server:
            raise BadValue("server", "makes no sense while transport is unix")
        if not str(fields.get("socket") or "").startswith("/"):
            raise BadValue("socket", "give its path on the host, from / on")
    elif not server and is_needed("server", protocol):
        raise BadValue("server", "is missing")
    if "," in server and protocol not in _SEVERAL:
        raise BadValue("server", f"{protocol} has one server only")
    _look_at_name(protocol, name)
    _look_at_login(protocol, fields)
    # What stands beside what makes no sense of it is refused there.
    DISK.build({"source_type": "network", "target": "vda", **fields})


def _look_at_name(protocol: str, name: str) -> None:
    if not name and is_needed("source", protocol):
        raise BadValue("source", f"its {NAMES[protocol][0].lower()} is missing")
    if protocol == "iscsi" and not _IQN.fullmatch(name):
        raise BadValue("source", "an iSCSI unit is iqn…/0: a target's name, then the unit's number")
    if protocol in _OF_SLASH and not re.fullmatch("[^/]+/.*[^/]", name):
        raise BadValue("source", f"as {protocol} has it, it is {_OF_SLASH[protocol]}")
    if protocol in ("nfs", "ssh") and not name.startswith("/"):
        raise BadValue("source", "give the path at the server, from / on")


def _look_at_login(protocol: str, fields: dict[str, Value]) -> None:
    user = fields.get("user")
    by = [name for name in ("secret_uuid", "secret_usage") if fields.get(name)]
    if len(by) > 1:
        raise BadValue("secret_usage", "a secret is named by its UUID or by its usage, not by both")
    if user and not by:
        raise BadValue(
            "secret_usage", "who logs in needs a secret with the password (tuivirt secret-define)"
        )
    if by and not user:
        raise BadValue("user", "a secret needs to be told whose it is")
    if fields.get("secret_uuid"):
        try:
            fields["secret_uuid"] = str(uuid.UUID(str(fields["secret_uuid"])))
        except ValueError:
            raise BadValue("secret_uuid", f"{fields['secret_uuid']!r} is no UUID") from None
    if by and protocol in SECRETS:
        kind = fields.setdefault("secret_type", SECRETS[protocol])
        if kind != SECRETS[protocol]:
            raise BadValue("secret_type", f"for {protocol} it is {SECRETS[protocol]}")


def network_of(disk_xml: str) -> dict[str, Value]:
    """What a ``<disk>`` says of its network source. Raises MalformedXml."""
    said = DISK.parse(parse(disk_xml, "disk"))
    return {name: said[name] for name in ("source", *(field.name for field in NETWORK))}


def is_same_source(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    """Whether two network sources are the same data, as far as their names tell.

    Several servers of one cluster are one place as soon as they have one in common; where none
    is said, the host's configuration file names them.
    """
    for name in ("protocol", "query", "snapshot"):
        if (one.get(name) or "") != (other.get(name) or ""):
            return False
    if str(one.get("source") or "").lstrip("/") != str(other.get("source") or "").lstrip("/"):
        return False
    first, second = _places(one), _places(other)
    if one["protocol"] == "rbd" and not (first and second):
        return True
    return bool(first & second)


def _places(fields: Mapping[str, Value]) -> set[tuple[str, object]]:
    if fields.get("transport") == "unix":
        return {("unix", fields.get("socket"))}
    usual = PORTS.get(str(fields["protocol"]))
    names = str(fields.get("server") or "").split(", ")
    ports = [fields.get("port") or usual, *(usual for _each in names[1:])]
    if fields["protocol"] == "rbd":
        # A monitor may listen at several, and be told by any.
        ports = [None for _each in names]
    return {
        ("here" if name.lower() in _HERE else name.lower().rstrip("."), port)
        for name, port in zip(names, ports, strict=True)
        if name
    }


__all__ = ["asked_network", "is_needed", "is_same_source", "network_of"]
