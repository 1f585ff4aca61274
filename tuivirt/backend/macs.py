"""MAC addresses of guests: made, and held against those that are taken."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from .errors import BadInput
from .lookups import configs_of

if TYPE_CHECKING:
    from .host import Host

_MAC = re.compile(r"([\da-f]{2}:){5}[\da-f]{2}")
_PREFIX = "52:54:00"
"""QEMU's, of the range that everybody may use."""


def make_mac(host: Host) -> str:
    """A new one, which no domain of this host has."""
    taken = set(_owners(host))
    while True:
        mac = ":".join((_PREFIX, *(f"{byte:02x}" for byte in secrets.token_bytes(3))))
        if mac not in taken:
            return mac


def check_mac(host: Host, mac: str) -> str:
    """``mac`` as libvirt writes it. Raises BadInput for what is none, or is taken."""
    mac = mac.strip().lower().replace("-", ":")
    if not _MAC.fullmatch(mac):
        raise BadInput(f"{mac!r} is no MAC address", advice="as in 52:54:00:12:34:56")
    if int(mac[:2], 16) & 1:
        raise BadInput(f"{mac} is a group's address", "a card needs one of its own")
    owner = _owners(host).get(mac)
    if owner is not None:
        raise BadInput(f"{mac} is taken", f"domain {owner} has it")
    return mac


def _owners(host: Host) -> dict[str, str]:
    """By MAC address: the name of the domain that has it."""
    return {
        interface.mac: name
        for name, configs in configs_of(host).items()
        for config in configs
        for interface in config.interfaces
    }
