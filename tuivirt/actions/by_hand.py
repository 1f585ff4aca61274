"""The host of the equivalent virsh command: typed without it, it may be done to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuivirt.backend import default_uri
from tuivirt.backend.model.host import HostSnapshot
from tuivirt.backend.uri import shown

from .template import URI

if TYPE_CHECKING:
    from tuivirt.backend.host import Host


def told_of(host: Host) -> dict[str, str]:
    """What a command's template has to be filled with beside its values."""
    return where(host.snapshot, several=len(host.started()) > 1)


def where(host: HostSnapshot, *, several: bool) -> dict[str, str]:
    """The same; ``several``: there are other hosts, among which nobody need think of a default.

    The URI is told without a password, which virsh asks for; the demo's nobody else knows.
    """
    if host.uri.startswith("demo:"):
        return {}
    return {URI: host.uri} if several or host.uri != shown(default_uri.of_virsh()) else {}
