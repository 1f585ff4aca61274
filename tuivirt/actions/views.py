"""What only shows something: the serial console and the XML. All work read-only but the console."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.resources import Network, NodeDevice, Pool
from tuivirt.backend.settling import LINGER_S

from .domains import is_off
from .registry import Option, Run, action


def _can_leave(values: Mapping[str, Any]) -> None:
    from tuivirt.backend import rawtty

    rawtty.escape_byte(values.get("escape") or rawtty.ESCAPE)


@action(
    "domain",
    title="Serial console",
    key="c",
    virsh="virsh[ -e {escape}] console {name}[ --devname {devname}][force? --force][safe? --safe]",
    api="virDomainOpenConsole",
    bulk=False,
    view=True,
    check=_can_leave,
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
    escape: Annotated[
        str | None,
        Option("the key that comes back, as ^a or a character (^] unless given)", cli_only=True),
    ] = None,
    log: Annotated[
        str | None,
        Option(
            "write what the guest prints to this file too, each line with its time; default: "
            "where tuivirt log finds it",
            cli_only=True,
        ),
    ] = None,
    linger: Annotated[
        float,
        Option(
            "a pipe ends when the guest has printed nothing for so many seconds since the end "
            "of the input (2 unless given)",
            minimum=0,
            cli_only=True,
        ),
    ] = LINGER_S,
    pace: Annotated[
        int | None,
        Option(
            "bytes a second that a pipe sends, 0 for as fast as they are taken (11520 unless "
            "given, and 0 for a virtio console: a serial port loses what comes faster than its "
            "guest reads)",
            minimum=0,
            cli_only=True,
        ),
    ] = None,
) -> str:
    """Hand this terminal to the guest's serial console; ctrl+] comes back.

    It waits for a guest that is off to start, and stays through its reboots. Where standard
    input or output is no terminal it is a pipe for scripts, as in: echo uptime | tuivirt console
    web-01. What comes in is sent, what the guest prints comes out, and nothing is a key. It ends
    once the input has ended and the guest is silent, or when the guest stops.
    """
    from tuivirt.backend import rawtty

    return rawtty.attach(
        run.host,
        domain.uuid,
        devname=devname,
        force=force,
        safe=safe,
        escape=escape or rawtty.ESCAPE,
        log=log,
        linger_s=linger,
        pace_bytes_per_s=pace,
    )


@action(
    "domain",
    title="Send a break",
    virsh="virsh qemu-monitor-command {name} chardev-send-break {device}",
    api="virDomainQemuMonitorCommand",
    bulk=False,
    confirm=(
        "Send a break to a serial port of {name}? libvirt has no call for it, so QEMU's monitor "
        "is asked, and libvirt marks the running guest as tainted (custom-monitor)."
    ),
    unavailable=is_off,
)
def send_break(
    run: Run,
    domain: Domain,
    *,
    device: Annotated[str, Option("the alias of the serial port, as in serial0")] = "serial0",
) -> str:
    """Send a break, as for a kernel's magic SysRq, to a serial port of a running QEMU guest."""
    from tuivirt.backend.serial_break import send_break

    return send_break(run.host, domain.uuid, device)


_INACTIVE = Annotated[bool, Option("the saved configuration, not the running one")]

_xml = partial(action, title="XML", key="y", changes=False, bulk=False, view=True)


@_xml(
    "domain",
    virsh="virsh dumpxml {name}[inactive? --inactive]",
    api="virDomainGetXMLDesc",
)
def dumpxml(run: Run, domain: Domain, *, inactive: _INACTIVE = False) -> str:
    """Print a domain's XML, without its secrets."""
    from tuivirt.backend import lookups

    return lookups.xml_of(run.host, domain.ref, saved=inactive)


@_xml(
    "network",
    virsh="virsh net-dumpxml {name}[inactive? --inactive]",
    api="virNetworkGetXMLDesc",
)
def net_dumpxml(run: Run, network: Network, *, inactive: _INACTIVE = False) -> str:
    """Print a network's XML."""
    from tuivirt.backend import lookups

    return lookups.xml_of(run.host, network.ref, saved=inactive)


@_xml(
    "pool",
    virsh="virsh pool-dumpxml {name}[inactive? --inactive]",
    api="virStoragePoolGetXMLDesc",
)
def pool_dumpxml(run: Run, pool: Pool, *, inactive: _INACTIVE = False) -> str:
    """Print a storage pool's XML."""
    from tuivirt.backend import lookups

    return lookups.xml_of(run.host, pool.ref, saved=inactive)


@_xml(
    "device",
    virsh="virsh nodedev-dumpxml {name}",
    api="virNodeDeviceGetXMLDesc",
)
def nodedev_dumpxml(run: Run, device: NodeDevice) -> str:
    """Print the XML of a device of the host."""
    from tuivirt.backend import lookups

    return lookups.xml_of(run.host, device.ref)
