"""Domains that would run with a disk into which an upload was cut off, or that lies on one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import BadInput, TuivirtError, from_libvirt, if_offered, is_open
from ..here import is_here
from ..model.finding import Finding, Weight
from ..sides import read_texts
from .unfinished import about, none_told

if TYPE_CHECKING:
    from ..host import Host


def refuse_start(host: Host, domain: Any, *, afresh: bool = False) -> None:
    """Raise BadInput where a domain that is off would be started on one.

    ``afresh``: whatever its managed save has. Raises TuivirtError.
    """
    if none_told(host):
        return  # Nobody is asked for what nothing is told of.
    what = f"cannot start {domain.name()}"
    for each in _next_start(host, domain, what, afresh=afresh):
        raise BadInput(what, each.text, each.advice)


def told(host: Host, domain: Any) -> str:
    """What there is to say of the disks of a domain's next start, after a sentence; or ''."""
    if none_told(host):
        return ""
    name = domain.name()
    try:
        found = _next_start(host, domain, f"cannot tell whether {name}'s disks are whole")
    except TuivirtError as error:
        return f"; {error}"
    return "".join(f"; {each.text}: {each.advice}" for each in found)


def against(host: Host, configs: Iterable[str], what: str) -> list[Finding]:
    """The disks of these configurations, XML, that no guest may run with, as refusals.

    Of another machine's what lies below a disk is not asked for. Raises TuivirtError.
    """
    from ..block_jobs.images import down_from
    from ..owners.named import disks_in

    if none_told(host):
        return []
    try:
        disks = dict.fromkeys(disk for xml in configs for disk in disks_in(host.conn, xml))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"{what}: its disks cannot be read") from error
    here = is_here(host)
    return [
        Finding(Weight.REFUSED, f"{path}, of {target}: {each.text}", each.advice)
        for target, top in disks
        for path in (down_from(host, top) if here else (top,))
        for each in about(host, path)
    ]


def _next_start(host: Host, domain: Any, what: str, *, afresh: bool = False) -> list[Finding]:
    try:
        # libvirt takes the configuration where it finds the managed save to be of no use.
        configs = [read_texts(domain)[1]]
        if not afresh and if_offered(lambda: domain.hasManagedSaveImage(0), 0):
            configs.append(_saved(host, domain))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"{what}: its disks cannot be read") from error
    return against(host, filter(None, configs), what)


def _saved(host: Host, domain: Any) -> str:
    """The configuration in the managed save; '' of a save that was cut off. Raises libvirtError.

    libvirt cannot read that either, and starts from the domain's own.
    """
    try:
        return str(domain.managedSaveGetXMLDesc(0))
    except libvirt.libvirtError:
        if not is_open(host.conn):
            raise
        return ""
