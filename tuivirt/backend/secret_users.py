"""Who would miss a secret: domains, storage pools and volumes that name it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import TuivirtError, from_libvirt, is_gone
from .model.secret import Secret
from .storage.read import volumes_in
from .together import together
from .xml.errors import XmlError
from .xml.secret import names_secret
from .xml.tree import parse

if TYPE_CHECKING:
    from .host import Host

AT_ONCE = 8
"""Calls under way at the same time."""


def users_of(host: Host, secret: Secret) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who names it, as words (``domain web``), and what could not be read, a clause each.

    Domains and pools, as they run and as they are saved, and the volumes of active pools: what
    lies in the others libvirt does not tell. Raises TuivirtError. Source: virConnectListAllDomains,
    virConnectListAllStoragePools, and each one's XML.
    """
    try:
        domains = host.conn.listAllDomains(0)
        pools = host.conn.listAllStoragePools(0)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot tell who needs a secret of host {host.name}") from error
    named = [f"domain {each.name()}" for each in domains]
    named += [f"pool {each.name()}" for each in pools]
    look = [
        *(partial(_names, secret, each, libvirt.VIR_DOMAIN_XML_INACTIVE) for each in domains),
        *(partial(_names, secret, each, libvirt.VIR_STORAGE_XML_INACTIVE) for each in pools),
    ]
    users: list[str] = []
    unread: list[str] = []
    answers = together(look, host.conn.getLibVersion, AT_ONCE)
    for called, answer in zip(named, answers, strict=True):
        if isinstance(answer, str):
            unread.append(f"{called} cannot be read: {answer}")
        elif answer:
            users.append(called)
    for pool in pools:
        try:
            users += _volumes(host, pool, secret)
        except _Unread as error:
            unread.append(f"pool {pool.name()} {error}")
    return tuple(sorted(users)), tuple(unread)


class _Unread(Exception):
    """What a pool's volumes need is not known."""


def _volumes(host: Host, pool: Any, secret: Secret) -> Iterator[str]:
    try:
        if not pool.isActive():
            raise _Unread("is not active: what its volumes need is not known")
        for each in volumes_in(host, pool):
            if each.encryption and each.secret == secret.uuid:
                yield f"volume {pool.name()}/{each.name}"
    except (TuivirtError, libvirt.libvirtError) as error:
        raise _Unread(f"cannot be read: {error}") from error


def _names(secret: Secret, thing: Any, saved: int) -> bool | str:
    """Whether its XML names the secret; why that cannot be read."""
    try:
        return any(names_secret(parse(text), secret) for text in _texts(thing, saved))
    except libvirt.libvirtError as error:
        return False if is_gone(error) else str(error)
    except XmlError as error:
        return str(error)


def _texts(thing: Any, saved: int) -> Iterator[str]:
    """What it is now, and what it is saved as where that may be another."""
    yield str(thing.XMLDesc(0))
    if thing.isPersistent() and thing.isActive():
        yield str(thing.XMLDesc(saved))
