"""The medium of a drive, changed without touching the rest of its ``<disk>``."""

from __future__ import annotations

from collections.abc import Mapping

from .disk import DISK
from .tree import parse, to_text

_OF_THE_MEDIUM = ("source", "backingStore", "mirror")


def with_medium(disk_xml: str, medium: Mapping[str, object]) -> str:
    """The disk's XML with another medium: fields of DISK, or an empty mapping for none.

    What described the old medium goes with it (its backing chain, for one); what is to be done
    when the source is missing stays. Raises MalformedXml or BadValue.
    """
    disk = parse(disk_xml, "disk")
    policy = DISK.parse(disk)["startup_policy"]
    for tag in _OF_THE_MEDIUM:
        for element in disk.findall(tag):
            disk.remove(element)
    if medium:
        DISK.apply(disk, {**medium, "startup_policy": policy})
    return to_text(disk)
