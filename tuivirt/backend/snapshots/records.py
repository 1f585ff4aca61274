"""libvirt's record of a snapshot: its XML, what of it may be changed, and one given back.

A record is changed by defining it anew (VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE): neither images nor
the guest are touched.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import BadInput, TuivirtError, from_libvirt
from ..lifecycle import domain_to_change, touch
from ..model.finding import Plan
from ..model.snapshot import Snapshot, when
from ..xml.errors import XmlError
from ..xml.passwords import lacks_passwords, with_passwords
from ..xml.snapshot import parse_snapshot, retold
from .given_back import Given, against
from .judge import check_description, check_name, refuse
from .read import is_no_more, snapshot_to_change, snapshots_of
from .revert import find

if TYPE_CHECKING:
    from ..host import Host

_SECURE = libvirt.VIR_DOMAIN_SNAPSHOT_XML_SECURE
MOST_BYTES = 16 << 20
"""No record is that long: what is longer is another file."""


def xml_of(host: Host, uuid: str, name: str, *, secrets: bool = False) -> str:
    """The record; its ``secrets`` in it where they are asked for. Raises NotFound, TuivirtError.

    libvirt tells no secrets by a read-only connection.

    Source: virDomainSnapshotGetXMLDesc.
    """
    domain = host.domain(uuid)
    handle = snapshot_to_change(domain, name)
    try:
        return str(handle.getXMLDesc(_SECURE if secrets else 0))
    except libvirt.libvirtError as error:
        what = f"cannot read the snapshot {name} of {domain.name()}"
        raise from_libvirt(error, what) from error


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options cannot be right."""
    if values.get("description") and values.get("no_description"):
        raise BadInput("a description and none exclude one another")
    check_name(str(values.get("rename") or ""))
    check_description(str(values.get("description") or ""))


def edit(host: Host, uuid: str, snapshotname: str, values: Mapping[str, Any]) -> str:
    """Describe or rename a snapshot; a sentence of what is true then.

    ``values``: ``description``, ``no_description``, ``rename``. Raises BadInput, NotFound,
    TuivirtError, which tells what is done of a renaming.
    """
    check(values)
    if not any(values.get(each) for each in ("rename", "description", "no_description")):
        raise BadInput("nothing is to be changed", advice="say a description, or another name")
    domain = domain_to_change(host, uuid)
    name = domain.name()
    snapshot = find(host, uuid, snapshotname)
    known = snapshots_of(host, uuid)
    renamed = str(values.get("rename") or "")
    if renamed == snapshot.name:
        renamed = ""
    what = f"cannot change the snapshot {snapshotname} of {name}"
    if renamed:
        _may_be_renamed(snapshot, known, renamed, what)
    description = "" if values.get("no_description") else values.get("description")
    try:
        _retell(domain, snapshot, what, name=renamed, description=description)
        if renamed:
            _move_children(domain, snapshot, known, renamed, what)
    finally:
        touch(host, uuid)
    told = f"of {name}, the snapshot {snapshot.name}"
    if renamed:
        return f"{told} is called {renamed} by now"
    return f"{told} has no description any more" if description == "" else f"{told} is described"


def _may_be_renamed(
    snapshot: Snapshot, known: tuple[Snapshot, ...], renamed: str, what: str
) -> None:
    if any(each.name == renamed for each in known):
        raise BadInput(what, f"there is a snapshot {renamed} already", "give it another name")
    if "internal" in snapshot.kind:
        raise BadInput(
            what,
            "it is internal: its images hold it under its name, and libvirt would not find it",
            "leave its name, and describe it",
        )


def _move_children(
    domain: Any, snapshot: Snapshot, known: tuple[Snapshot, ...], renamed: str, what: str
) -> None:
    """What grew out of it grows out of the new record; then the old one goes."""
    moved = []
    try:
        for each in known:
            if each.parent == snapshot.name:
                _retell(domain, each, what, parent=renamed)
                moved.append(each.name)
        handle = domain.snapshotLookupByName(snapshot.name, 0)
        handle.delete(libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY)
    except (libvirt.libvirtError, TuivirtError) as error:
        failure = error if isinstance(error, TuivirtError) else from_libvirt(error, what)
        below = f", and {', '.join(moved)} below {renamed}" if moved else ""
        failure.done = f"libvirt knows it as {snapshot.name} and as {renamed}{below}"
        forget = f"tuivirt snapshot-delete {domain.name()} NAME --metadata"
        failure.advice = failure.advice or f"have one of the two forgotten: {forget}"
        raise failure from error


def _retell(domain: Any, snapshot: Snapshot, what: str, **changes: str | None) -> None:
    """Define its record anew, all else as it is, the current one as the current one.

    Under its own name the current one stays so by itself.
    """
    try:
        handle = domain.snapshotLookupByName(snapshot.name, 0)
        record = handle.getXMLDesc(_SECURE)
        current = bool(changes.get("name")) and bool(handle.isCurrent(0))
        _define(domain, retold(record, **changes), current=current)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error


def _define(domain: Any, record: str, *, current: bool) -> None:
    """``current``: it is to be the current one, and another is now, or none.

    Never of the one that is: libvirt from 9.9 on drops the ``<revertDisks>`` of the current one
    before it takes another, which were then those just given.
    """
    flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE
    if current:
        flags |= libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT
    domain.snapshotCreateXML(record, flags)


def plan_redefine(host: Host, uuid: str, values: Mapping[str, Any]) -> Plan:
    """What libvirt would know then, and what speaks against it. Raises BadInput, TuivirtError."""
    domain, current = host.domain(uuid), bool(values.get("current"))
    name, given = domain.name(), _read(str(values["file"]))
    known = snapshots_of(host, uuid)
    findings = against(host, domain, given, known, current=current)
    one, mark = given.snapshot, ", as the current one" if current else ""
    step = f"libvirt knows the snapshot {one.name} of {name}, taken {when(one)}{mark}."
    return Plan(name, (step, "Neither its images nor the guest are touched."), tuple(findings))


def redefine(
    host: Host, uuid: str, file: str, *, current: bool = False, force: bool = False
) -> str:
    """Have libvirt know a snapshot by a record from a file; a sentence of what is true then.

    Passwords that the file lacks are taken from the record that libvirt has of it, if it has one.
    Raises BadInput, TuivirtError. Source: virDomainSnapshotCreateXML with REDEFINE.
    """
    domain = domain_to_change(host, uuid)
    what = f"cannot give {domain.name()} the snapshot in {file}"
    refuse(plan_redefine(host, uuid, {"file": file, "current": current}), what, force)
    given = _read(file)
    one = given.snapshot
    try:
        now = next((each for each in snapshots_of(host, uuid) if each.name == one.name), None)
        text = given.text
        if now is not None and lacks_passwords(text):
            text = with_passwords(text, xml_of(host, uuid, one.name, secrets=True))
        _define(domain, text, current=current and not (now is not None and now.current))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what, _advice(error)) from error
    finally:
        touch(host, uuid)
    return f"{domain.name()} has the snapshot {one.name}, {one.kind or 'empty'}, as {file} says"


def _advice(error: libvirt.libvirtError) -> str:
    if "uuid" in (error.get_error_message() or "").lower():
        return "it is the record of another domain: its <domain> has another UUID"
    return "" if not is_no_more(error) else "give back first what it grew out of"


def _read(file: str) -> Given:
    """A record and what it tells. Raises BadInput."""
    path = os.path.abspath(os.path.expanduser(file))
    what = f"{path} holds no record of a snapshot"
    advice = "tuivirt snapshot-dumpxml writes one"
    try:
        with open(path, encoding="utf-8") as opened:
            text = opened.read(MOST_BYTES + 1)
        given = parse_snapshot(text)
    except (OSError, UnicodeError, XmlError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise BadInput(what, str(why), advice) from error
    if len(text) > MOST_BYTES or not given.name:
        raise BadInput(what, "it is too long" if given.name else "it has no name", advice)
    return Given(text, given)
