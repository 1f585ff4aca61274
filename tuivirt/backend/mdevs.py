"""Mediated devices: made, defined, started, stopped, undefined.

Source: virNodeDeviceCreateXML, …DefineXML, …Create, …Destroy, …Undefine, …SetAutostart. libvirt
has its tool mdevctl do it, on its own host.
"""

from __future__ import annotations

import shutil
import uuid as uuids
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import BadInput, TuivirtError, from_libvirt
from .inventory import device_behind, read_device
from .lifecycle import CONFIRM_TIMEOUT_S
from .lookups import configs_of, users_of_devices
from .model.ref import Kind, Ref
from .model.resources import MdevType, NodeDevice
from .waiters import Waiter, object_event
from .xml.mdev import mdev_xml

if TYPE_CHECKING:
    from .host import Host

_TOOL = "mdevctl"
_DAEMONS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def create(host: Host, parent: str, type_id: str, uuid: str = "") -> str:
    """Make one of ``parent``, a node device's name; it is there at once, and only till it stops.

    ``uuid``: made up when empty. Raises BadInput with nothing changed.
    """
    made = _Wanted.of(host, parent, type_id, uuid, "make", now=True)
    device = made.ask(lambda xml: host.conn.nodeDeviceCreateXML(xml, 0))
    if not device.active:
        raise TuivirtError(made.what, "libvirt told no error, but it is not there")
    return f"{device.mdev_uuid}, a {type_id} of {made.parent.address or parent}, is there"


def define(host: Host, parent: str, type_id: str, uuid: str = "") -> str:
    """Define one, which is there once it is started. As `create` otherwise."""
    made = _Wanted.of(host, parent, type_id, uuid, "define", now=False)
    device = made.ask(lambda xml: host.conn.nodeDeviceDefineXML(xml, 0))
    if not device.persistent:
        raise TuivirtError(made.what, "libvirt told no error, but it is not defined")
    return f"{device.mdev_uuid}, a {type_id} of {made.parent.address or parent}, is defined"


def start(host: Host, name: str) -> str:
    """Start one that is defined. Raises BadInput with nothing changed."""
    device = _mdev(host, name)
    what = f"cannot start {device.mdev_uuid}"
    if device.active:
        raise BadInput(what, "it is there already")
    _need_tool(host, what)
    parent = host.snapshot.devices.get(device.parent)
    if parent is not None:
        _need_room(types_of(host, parent.name), device.mdev_type, parent, what)
    _do(host, device, what, lambda handle: handle.create(0), lambda now: bool(now and now.active))
    return f"{device.mdev_uuid} is there"


def stop(host: Host, name: str) -> str:
    """Take one away; if it is not defined, nothing is left of it.

    Raises BadInput, with nothing changed, while a running domain has it.
    """
    device = _mdev(host, name)
    what = f"cannot stop {device.mdev_uuid}"
    if not device.active:
        raise BadInput(what, "it is not there: it is only defined")
    running = _running_users(host, device)
    if running:
        raise BadInput(
            what,
            f"{' and '.join(running)} run{'s' if len(running) == 1 else ''} with it",
            f"Take it away first: tuivirt detach-hostdev {running[0]} {device.mdev_uuid}",
        )
    _do(host, device, what, lambda handle: handle.destroy(), lambda now: not (now and now.active))
    return f"{device.mdev_uuid} is {'stopped' if device.persistent else 'gone'}"


def undefine(host: Host, name: str) -> str:
    """Forget one's definition; one that is there stays until it is stopped. Raises BadInput."""
    device = _mdev(host, name)
    what = f"cannot undefine {device.mdev_uuid}"
    if not device.persistent:
        raise BadInput(what, "it is not defined: it is gone once it is stopped")
    _do(
        host,
        device,
        what,
        lambda handle: handle.undefine(0),
        lambda now: not (now and now.persistent),
    )
    return f"{device.mdev_uuid} is no longer defined" + (
        ", and there until it is stopped" if device.active else ""
    )


def autostart(host: Host, name: str, on: bool) -> str:
    """Have one that is defined started with its parent, or not. Raises BadInput."""
    device = _mdev(host, name)
    what = f"cannot change the autostart of {device.mdev_uuid}"
    if not device.persistent:
        raise BadInput(what, "it is not defined")
    _need_tool(host, what)
    _do(
        host,
        device,
        what,
        lambda handle: handle.setAutostart(1 if on else 0),
        lambda now: now is not None and now.autostart == on,
    )
    return f"{device.mdev_uuid} {'starts' if on else 'does not start'} with its parent"


def types_of(host: Host, name: str) -> tuple[MdevType, ...]:
    """What a node device can make, and how many more, read now. Raises TuivirtError."""
    try:
        handle = host.conn.nodeDeviceLookupByName(name)
        return device_behind(handle, host.name).mdev_types
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot look at {name}") from error


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One that is to be, checked as far as it can be before it is asked for."""

    host: Host
    parent: NodeDevice
    type_id: str
    uuid: str
    what: str

    @classmethod
    def of(
        cls, host: Host, parent: str, type_id: str, uuid: str, verb: str, *, now: bool
    ) -> _Wanted:
        host.require_write()
        device = host.snapshot.devices.get(parent)
        if device is None:
            raise BadInput(f"there is no device {parent!r}", advice="See: tuivirt list devices")
        place = device.address or device.name
        what = f"cannot {verb} a {type_id} of {place}"
        types = types_of(host, parent)
        if not types:
            raise BadInput(
                what,
                f"{place} makes no mediated devices",
                "Its driver must be one that does, and be loaded",
            )
        if type_id not in {each.id for each in types}:
            raise BadInput(what, f"it makes {', '.join(each.id for each in types)}")
        if now:
            _need_room(types, type_id, device, what)
        found = _uuid(host, uuid, what)
        _need_tool(host, what)
        return cls(host, device, type_id, found, what)

    def ask(self, call: Callable[[str], Any]) -> NodeDevice:
        """Make libvirt's call with the XML; the device as it is told afterwards."""
        host = self.host
        try:
            handle = call(mdev_xml(self.parent.name, self.type_id, self.uuid))
            device = device_behind(handle, host.name)
        except libvirt.libvirtError as error:
            raise _explained(host, error, self.what) from error
        finally:
            host.touch(self.parent.ref)
        host.touch(device.ref)
        if (device.mdev_uuid, device.mdev_type) != (self.uuid, self.type_id):
            raise TuivirtError(
                self.what, f"libvirt made {device.mdev_uuid} of type {device.mdev_type} instead"
            )
        return device


def _uuid(host: Host, text: str, what: str) -> str:
    """A UUID as libvirt writes it, one that nothing has yet."""
    if not text:
        return str(uuids.uuid4())
    try:
        found = str(uuids.UUID(text))
    except ValueError:
        raise BadInput(what, f"{text!r} is no UUID") from None
    for device in host.snapshot.devices.values():
        if device.mdev_uuid == found:
            raise BadInput(what, f"{found} is there already, of {device.parent}")
    return found


def _need_room(types: tuple[MdevType, ...], type_id: str, parent: NodeDevice, what: str) -> None:
    left = next((each.left for each in types if each.id == type_id), None)
    if left == 0:
        raise BadInput(
            what,
            f"{parent.address or parent.name} can make no more of {type_id}",
            "Stop one of its mediated devices first",
        )


def _need_tool(host: Host, what: str) -> None:
    """Of this machine it can be seen; another one's libvirt says so itself."""
    info = host.snapshot.info
    if info is not None and info.local and shutil.which(_TOOL, path=_DAEMONS_PATH) is None:
        raise BadInput(what, f"libvirt does it by {_TOOL}, which is not installed", _install(host))


def _install(host: Host) -> str:
    return f"Install {_TOOL} on {host.name} (package {_TOOL})"


def _explained(host: Host, error: libvirt.libvirtError, what: str) -> TuivirtError:
    text = error.get_error_message() or ""
    absent = f"annot find '{_TOOL}'" in text
    return from_libvirt(error, what, _install(host) if absent else "")


def _mdev(host: Host, name: str) -> NodeDevice:
    """The mediated device as libvirt tells it now."""
    host.require_write()
    try:
        device = read_device(host.conn, host.name, name)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot look at {name}") from error
    if device is None:
        raise BadInput(f"there is no host device {name!r}", advice="See: tuivirt list devices")
    if device.capability != "mdev":
        raise BadInput(f"{name} is no mediated device")
    return device


def _running_users(host: Host, device: NodeDevice) -> tuple[str, ...]:
    """The domains that run with it; one that gets it at its next boot does not yet."""
    active = {domain.name for domain in host.snapshot.domains.values() if domain.active}
    # The first is what it runs with.
    live = {name: configs[:1] for name, configs in configs_of(host).items() if name in active}
    return users_of_devices(live, {device.name: device}).get(device.name, ())


def _do(
    host: Host,
    device: NodeDevice,
    what: str,
    call: Callable[[Any], object],
    holds: Callable[[NodeDevice | None], bool],
) -> None:
    """Make a call, and wait until a re-read shows what it is for."""
    with Waiter(host, object_event(device.name)) as waiter:
        try:
            call(host.conn.nodeDeviceLookupByName(device.name))
        except libvirt.libvirtError as error:
            raise _explained(host, error, what) from error
        finally:
            host.touch(device.ref)
            host.touch(Ref(host.name, Kind.DEVICE, device.parent))

        def is_so() -> bool:
            try:
                return holds(read_device(host.conn, host.name, device.name))
            except libvirt.libvirtError as error:
                raise from_libvirt(error, what) from error

        if not waiter.until(is_so, CONFIRM_TIMEOUT_S):
            raise TuivirtError(what, "libvirt took the call, but it has not happened")
