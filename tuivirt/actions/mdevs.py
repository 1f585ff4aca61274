"""Mediated devices: pieces of a host device that its driver makes, to be given to domains.

What carries it out is imported when it is done: few hosts have any.
"""

from __future__ import annotations

from typing import Annotated

from tuivirt.backend.model.resources import NodeDevice

from .registry import Option, Run, action

_KIND = Annotated[
    str,
    Option("a type that the device offers: tuivirt list devices -o json", "Type", positional=True),
]
_UUID = Annotated[str, Option("what it is known by; empty: one is made up", label="UUID")]


def _makes_none(device: NodeDevice) -> str:
    return "" if device.mdev_types else "it makes no mediated devices"


def _is_no_mdev(device: NodeDevice) -> str:
    return "" if device.capability == "mdev" else "it is no mediated device"


def _is_there(device: NodeDevice) -> str:
    return _is_no_mdev(device) or ("it is there already" if device.active else "")


def _is_not_there(device: NodeDevice) -> str:
    return _is_no_mdev(device) or ("" if device.active else "it is not there")


def _is_not_defined(device: NodeDevice) -> str:
    return _is_no_mdev(device) or ("" if device.persistent else "it is not defined")


def _needed(device: NodeDevice) -> str:
    """What a domain that has it may come to."""
    if not device.users:
        return ""
    names = " and ".join(device.users)
    return f"{names} {'has' if len(device.users) == 1 else 'have'} it, and cannot start without it."


def _lost_when_stopped(device: NodeDevice) -> str:
    kept = "Its definition stays." if device.persistent else "It is not defined: nothing is left."
    return " ".join(filter(None, (kept, _needed(device))))


@action(
    "device",
    title="Make a mediated device",
    virsh="virsh nodedev-dumpxml {name}; virsh nodedev-create MDEV.xml",
    api="virNodeDeviceCreateXML",
    unavailable=_makes_none,
    bulk=False,
)
def create_mdev(run: Run, device: NodeDevice, *, kind: _KIND, uuid: _UUID = "") -> str:
    """Make a mediated device of a host device: there at once, and gone when it is stopped."""
    from tuivirt.backend import mdevs

    return mdevs.create(run.host, device.name, kind, uuid)


@action(
    "device",
    title="Define a mediated device",
    virsh="virsh nodedev-dumpxml {name}; virsh nodedev-define MDEV.xml",
    api="virNodeDeviceDefineXML",
    unavailable=_makes_none,
    bulk=False,
)
def define_mdev(run: Run, device: NodeDevice, *, kind: _KIND, uuid: _UUID = "") -> str:
    """Define a mediated device of a host device, to be started when it is needed."""
    from tuivirt.backend import mdevs

    return mdevs.define(run.host, device.name, kind, uuid)


@action(
    "device",
    title="Start",
    key="s",
    virsh="virsh nodedev-start {name}",
    api="virNodeDeviceCreate",
    unavailable=_is_there,
)
def start_mdev(run: Run, device: NodeDevice) -> str:
    """Start a mediated device that is defined."""
    from tuivirt.backend import mdevs

    return mdevs.start(run.host, device.name)


@action(
    "device",
    title="Stop",
    key="ctrl+k",
    virsh="virsh nodedev-destroy {name}",
    api="virNodeDeviceDestroy",
    destructive=True,
    confirm="Stop {name}?",
    losses=_lost_when_stopped,
    unavailable=_is_not_there,
)
def stop_mdev(run: Run, device: NodeDevice) -> str:
    """Take a mediated device away; refused while a running domain has it."""
    from tuivirt.backend import mdevs

    return mdevs.stop(run.host, device.name)


@action(
    "device",
    title="Start with its parent",
    key="o",
    virsh="virsh nodedev-autostart {name}[disable? --disable]",
    api="virNodeDeviceSetAutostart",
    unavailable=_is_not_defined,
)
def autostart_mdev(
    run: Run,
    device: NodeDevice,
    *,
    disable: Annotated[bool, Option("do not start it any more when its parent is there")] = False,
) -> str:
    """Have a mediated device started as soon as its parent is there, or no longer."""
    from tuivirt.backend import mdevs

    return mdevs.autostart(run.host, device.name, not disable)


@action(
    "device",
    title="Undefine",
    key="ctrl+d",
    virsh="virsh nodedev-undefine {name}",
    api="virNodeDeviceUndefine",
    destructive=True,
    confirm="Undefine {name}?",
    losses=_needed,
    unavailable=_is_not_defined,
)
def undefine_mdev(run: Run, device: NodeDevice) -> str:
    """Forget the definition of a mediated device; one that is there stays until it is stopped."""
    from tuivirt.backend import mdevs

    return mdevs.undefine(run.host, device.name)
