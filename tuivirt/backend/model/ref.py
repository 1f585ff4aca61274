"""How an object is named across hosts."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """The kinds of object an operator can point at; the values are the command line's words."""

    HOST = "host"
    DOMAIN = "domain"
    NETWORK = "network"
    POOL = "pool"
    VOLUME = "volume"
    DEVICE = "device"
    INTERFACE = "interface"


class Ref(NamedTuple):
    """One object of one host.

    ``key`` never changes while the object lives: the UUID of a domain, network or pool, the
    name of a node device or host interface, the key of a volume, the name of a host.
    """

    host: str
    kind: Kind
    key: str


def looks_like_uuid(key: str) -> bool:
    """Whether it may be a UUID: an object may be called so as well."""
    return len(key.replace("-", "")) == 32 and all(c in "0123456789abcdefABCDEF-" for c in key)
