"""The form of a disk on a storage server: the fields of its protocol, and what they come to.

Pure, as device_forms: the fields are the declaration's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tuivirt.backend.model.forms import FormFacts
from tuivirt.backend.xml.disk import DISK
from tuivirt.backend.xml.disk_uri import SAID, is_uri, parse_uri, uri_of
from tuivirt.backend.xml.disksource import NAMES, NETWORK
from tuivirt.backend.xml.errors import BadValue
from tuivirt.backend.xml.netdisk import is_needed

from .device_forms import Shown, attaching
from .disk_options import option_of
from .field_options import worded

_FIELDS = ("source", *(field.name for field in NETWORK))
_UNASKED = ("secret_type",)
"""What follows from the protocol."""


def kind_of(source: str) -> str:
    """What a disk is made of, in words, as far as its source tells; '' when it does not."""
    if is_uri(source):
        return "network"
    if source.startswith("/"):
        return "block device" if source.startswith("/dev/") else "file"
    return "volume" if "/" in source.strip("/") else ""


def network_fields(
    facts: FormFacts, given: Mapping[str, Any]
) -> tuple[tuple[str, bool, Shown], ...]:
    """The fields beside these values: what each is called, and whether it must be filled in.

    A URI in ``given`` as the source of another kind fills them in at their beginning.
    """
    values = {name: given[name] for name in _FIELDS if name in given}
    starts = _starting(str(given.get("source", ""))) if "protocol" not in given else {}
    values = {**values, "source": ""} if starts else values
    values |= starts
    protocol = str(values.get("protocol") or DISK["protocol"].initial)
    found = []
    for shown in attaching("disk", facts, {**values, "source_type": "network"}):
        if shown.name not in _FIELDS or shown.name in _UNASKED:
            continue
        label = DISK[shown.name].label
        if shown.name in starts:
            shown = replace(shown, start=starts[shown.name])
        if shown.name == "source":
            label, said = NAMES[protocol]
            shown = replace(shown, help=said, of=f"network:{protocol}")
        elif shown.name == "transport":
            shown = replace(shown, unset="tcp")
        elif shown.name in ("user", "secret_uuid") and protocol not in ("iscsi", "rbd"):
            shown = replace(shown, rare=True)
        found.append((label, is_needed(shown.name, protocol), shown))
    return tuple(found)


def _starting(source: str) -> dict[str, str]:
    if not is_uri(source):
        return {}
    try:
        return {name: worded(value) for name, value in parse_uri(source).items()}
    except BadValue:
        # It is said when it is to be done.
        return {}


def as_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The form's values as the verb's parameters: the source as a URI, the rest as options.

    What cannot be is left for the verb's own check to refuse.
    """
    said = {name: given[name] for name in _FIELDS if given.get(name) not in (None, "")}
    rest = {name: value for name, value in given.items() if name not in _FIELDS}
    try:
        fields = {name: value for name, value in DISK.check(said).items() if value is not None}
        in_uri = {name: value for name, value in fields.items() if name in SAID}
        if in_uri.get("tls") is not True:
            in_uri.pop("tls", None)
        source = uri_of(in_uri)
        whole = parse_uri(source) == in_uri
    except BadValue:
        whole = False
    if not whole:
        options = {option_of(name): said[name] for name in said if name != "source"}
        return {**rest, "source": str(said.get("source") or "/"), **options}
    options = {option_of(name): said[name] for name in said if name not in SAID}
    return {**rest, "source": source, **options}
