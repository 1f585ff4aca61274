"""Who would miss a secret: domains, storage pools and volumes that name it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import Aborted, Silent, TuivirtError, from_libvirt, is_gone
from .model.secret import Secret
from .owners.survey import PoolNow, pools_of
from .storage import slow
from .together import together
from .xml.errors import XmlError
from .xml.secret import names_secret
from .xml.tree import parse

if TYPE_CHECKING:
    from .host import Host

AT_ONCE = 8
"""Calls under way at the same time."""


def users_of(
    host: Host, secret: Secret, aborted: threading.Event | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who names it, as words (``domain web``), and what could not be read, a clause each.

    Domains and pools, as they run and as they are saved, and the volumes of active pools: what
    lies in the others libvirt does not tell. A pool that hangs with its server is waited for
    `slow.LOOK_S`. Raises Aborted, TuivirtError. Source: virConnectListAllDomains,
    virConnectListAllStoragePools, and each one's XML.
    """
    unread: list[str] = []
    pools: list[PoolNow] = []
    try:
        domains = host.conn.listAllDomains(0)
        pools = pools_of(host, aborted)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot tell who needs a secret of host {host.name}") from error
    except (Silent, XmlError) as error:
        unread.append(f"the pools of host {host.name} cannot be read: {error}")
    users: list[str] = []
    saved = libvirt.VIR_DOMAIN_XML_INACTIVE
    looks = [partial(_names, secret, each, saved) for each in domains]
    answers = together(looks, host.conn.getLibVersion, AT_ONCE)
    for each, answer in zip(domains, answers, strict=True):
        if isinstance(answer, str):
            unread.append(f"domain {each.name()} cannot be read: {answer}")
        elif answer:
            users.append(f"domain {each.name()}")
    # Of several that hang none is waited for after another.
    within = [partial(_within, host, each, secret, aborted) for each in pools]
    for found, why in together(within, host.conn.getLibVersion, max(AT_ONCE, len(pools))):
        users += found
        unread += why
    return tuple(sorted(users)), tuple(unread)


def _within(
    host: Host, pool: PoolNow, secret: Secret, aborted: threading.Event | None
) -> tuple[list[str], list[str]]:
    """The pool where it names the secret, and its volumes that do; what could not be read."""
    users: list[str] = []
    unread: list[str] = []

    def look() -> tuple[bool | str, list[str]]:
        named = _names(secret, pool.handle, libvirt.VIR_STORAGE_XML_INACTIVE)
        volumes = pool.volumes(fresh=False)[0] if pool.active else []
        return named, [e.name for e in volumes if e.encryption and e.secret == secret.uuid]

    try:
        named, volumes = slow.call_for_pool(
            look,
            f"the look into pool {pool.name}",
            "",
            aborted,
            None,
            slow.LOOK_S,
            key=("secrets", host.name, pool.name),
        )
    except Aborted:
        raise
    except (TuivirtError, libvirt.libvirtError) as error:
        return [], [f"pool {pool.name} cannot be read: {error}"]
    if isinstance(named, str):
        unread.append(f"pool {pool.name} cannot be read: {named}")
    elif named:
        users.append(f"pool {pool.name}")
    if not pool.active:
        unread.append(f"pool {pool.name} is not active: what its volumes need is not known")
    return users + [f"volume {pool.name}/{each}" for each in volumes], unread


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
