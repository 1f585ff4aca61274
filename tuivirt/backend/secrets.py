"""libvirt's secrets: which there are, never what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libvirt

from .errors import BadInput, from_libvirt, is_unsupported
from .xml.field import Value

if TYPE_CHECKING:
    from .host import Host

_KINDS = {
    libvirt.VIR_SECRET_USAGE_TYPE_VOLUME: "volume",
    libvirt.VIR_SECRET_USAGE_TYPE_CEPH: "ceph",
    libvirt.VIR_SECRET_USAGE_TYPE_ISCSI: "iscsi",
    libvirt.VIR_SECRET_USAGE_TYPE_TLS: "tls",
    libvirt.VIR_SECRET_USAGE_TYPE_VTPM: "vtpm",
}


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret, without its value."""

    uuid: str
    kind: str = ""
    """What it was defined for: ceph, iscsi, volume, tls, vtpm; empty: nothing in particular."""
    usage: str = ""
    """Its usage name."""


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
        "name one by its UUID; a new one is defined there (virsh secret-define, then virsh"
        " secret-set-value)",
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
        "define it there (virsh secret-define, then virsh secret-set-value)",
    )
