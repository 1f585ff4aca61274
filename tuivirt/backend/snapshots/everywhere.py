"""The snapshots of all domains of a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libvirt

from ..errors import NotFound, TuivirtError, from_libvirt, is_open, is_unsupported
from ..model.ref import Kind, Ref
from ..model.snapshot import Snapshots
from .read import snapshots_of

if TYPE_CHECKING:
    from ..host import Host


def snapshots_on(host: Host) -> tuple[Snapshots, ...]:
    """Of each domain that has any, by the domain's name. Raises TuivirtError.

    libvirt tells in one call which domains those are, so that the others cost nothing. Source:
    virConnectListAllDomains with HAS_SNAPSHOT, virDomainListAllSnapshots and each one's XML.
    """
    try:
        domains = host.conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT)
    except libvirt.libvirtError as error:
        if is_unsupported(error):
            return ()
        raise from_libvirt(
            error, f"cannot list the domains of {host.name} with snapshots"
        ) from error
    found = []
    for domain in sorted(domains, key=lambda each: str(each.name())):
        uuid, wrong = domain.UUIDString(), ""
        try:
            known = snapshots_of(host, uuid)
        except NotFound:
            continue  # It went away meanwhile.
        except TuivirtError as error:
            if not is_open(host.conn):
                raise
            known, wrong = (), str(error)
        if known or wrong:
            ref = Ref(host.name, Kind.DOMAIN, uuid)
            found.append(Snapshots(ref, str(domain.name()), known, wrong))
    return tuple(found)
