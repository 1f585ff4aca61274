"""libvirt's secrets: which there are, never what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import BadInput, TuivirtError, from_libvirt, is_unsupported
from .model.secret import Secret
from .together import together
from .xml.errors import XmlError
from .xml.field import Value
from .xml.secret import parse_secret

if TYPE_CHECKING:
    from .host import Host

AT_ONCE = 8
"""Calls under way at the same time."""
HOW = "define it there: tuivirt secret-define, in the host's menu Secrets…"
_KINDS = {
    libvirt.VIR_SECRET_USAGE_TYPE_VOLUME: "volume",
    libvirt.VIR_SECRET_USAGE_TYPE_CEPH: "ceph",
    libvirt.VIR_SECRET_USAGE_TYPE_ISCSI: "iscsi",
    libvirt.VIR_SECRET_USAGE_TYPE_TLS: "tls",
    libvirt.VIR_SECRET_USAGE_TYPE_VTPM: "vtpm",
}


def secrets(host: Host) -> tuple[Secret, ...]:
    """Those of the host, by usage. Raises TuivirtError. Source: virConnectListAllSecrets."""
    try:
        found = [
            Secret(each.UUIDString(), _KINDS.get(each.usageType(), ""), each.usageID() or "")
            for each in host.conn.listAllSecrets(0)
        ]
    except libvirt.libvirtError as error:
        if is_unsupported(error):
            return ()
        raise from_libvirt(error, f"cannot list the secrets of host {host.name}") from error
    return tuple(sorted(found, key=lambda secret: (secret.kind, secret.usage, secret.uuid)))


def secrets_in_full(host: Host) -> tuple[Secret, ...]:
    """The same with all that there is to say of each. Raises TuivirtError.

    Source: virConnectListAllSecrets and each one's XML.
    """
    what = f"cannot list the secrets of host {host.name}"
    try:
        handles = host.conn.listAllSecrets(0)
        texts = together(
            [partial(_xml, each) for each in handles], host.conn.getLibVersion, AT_ONCE
        )
        found = [parse_secret(text) for text in texts if text]
    except libvirt.libvirtError as error:
        if is_unsupported(error):
            return ()
        raise from_libvirt(error, what) from error
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error
    return tuple(sorted(found, key=lambda each: (each.kind, each.usage, each.uuid)))


def _xml(handle: Any) -> str:
    """Its XML; '' for one that went away meanwhile."""
    try:
        return str(handle.XMLDesc(0))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_SECRET:
            return ""
        raise


def named_secret(host: Host, name: str) -> Secret:
    """The secret of that UUID or usage name. Raises BadInput, TuivirtError."""
    there = secrets(host)
    found = [each for each in there if name in (each.uuid, each.usage)]
    if len(found) == 1:
        return found[0]
    has = ", ".join(f"{each.uuid} ({each.usage or 'for anything'})" for each in there)
    raise BadInput(
        f"host {host.name} has {'several secrets' if found else 'no secret'} {name}",
        f"it has {has}" if has else "it has none at all",
        f"name one by its UUID, or {HOW}" if found or has else HOW,
    )


def refuse_missing(host: Host, fields: Mapping[str, Value]) -> None:
    """Raises BadInput when the host lacks the secret that a disk's fields name."""
    uuid, usage = fields.get("secret_uuid"), fields.get("secret_usage")
    if not uuid and not usage:
        return
    kind = fields.get("secret_type")
    there = secrets(host)
    if any(
        each.kind == kind and (each.uuid == uuid or (bool(usage) and each.usage == usage))
        for each in there
    ):
        return
    has = ", ".join(f"{each.usage or each.uuid} ({each.kind or 'for anything'})" for each in there)
    raise BadInput(
        f"host {host.name} has no {kind} secret {uuid or usage}",
        f"it has {has}" if has else "it has none at all",
        HOW,
    )
