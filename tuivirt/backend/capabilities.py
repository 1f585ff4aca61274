"""What a host offers to a domain, asked once for each kind of machine and connection."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import libvirt

from .errors import BadInput, TuivirtError, code_of, from_libvirt
from .model.device import DomainConfig
from .model.machine import Capabilities, Machine
from .xml.errors import XmlError
from .xml.offered import choices, lacking, machine_of, parse_capabilities, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .host import Host
    from .xml.catalog import Kind
    from .xml.field import Value

_Key = tuple[int, str, str, str, str]

_known: WeakKeyDictionary[Host, dict[_Key, Capabilities | None]] = WeakKeyDictionary()

_NOT_TOLD = (
    libvirt.VIR_ERR_NO_SUPPORT,
    libvirt.VIR_ERR_INVALID_ARG,
    libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
    libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
)
"""The driver tells none, or none of a machine as this one (its emulator has gone, for one)."""


def machine(host: Host, config: DomainConfig) -> Machine:
    """The domain as a place for devices. Raises TuivirtError.

    Source: virConnectGetDomainCapabilities, once for each emulator, architecture, machine and
    hypervisor, until the connection is another.
    """
    key = (host.generation, config.emulator, config.arch, config.machine, config.type)
    known = _known.setdefault(host, {})
    if key not in known:
        known[key] = _asked(host, config)
    info = host.snapshot.info
    name = "" if info is None else f"{info.hypervisor} {info.hypervisor_version}".strip()
    version = "" if info is None else info.libvirt_version
    return machine_of(config, known[key], libvirt=version, hypervisor=name)


def _asked(host: Host, config: DomainConfig) -> Capabilities | None:
    what = f"cannot tell what host {host.name} offers to {config.name}"
    wanted = (config.emulator, config.arch, config.machine, config.type)
    try:
        xml = host.conn.getDomainCapabilities(*(word or None for word in wanted), 0)
    except libvirt.libvirtError as error:
        if code_of(error) in _NOT_TOLD:
            return None
        raise from_libvirt(error, what) from error
    try:
        return parse_capabilities(xml)
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error


def refuse_kind(place: Machine, kind: Kind, what: str) -> None:
    """Raises BadInput when the host offers no device of that kind at all."""
    why = lacking(kind.declaration.fields, place)
    if why:
        raise BadInput(what, f"for this domain the host has no {kind.noun}: it {why}")


def refuse_lacking(
    place: Machine, kind: Kind, values: Mapping[str, Value], whole: Mapping[str, Value], what: str
) -> None:
    """Raises BadInput when the host does not offer a value, with those that it does.

    ``values`` are those that are to be written, ``whole`` all of the device.
    """
    for name, value in values.items():
        field = kind.declaration[name]
        why = refusal(field, str(value), place) if value in field.choices else ""
        if why:
            has = ", ".join(choices(field, place, whole))
            raise BadInput(
                what, f"{field.label} {value} {why}", f"the host offers {has}" if has else ""
            )
