"""How a guest sees its vCPUs arranged: sockets, dies, cores and threads, from the next boot on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import BadInput, from_libvirt
from .lifecycle import domain_to_change, touch
from .model.processors import Processors, Topology
from .processors import read_halves
from .sides import verify
from .vcpus import counted, lost_pins, refuse_beyond, saved_alone
from .xml.errors import XmlError
from .xml.processors import TOPOLOGY, VCPUS
from .xml.sections import change_section, keep_vcpus

if TYPE_CHECKING:
    from .host import Host

_PARTS = ("sockets", "dies", "clusters", "cores", "threads")


def set_topology(
    host: Host,
    uuid: str,
    *,
    sockets: int,
    dies: int = 1,
    cores: int = 1,
    threads: int = 1,
    maximum: bool = False,
) -> str:
    """Arrange a domain's vCPUs from its next boot on.

    They must make as many as the domain can have; ``maximum`` makes that number fit instead.
    Raises BadInput with nothing changed. Source: virDomainDefineXML.
    """
    domain = domain_to_change(host, uuid)
    what = f"cannot arrange the vCPUs of {domain.name()}"
    with host.defining[domain.UUIDString()]:
        return _arranged(host, domain, what, (sockets, dies, cores, threads), maximum)


def _arranged(
    host: Host, domain: Any, what: str, parts: tuple[int, int, int, int], maximum: bool
) -> str:
    name = domain.name()
    sockets, dies, cores, threads = parts
    before = read_halves(domain, what)
    saved = saved_alone(before, "", what, "the topology")
    clusters = saved.topology.clusters if saved.topology is not None else 1
    wanted = Topology(sockets, dies, clusters, cores, threads)
    if wanted.vcpus != saved.most:
        refuse_beyond(host, before, wanted.vcpus, what)
    if wanted.vcpus != saved.most and not maximum:
        raise BadInput(
            what,
            f"{wanted} makes {counted(wanted.vcpus)}, and it can have {saved.most}",
            _offer(wanted, saved.most),
        )
    lost = lost_pins(saved, wanted.vcpus)
    try:
        # With its secrets, which would be lost when it is defined again.
        flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
        host.conn.defineXML(_text(str(domain.XMLDesc(flags)), saved, wanted))
    except XmlError as error:
        raise BadInput(what, str(error)) from error
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    finally:
        touch(host, domain.UUIDString())
    after = read_halves(domain, f"cannot tell how the vCPUs of {name} are arranged").saved
    verify(
        "the vCPUs are not arranged so",
        name,
        live_bad=False,
        saved_bad=after is None or after.topology != wanted or after.most != wanted.vcpus,
        live=False,
    )
    return f"{name} has {wanted}: {counted(wanted.vcpus)}{before.sides.words(False, True)}{lost}"


def _text(xml: str, saved: Processors, wanted: Topology) -> str:
    most = wanted.vcpus
    if most != saved.most:
        # What is to be added starts switched off, unless all were on.
        count = most if saved.count == saved.most else min(saved.count, most)
        changes = {"most": most, "current": count if count < most else None}
        xml = keep_vcpus(change_section(xml, VCPUS, changes), most)
    return change_section(xml, TOPOLOGY, {part: getattr(wanted, part) for part in _PARTS})


def _offer(wanted: Topology, most: int) -> str:
    """The nearest that would do: another number of sockets, or another maximum."""
    said = f"let it have {wanted.vcpus} as well (--maximum)"
    each = wanted.vcpus // wanted.sockets
    if most % each == 0:
        said = f"{replace(wanted, sockets=most // each)} makes {most}; or {said}"
    return said
