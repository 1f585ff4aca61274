"""The block jobs of a host's domains that run now, whoever began them: virsh, a backup program.

libvirt has an event for the end of one, and none for its beginning: so they are looked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import TuivirtError, from_libvirt, is_gone, is_unsupported
from ..model.block_job import Running
from ..model.domain import DomainState
from ..model.ref import Kind, Ref
from .read import chains_of, job_on

if TYPE_CHECKING:
    from ..host import Host


def under_way(host: Host, uuids: frozenset[str] | None = None) -> tuple[Running, ...]:
    """The jobs of these domains; None: of all that run. A call for each, and one for each disk.

    A domain that does not answer is left out, as its monitor would be waited for. Raises
    TuivirtError. Source: virDomainGetXMLDesc, virDomainGetBlockJobInfo.
    """
    found: list[Running] = []
    for uuid, known in host.snapshot.domains.items():
        active = known.state not in (DomainState.SHUTOFF, DomainState.CRASHED)
        if not active or known.stalled_since is not None:
            continue
        if uuids is None or uuid in uuids:
            found += _of(host, uuid, known.name)
    return tuple(found)


def _of(host: Host, uuid: str, name: str) -> list[Running]:
    try:
        domain: Any = host.domain(uuid)
        jobs = [job_on(domain, chain) for chain in chains_of(domain).values()]
    except libvirt.libvirtError as error:
        stopped = error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID
        if stopped or is_gone(error) or is_unsupported(error):
            return []  # It went off meanwhile, or its driver knows of no such jobs.
        raise from_libvirt(error, f"cannot read the block jobs of {name}") from error
    except TuivirtError as error:
        if error.code == libvirt.VIR_ERR_NO_DOMAIN:
            return []
        raise
    ref = Ref(host.name, Kind.DOMAIN, uuid)
    return [Running(ref, name, job) for job in jobs if job is not None]
