"""The snapshots of all domains of a host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import libvirt

from ..errors import TuivirtError, from_libvirt, is_open, is_unsupported
from ..model.ref import Kind, Ref
from ..model.snapshot import Snapshots

# Whose domains those are is asked in one way alone.
from ..owners.kept import with_snapshots
from ..together import together
from .read import is_no_more, listed, parsed, xml_of

if TYPE_CHECKING:
    from ..host import Host

T = TypeVar("T")


def snapshots_on(host: Host) -> tuple[Snapshots, ...]:
    """Of each domain that has any, by the domain's name. Raises TuivirtError.

    libvirt tells in one call which domains those are, so that the others cost nothing, and the
    calls about these are made together: what they take is some turns of the line, not some for
    each domain. Source: virConnectListAllDomains with HAS_SNAPSHOT, virDomainListAllSnapshots,
    virDomainSnapshotCurrent and each one's XML.
    """
    conn = host.conn
    try:
        domains = sorted(with_snapshots(conn), key=lambda each: str(each.name()))
        lists = _each(conn, [partial(listed, domain) for domain in domains])
        handles = [each for found in lists if isinstance(found, tuple) for each in found[0]]
        texts = iter(_each(conn, [partial(xml_of, handle) for handle in handles]))
    except libvirt.libvirtError as error:
        if is_unsupported(error):
            return ()
        raise from_libvirt(error, f"cannot read the snapshots on {host.name}") from error
    found = []
    for domain, answer in zip(domains, lists, strict=True):
        # As many as it has, in the order in which they were asked for.
        own = [next(texts) for _ in answer[0]] if isinstance(answer, tuple) else []
        if (snapshots := _of(host, domain, answer, own)) is not None:
            found.append(snapshots)
    return tuple(found)


def _of(
    host: Host,
    domain: Any,
    answer: tuple[list[Any], str | None] | libvirt.libvirtError,
    texts: Sequence[str | libvirt.libvirtError],
) -> Snapshots | None:
    """One domain's; None where it has none, or is gone."""
    name, ref = str(domain.name()), Ref(host.name, Kind.DOMAIN, domain.UUIDString())
    what = f"cannot read the snapshots of {name}"
    failed = [each for each in (answer, *texts) if isinstance(each, libvirt.libvirtError)]
    if failed:
        wrong = str(from_libvirt(failed[0], what))
        return None if is_no_more(failed[0]) else Snapshots(ref, name, (), wrong)
    assert isinstance(answer, tuple)
    try:
        known = parsed([str(each) for each in texts], answer[1], what)
    except TuivirtError as error:
        return Snapshots(ref, name, (), str(error))
    return Snapshots(ref, name, known) if known else None


def _each(conn: Any, calls: Sequence[Callable[[], T]]) -> list[T | libvirt.libvirtError]:
    """What each call gives, or why it gives nothing: one domain's trouble is not the others'.

    Raises libvirtError where the connection broke.
    """

    def tried(call: Callable[[], T]) -> T | libvirt.libvirtError:
        try:
            return call()
        except libvirt.libvirtError as error:
            if not is_open(conn):
                raise
            return error

    return together([partial(tried, call) for call in calls], conn.getLibVersion)
