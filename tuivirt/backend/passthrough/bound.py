"""Which driver has a host device; taken from it, and given back. Source: virNodeDevice*."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import TuivirtError, from_libvirt
from ..inventory import device_behind
from ..model.ref import Kind, Ref
from ..model.resources import NodeDevice
from .judge import called

if TYPE_CHECKING:
    from ..host import Host

VFIO = "vfio-pci"


def driver_now(host: Host, device: NodeDevice) -> str:
    """What it is bound to, as libvirt reads it now; '' for nothing. Raises TuivirtError."""
    return read_again(host, device).driver


def read_again(host: Host, device: NodeDevice) -> NodeDevice:
    """The device as libvirt tells it now. Raises TuivirtError."""
    try:
        return device_behind(host.conn.nodeDeviceLookupByName(device.name), host.name)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot look at {called(device)}") from error


def unbind(host: Host, device: NodeDevice) -> None:
    """Take it from its driver and bind it to vfio-pci. Raises TuivirtError."""
    what = f"cannot take {called(device)} from its driver"
    _call(host, device, what, lambda node: node.detachFlags("vfio", 0))
    now = driver_now(host, device)
    if now != VFIO:
        raise TuivirtError(
            what, f"it is bound to {now or 'nothing'} though libvirt reported no error"
        )


def give_back(host: Host, device: NodeDevice) -> str:
    """Bind it to the host's driver again; which one that is. Raises TuivirtError.

    '' for a device that the host has no driver for.
    """
    what = f"cannot give {called(device)} back to its driver"
    _call(host, device, what, lambda node: node.reAttach())
    now = driver_now(host, device)
    if now == VFIO:
        raise TuivirtError(what, f"it is still bound to {VFIO}")
    return now


def _call(host: Host, device: NodeDevice, what: str, do: Any) -> None:
    try:
        do(host.conn.nodeDeviceLookupByName(device.name))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    finally:
        host.touch(Ref(host.name, Kind.DEVICE, device.name))
