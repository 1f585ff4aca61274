"""A domain's saved configuration with one device more, less or other, and all else of it kept.

libvirt's own call is asked first: it holds a lock meanwhile. Where it has none for a kind of
device, the configuration's text is changed by that device alone and defined again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import libvirt

from .sides import affecting
from .xml import edit
from .xml.domain import parse_domain
from .xml.field import Value
from .xml.found import Found, found, twin

if TYPE_CHECKING:
    from .host import Host

_CANNOT_BY_CALL = (
    libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
    libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
    libvirt.VIR_ERR_NO_SUPPORT,
)


def add(host: Host, domain: Any, xml: str) -> None:
    """Add a device. Raises libvirtError."""
    with host.defining[domain.UUIDString()]:
        _by_call(
            domain.attachDeviceFlags,
            xml,
            lambda: _define(host, edit.add_device(_text(domain), xml)),
        )


def remove(host: Host, domain: Any, one: Found) -> None:
    """Remove a device. Raises libvirtError, NoSuchDevice."""

    def redefine() -> None:
        text = _text(domain)
        _define(host, edit.remove_device(text, _by_now(text, one)))

    with host.defining[domain.UUIDString()]:
        _by_call(domain.detachDeviceFlags, one.xml, redefine)


def change(host: Host, domain: Any, one: Found, wanted: Mapping[str, Value]) -> None:
    """Change fields of a device. Raises libvirtError, BadValue, NoSuchDevice."""
    with host.defining[domain.UUIDString()]:
        _define(host, changed(domain, one, wanted))


def changed(domain: Any, one: Found, wanted: Mapping[str, Value]) -> str:
    """The configuration's text with that change; nothing is defined. Raises as `change`."""
    text = _text(domain)
    return edit.change_device(text, _by_now(text, one), one.kind.declaration, wanted)


def _by_now(text: str, one: Found) -> edit.Selector:
    """Where the device is by now: others may have come or gone since it was looked for."""
    same = twin(one, found(parse_domain(text), one.kind))
    return one.selector if same is None else same.selector


def _by_call(call: Callable[[str, int], Any], xml: str, otherwise: Callable[[], None]) -> None:
    try:
        call(xml, affecting(False, True))
    except libvirt.libvirtError as error:
        if error.get_error_code() not in _CANNOT_BY_CALL:
            raise
        otherwise()


def _text(domain: Any) -> str:
    """With its secrets, which would be lost otherwise when it is defined again."""
    flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
    return str(domain.XMLDesc(flags))


def _define(host: Host, text: str) -> None:
    host.conn.defineXML(text)
