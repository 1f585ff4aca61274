"""Where a network disk's data lie, written as a URI: ``nbd://10.0.0.5/vda``, ``rbd:vms/web-01`` …

The forms are those that QEMU and the protocols themselves have: NBD's with ``nbds`` for TLS and
``nbd+unix:///vda?socket=/run/nbd.sock``, RBD's short one for monitors that a configuration file
names. A password has no place in one: it would be in the XML, in the list of tasks and in the log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, quote, unquote

from .disksource import PORTS
from .errors import BadValue
from .field import Value

_SCHEMES: dict[str, dict[str, Value]] = {
    **{each: {"protocol": each} for each in (*PORTS, "rbd")},
    **{f"nbd+{way}": {"protocol": "nbd", "transport": way} for way in ("tcp", "unix")},
    **{f"gluster+{way}": {"protocol": "gluster", "transport": way} for way in ("tcp", "rdma")},
    "gluster+unix": {"protocol": "gluster", "transport": "unix"},
    "nbds": {"protocol": "nbd", "tls": True},
    "nbds+tcp": {"protocol": "nbd", "tls": True, "transport": "tcp"},
    "nbds+unix": {"protocol": "nbd", "tls": True, "transport": "unix"},
}
_BEGIN = re.compile(r"([a-z][a-z\d+.-]*)://|(rbd):", re.IGNORECASE)
_ROOTED = ("nfs", "ssh")
"""Protocols whose names are paths from the server's root on: their slash belongs to the name."""
_SERVER = re.compile(r"\[([\da-fA-F:.]+(?:%[\w.-]+)?)\](?::(\d{0,5}))?|([\w.-]+)(?::(\d{0,5}))?")
_IN_QUERY = {"nbd": ("socket",), "gluster": ("socket",), "rbd": ("conf",)}

SAID = (
    *("protocol", "transport", "server", "port", "socket", "source"),
    *("query", "tls", "snapshot", "config_file"),
)
"""The fields of a disk that `uri_of` writes."""


def is_uri(text: str) -> bool:
    """Whether a disk's source is written as a URI, and not as a path or ``pool/volume``."""
    return _BEGIN.match(text) is not None


def parse_uri(text: str) -> dict[str, Value]:
    """The fields of a disk that a URI says. Raises BadValue, which never repeats a password."""
    begin = _BEGIN.match(text)
    scheme = (begin[1] or begin[2]).lower() if begin is not None else ""
    if begin is None or scheme not in _SCHEMES:
        why = "give the path alone" if scheme == "file" else f"it is one of {', '.join(_SCHEMES)}"
        raise BadValue("source", f"{scheme or 'this'}:// is no way to a disk: {why}")
    said = dict(_SCHEMES[scheme])
    if begin[2]:
        return {**said, **_short_rbd(text[begin.end() :])}
    authority, path, query = _split(text[begin.end() :])
    user, at, servers = authority.rpartition("@")
    if at:
        said["user"] = _user(user)
    said |= parse_servers(servers, str(said["protocol"]))
    return {**said, **_named(str(said["protocol"]), path), **_asked(str(said["protocol"]), query)}


def parse_servers(text: str, protocol: str) -> dict[str, Value]:
    """``mon1:6789,mon2`` as the fields ``server`` and ``port``. Raises BadValue."""
    names: list[str] = []
    said: dict[str, Value] = {}
    for number, word in enumerate(text.split(",") if text.strip() else ()):
        match = _SERVER.fullmatch(word.strip())
        if match is None:
            raise BadValue("server", f"{word.strip()!r} is neither a name nor an address")
        names.append(match[1] or match[3])
        port = int(match[2] or match[4] or 0)
        if number == 0 and port:
            said["port"] = port
        elif port and port not in (PORTS.get(protocol), said.get("port")):
            raise BadValue("server", "only the first one's port can be said")
    return {"server": ", ".join(names), **said} if names else said


def uri_of(fields: Mapping[str, Value]) -> str:
    """The URI of a network source; `parse_uri` reads the same fields from it (see `SAID`).

    Without its user: what is shown to everybody tells no names to log in by.
    """
    protocol, name = str(fields["protocol"]), str(fields.get("source") or "")
    server = str(fields.get("server") or "")
    if protocol == "rbd" and not server:
        return _short_rbd_of(fields)
    scheme = f"{protocol}s" if protocol == "nbd" and fields.get("tls") else protocol
    transport = fields.get("transport")
    first, *others = [f"[{each}]" if ":" in each else each for each in server.split(", ")]
    port = fields.get("port")
    authority = ",".join((f"{first}:{port}" if port else first, *others))
    path = quote(name, safe="/:,+@=") if protocol != "rbd" else quote(name, safe="/:,+=")
    if not (protocol in _ROOTED and name.startswith("/")):
        path = f"/{path}"
    if fields.get("snapshot"):
        path += f"@{quote(str(fields['snapshot']), safe='')}"
    query = str(fields.get("query") or "")
    if fields.get("socket"):
        query = f"socket={quote(str(fields['socket']), safe='/')}"
    if fields.get("config_file"):
        query = f"conf={quote(str(fields['config_file']), safe='/')}"
    way = f"+{transport}" if transport else ""
    path = "" if path == "/" and authority else path
    return f"{scheme}{way}://{authority}{path}{'?' if query else ''}{query}"


def _split(text: str) -> tuple[str, str, str]:
    rest, _, query = text.partition("?")
    authority, slash, path = rest.partition("/")
    # A password may hold a slash; what follows it is none of the path.
    if "@" in path and not all(_SERVER.fullmatch(word) for word in authority.split(",")):
        _refuse_password()
    return authority, slash + path, query


def _user(text: str) -> str:
    # libiscsi writes a password after a percent sign.
    if ":" in text or "%" in text:
        _refuse_password()
    return text


def _refuse_password() -> None:
    raise BadValue(
        "source",
        "a password has no place in a URI: it would be seen in the XML and in the log;"
        " define a secret of libvirt's with it, and name that (--user, --secret-usage)",
    )


def _named(protocol: str, path: str) -> dict[str, Value]:
    name, at, snapshot = path.partition("@") if protocol == "rbd" else (path, "", "")
    if protocol not in _ROOTED:
        name = name.removeprefix("/")
    said: dict[str, Value] = {"source": _decoded(name)} if name else {}
    return {**said, "snapshot": _decoded(snapshot)} if at else said


def _asked(protocol: str, query: str) -> dict[str, Value]:
    if not query:
        return {}
    if protocol in ("http", "https"):
        return {"query": query}
    asked = parse_qs(query, keep_blank_values=True)
    if protocol == "rbd" and "key" in asked:
        _refuse_password()
    for word in asked:
        if word not in _IN_QUERY.get(protocol, ()):
            raise BadValue("source", f"{word!r} in the URI is not understood")
    fields = {"socket": "socket", "conf": "config_file"}
    return {fields[word]: values[-1] for word, values in asked.items()}


def _short_rbd(text: str) -> dict[str, Value]:
    """``pool/image@snapshot:id=admin:conf=/etc/ceph/ceph.conf``, a backslash before a colon."""
    image, *options = re.split(r"(?<!\\):", text)
    said = _named("rbd", image.replace("\\", ""))
    fields = {"id": "user", "conf": "config_file"}
    for option in options:
        word, _, value = option.partition("=")
        if word == "key":
            _refuse_password()
        if word not in fields:
            raise BadValue("source", f"{word!r} in the URI is not understood")
        said[fields[word]] = _decoded(value.replace("\\", ""))
    return said


def _short_rbd_of(fields: Mapping[str, Value]) -> str:
    text = f"rbd:{quote(str(fields.get('source') or ''), safe='/+=,')}"
    if fields.get("snapshot"):
        text += f"@{quote(str(fields['snapshot']), safe='')}"
    if fields.get("config_file"):
        text += f":conf={quote(str(fields['config_file']), safe='/')}"
    return text


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise BadValue("source", "what is written with % in the URI is no text") from error
