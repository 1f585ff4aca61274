"""Secrets of libvirt's: listed, defined with their value, given another one, undefined."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import libvirt

from . import secret_value
from .errors import BadInput, TuivirtError, from_libvirt, with_rest
from .model.finding import Finding, Plan, Weight
from .model.secret import KINDS, Secret
from .secret_users import users_of
from .secrets import named_secret, secrets, secrets_in_full
from .snapshots.judge import refuse
from .xml.secret import new_secret, parse_secret

if TYPE_CHECKING:
    from .host import Host

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML may hold."""


def _untold(_uuid: str) -> None:
    """Nobody wants to know which one it is."""


def as_text(host: Host) -> str:
    """A line each: UUID, what for, usage, and how it is kept."""
    found = secrets_in_full(host)
    if not found:
        return f"host {host.name} has no secrets"
    width = max(len(each.kind) for each in found)
    return "\n".join(_line(each, width) for each in found)


def _line(secret: Secret, width: int) -> str:
    flags = [word for word in ("ephemeral", "private") if getattr(secret, word)]
    said = f"{secret.uuid}  {secret.kind or '-':<{max(1, width)}}  {secret.usage or '-'}"
    said += f"  ({', '.join(flags)})" if flags else ""
    return said + (f": {' '.join(secret.description.split())}" if secret.description else "")


def xml_of(host: Host, name: str, *, chose: Callable[[str], None] = _untold) -> str:
    """libvirt's record of one; its value is in none. ``chose`` hears its UUID.

    Raises BadInput, TuivirtError.
    """
    secret = named_secret(host, name)
    chose(secret.uuid)
    return str(_call(host, "read", _handle(host, secret).XMLDesc))


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options cannot be right."""
    secret_value.check(values)
    if values.get("uuid"):
        try:
            uuid.UUID(str(values["uuid"]))
        except ValueError:
            raise BadInput(f"{values['uuid']!r} is no UUID") from None
    usage = str(values.get("usage") or "")
    if any(not char.isprintable() for char in usage):
        raise BadInput("a secret's usage holds no control characters")
    if _NO_XML.search(str(values.get("description") or "")):
        raise BadInput("a secret's description holds no control characters")


def define(
    host: Host,
    values: Mapping[str, Any],
    aborted: threading.Event,
    *,
    chose: Callable[[str], None] = _untold,
) -> str:
    """Define one and give it its value; a sentence of what is there.

    ``values``: usage, type, description, ephemeral, private, uuid, file, base64. The value is
    known before anything is made; ``chose`` hears the UUID of what was. Raises Aborted, BadInput,
    TuivirtError. Source: virSecretDefineXML, virSecretSetValue.
    """
    host.require_write()
    check(values)
    wanted = Secret(
        uuid=str(uuid.UUID(str(values["uuid"]))) if values.get("uuid") else "",
        kind=str(values.get("type") or KINDS[0]),
        usage=str(values["usage"]),
        description=str(values.get("description") or ""),
        ephemeral=bool(values.get("ephemeral")),
        private=bool(values.get("private")),
    )
    what = f"cannot define the secret {wanted.called}"
    _refuse_taken(host, wanted, what)
    value = secret_value.value_for(host, wanted.called, values, aborted)
    # To type it may have taken minutes: libvirt would redefine one that has come meanwhile with
    # this UUID and usage, and what is taken back below must be this one.
    _refuse_taken(host, wanted, what)
    try:
        # No flag to validate it: a daemon older than 7.7 refuses that, whatever our binding knows.
        made = host.conn.secretDefineXML(new_secret(wanted), 0)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    chose(made.UUIDString())
    try:
        made.setValue(value, 0)
    except libvirt.libvirtError as error:
        raise with_rest(from_libvirt(error, what), _taken_back(made)) from error
    now = parse_secret(_call(host, "read", made.XMLDesc))
    kept = "kept in the daemon's memory alone: gone when that ends" if now.ephemeral else ""
    closed = "told to no client" if now.private else ""
    more = "".join(f"; {text}" for text in (kept, closed) if text)
    said = secret_value.told(value, values)
    return f"host {host.name} has the secret {now.called}, {now.uuid}, and its value{more}{said}"


def _refuse_taken(host: Host, wanted: Secret, what: str) -> None:
    """libvirt would give the one that is there other flags, or refuse in words of its own."""
    for each in secrets(host):
        if each.uuid == wanted.uuid or (each.kind, each.usage) == (wanted.kind, wanted.usage):
            raise BadInput(
                what,
                f"there is one already: {each.called}, {each.uuid}",
                "secret-set-value gives it another value, secret-undefine removes it",
            )


def _taken_back(made: Any) -> str:
    try:
        made.undefine()
    except libvirt.libvirtError as error:
        return f"it is there, without a value, and could not be removed again: {error}"
    return "nothing is left of it"


def set_value(
    host: Host,
    values: Mapping[str, Any],
    aborted: threading.Event,
    *,
    chose: Callable[[str], None] = _untold,
) -> str:
    """Give one another value. ``values``: secret, file, base64. Source: virSecretSetValue.

    ``chose`` hears its UUID. Raises Aborted, BadInput, TuivirtError.
    """
    host.require_write()
    secret_value.check(values)
    secret = named_secret(host, str(values["secret"]))
    chose(secret.uuid)
    value = secret_value.value_for(host, secret.called, values, aborted)
    handle = _handle(host, secret)
    try:
        handle.setValue(value, 0)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot set the value of the secret {secret.called}") from error
    said = secret_value.told(value, values)
    return f"the secret {secret.called} of host {host.name} has its new value{said}"


def plan_undefine(
    host: Host, values: Mapping[str, Any], *, aborted: threading.Event | None = None
) -> Plan:
    """Who could not be opened any more, as far as libvirt tells.

    Raises Aborted, BadInput, TuivirtError.
    """
    secret = named_secret(host, str(values["secret"]))
    handle = _handle(host, secret)
    secret = replace(parse_secret(_call(host, "read", handle.XMLDesc)), uuid=secret.uuid)
    users, unread = users_of(host, secret, aborted)
    findings = []
    if users:
        text = f"{', '.join(users)} cannot be opened without it"
        advice = "unless its value is kept elsewhere, what they hold is lost"
        findings.append(Finding(Weight.RISK, text, advice))
    findings += [Finding(Weight.NOTE, text, "it may use it as well") for text in unread]
    other = "what another host, or nobody now, opens with it is not known here"
    findings.append(Finding(Weight.NOTE, other))
    private = " libvirt tells it to nobody, now as little as then." if secret.private else ""
    steps = (
        f"The secret {secret.called} ({secret.uuid}) is removed from host {host.name}.",
        f"Its value goes with it.{private}",
    )
    return Plan(host.name, steps, tuple(findings))


def undefine(
    host: Host,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    chose: Callable[[str], None] = _untold,
    aborted: threading.Event | None = None,
) -> str:
    """Remove one, with its value; a sentence. Source: virSecretUndefine.

    ``chose`` hears its UUID. Raises Aborted, BadInput, TuivirtError.
    """
    host.require_write()
    secret = named_secret(host, str(values["secret"]))
    chose(secret.uuid)
    what = f"cannot undefine the secret {secret.called}"
    refuse(plan_undefine(host, values, aborted=aborted), what, force)
    handle = _handle(host, secret)
    try:
        handle.undefine()
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    if any(each.uuid == secret.uuid for each in secrets(host)):
        raise TuivirtError(what, "libvirt took the call, but it is still there")
    return f"host {host.name} has no secret {secret.called} ({secret.uuid}) any more"


def _handle(host: Host, secret: Secret) -> Any:
    return _call(host, "find", lambda _flags: host.conn.secretLookupByUUIDString(secret.uuid))


def _call(host: Host, verb: str, call: Any) -> Any:
    try:
        return call(0)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot {verb} the secret on host {host.name}") from error
