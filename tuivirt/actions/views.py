"""What only shows something: the serial console and the XML. All work read-only but the console."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from tuivirt.backend import lookups, rawtty
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.resources import Network, NodeDevice, Pool

from .registry import Option, Run, action


@action(
    "domain",
    title="Serial console",
    key="c",
    virsh="virsh console {name}[ --devname {devname}][force? --force][safe? --safe]",
    api="virDomainOpenConsole",
    bulk=False,
    view=True,
)
def console(
    run: Run,
    domain: Domain,
    *,
    devname: Annotated[
        str | None, Option("the alias of the serial port or console, as in serial1")
    ] = None,
    force: Annotated[bool, Option("take it from whoever has it open")] = False,
    safe: Annotated[bool, Option("only where the host keeps others from opening it too")] = False,
) -> str:
    """Hand this terminal to the guest's serial console; ctrl+] comes back.

    It waits for a guest that is off to start, but for input that is no terminal.
    """
    return rawtty.attach(run.host, domain.uuid, devname=devname, force=force, safe=safe)


_INACTIVE = Annotated[bool, Option("the saved configuration, not the running one")]

_xml = partial(action, title="XML", key="y", changes=False, bulk=False, view=True)


@_xml(
    "domain",
    virsh="virsh dumpxml {name}[inactive? --inactive]",
    api="virDomainGetXMLDesc",
)
def dumpxml(run: Run, domain: Domain, *, inactive: _INACTIVE = False) -> str:
    """Print a domain's XML, without its secrets."""
    return lookups.xml_of(run.host, domain.ref, saved=inactive)


@_xml(
    "network",
    virsh="virsh net-dumpxml {name}[inactive? --inactive]",
    api="virNetworkGetXMLDesc",
)
def net_dumpxml(run: Run, network: Network, *, inactive: _INACTIVE = False) -> str:
    """Print a network's XML."""
    return lookups.xml_of(run.host, network.ref, saved=inactive)


@_xml(
    "pool",
    virsh="virsh pool-dumpxml {name}[inactive? --inactive]",
    api="virStoragePoolGetXMLDesc",
)
def pool_dumpxml(run: Run, pool: Pool, *, inactive: _INACTIVE = False) -> str:
    """Print a storage pool's XML."""
    return lookups.xml_of(run.host, pool.ref, saved=inactive)


@_xml(
    "device",
    virsh="virsh nodedev-dumpxml {name}",
    api="virNodeDeviceGetXMLDesc",
)
def nodedev_dumpxml(run: Run, device: NodeDevice) -> str:
    """Print the XML of a device of the host."""
    return lookups.xml_of(run.host, device.ref)
