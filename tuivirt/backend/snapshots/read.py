"""A domain's snapshots, as libvirt knows them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import NotFound, TuivirtError, from_libvirt, is_gone, is_unsupported
from ..model.snapshot import Snapshot
from ..together import together
from ..xml.errors import XmlError
from ..xml.snapshot import parse_snapshot

if TYPE_CHECKING:
    from ..host import Host


def snapshots_of(host: Host, uuid: str) -> tuple[Snapshot, ...]:
    """All of a domain's snapshots, oldest first; () where the driver keeps none.

    Source: virDomainListAllSnapshots and each one's XML. One that goes away meanwhile is left out.
    Raises TuivirtError.
    """
    domain = host.domain(uuid)
    what = f"cannot read the snapshots of {domain.name()}"
    try:
        handles, current = listed(domain)
        texts = together([partial(xml_of, each) for each in handles], host.conn.getLibVersion)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    return parsed(texts, current, what)


def listed(domain: Any) -> tuple[list[Any], str | None]:
    """libvirt's handles of a domain's snapshots, and the name of the current one.

    Raises libvirtError; where the driver keeps none there are none.
    """
    try:
        handles = domain.listAllSnapshots(0)
        current = domain.snapshotCurrent(0).getName() if domain.hasCurrentSnapshot(0) else None
    except libvirt.libvirtError as error:
        if is_unsupported(error):
            return [], None
        raise
    return handles, current


def xml_of(handle: Any) -> str:
    """A snapshot's XML; '' where it went away meanwhile. Raises libvirtError."""
    try:
        return str(handle.getXMLDesc(0))
    except libvirt.libvirtError as error:
        if is_no_more(error):
            return ""
        raise


def parsed(texts: Iterable[str], current: str | None, what: str) -> tuple[Snapshot, ...]:
    """A domain's snapshots out of their XML, oldest first. Raises TuivirtError, with ``what``."""
    try:
        found = [parse_snapshot(text) for text in texts if text]
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error
    found.sort(key=lambda each: (each.created or 0.0, each.name))
    return tuple(each if each.name != current else _as_current(each) for each in found)


def snapshot_to_change(domain: Any, name: str) -> Any:
    """libvirt's handle of one. Raises NotFound, TuivirtError."""
    try:
        return domain.snapshotLookupByName(name, 0)
    except libvirt.libvirtError as error:
        if is_no_more(error):
            raise NotFound(
                f"{domain.name()} has no snapshot {name!r}",
                advice=f"see: tuivirt snapshot-list {domain.name()}",
            ) from error
        raise from_libvirt(error, f"cannot find the snapshot {name} of {domain.name()}") from error


def is_no_more(error: libvirt.libvirtError) -> bool:
    """Whether the snapshot, or its domain, does not exist (any more)."""
    return is_gone(error) or error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT


def _as_current(snapshot: Snapshot) -> Snapshot:
    from dataclasses import replace

    return replace(snapshot, current=True)
