"""What of a qcow2 image is made before anybody writes to it: its tables, or all of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import BadInput
from ..model.finding import Finding, Weight
from ..model.resources import Volume

ONLY_QCOW2 = {
    "prealloc_metadata": "metadata is made ahead",
    "prealloc_falloc": "all of an image is taken, tables and data,",
    "cluster_size": "the size of clusters is chosen",
}
_ON_ANOTHER = "nothing is taken ahead in an image that lies on another"


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where a new volume cannot be made so, by what is said of it."""
    for option, said in ONLY_QCOW2.items():
        if values.get(option) and values.get("format") not in ("qcow2", "", None):
            raise BadInput(f"{said} for qcow2 only", advice="--format qcow2")
    ahead = values.get("prealloc_metadata") or values.get("prealloc_falloc")
    if ahead and values.get("backing_vol"):
        raise BadInput(_ON_ANOTHER)
    if values.get("prealloc_falloc") and values.get("allocation"):
        raise BadInput("what is taken at once is said twice", "prealloc-falloc takes all of it")


def against_copy(volume: Volume, values: Mapping[str, Any]) -> list[Finding]:
    """Why the tables of a copy of the volume cannot be made ahead, where that is asked for.

    libvirt itself says so only once it is asked, in words about metadata and stores.
    """
    if not values.get("prealloc_metadata"):
        return []
    leave = "copy it without --prealloc-metadata"
    if volume.format != "qcow2":
        said = f"{volume.name} is {volume.format or 'raw'}: metadata is made ahead for qcow2 only"
        return [Finding(Weight.REFUSED, said, leave)]
    if volume.backing:
        said = f"{volume.name} lies on {volume.backing}: {_ON_ANOTHER}"
        return [Finding(Weight.REFUSED, said, leave)]
    return []


def steps_of_copy(values: Mapping[str, Any]) -> list[str]:
    """What a plan says of it."""
    if not values.get("prealloc_metadata"):
        return []
    return ["   its tables are made at once, and take next to nothing; its data's place is not"]
