"""A break on a guest's serial port: libvirt has no call for it, QEMU's monitor has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import libvirt

from .errors import TuivirtError, from_libvirt

if TYPE_CHECKING:
    from .host import Host


def send_break(host: Host, uuid: str, device: str) -> str:
    """Send one on the port with this alias; a sentence of what was done.

    libvirt marks the running domain as tainted (custom-monitor). Source: QMP's
    chardev-send-break by virDomainQemuMonitorCommand.
    """
    domain = host.domain(uuid)
    what = f"cannot send a break to {device} of {domain.name()}"
    if not isinstance(domain, libvirt.virDomain):
        raise TuivirtError(what, "only QEMU has a way to send one")
    import libvirt_qemu  # Wanted by nothing else.

    command = {"execute": "chardev-send-break", "arguments": {"id": f"char{device}"}}
    try:
        answer = json.loads(libvirt_qemu.qemuMonitorCommand(domain, json.dumps(command), 0))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what, "only QEMU has a way to send one") from error
    if "error" in answer:
        raise TuivirtError(what, str(answer["error"].get("desc", "QEMU refused")))
    return f"a break was sent to {device}"
