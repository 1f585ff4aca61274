"""Whether a host's images are on this machine: qemu-img works on files that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import BadInput
from ..here import is_here
from ..model.host import HostInfo

if TYPE_CHECKING:
    from ..host import Host


def not_here(name: str, info: HostInfo | None) -> str:
    """Why the images of the host cannot be worked on here, or ''."""
    if info is not None and info.demo:
        return "its images are made up"
    if info is None or not info.local:
        return f"{name} is not this machine, and qemu-img works on this machine's files"
    return ""


def require_here(host: Host) -> None:
    """Raise BadInput where the host's images are not this machine's."""
    if not is_here(host):
        raise BadInput(
            f"nothing can be done here with images of host {host.name}",
            not_here(host.name, host.snapshot.info),
            "do it on that machine, with tuivirt or qemu-img there",
        )
