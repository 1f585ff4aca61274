"""The form of a new volume: the formats that its pool offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tuivirt.actions.volumes import formats_offered
from tuivirt.widgets.form import Field

from .offers import Asked, Offer

_FORMATS = {"format": "the pool's own", "backing_vol_format": "as is known of it"}
"""Fields that are a format, and what is done where none is chosen."""
_IMAGES = ("backing_vol", "backing_vol_format", "prealloc_metadata", "prealloc_falloc",
           "cluster_size")  # fmt: skip
"""What only an image has."""
_RARE = ("prealloc_metadata", "prealloc_falloc", "cluster_size", "secret")


class VolumeForm:
    """Offers what the host's libvirt tells of the pool's type."""

    waits = ""
    """Nothing: the name can be typed meanwhile."""

    def look_up(self, host: Any, key: str) -> tuple[str, ...]:
        return formats_offered(host, key)

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        """For one pool."""
        ((_asked, formats),) = answers
        return Offer(tuple(_fields(fields, formats)))


def _fields(fields: Sequence[Field], formats: tuple[str, ...]) -> list[Field]:
    found = []
    for field in fields:
        if field.name in _FORMATS and formats:
            value = field.value if field.value in formats else ""
            field = replace(
                field,
                kind="choice",
                value=value,
                choices=("", *formats),
                unset=_FORMATS[field.name],
            )
        found.append(replace(field, rare=field.name in _RARE))
    # Where there is no choice of formats there are no images either.
    has_images = "qcow2" in formats
    return [
        field
        for field in found
        if has_images or (field.name not in _IMAGES and (formats or field.name != "format"))
    ]
