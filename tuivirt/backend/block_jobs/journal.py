"""Which jobs were begun from here: written into the domain's metadata, where it outlives all.

tuivirt, libvirtd and QEMU may each be killed while a job runs. What QEMU had begun is not to be
seen in any image afterwards, nor is a copy's destination: so it is written down before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import TuivirtError, from_libvirt, is_open, is_unsupported
from ..model.block_job import Begun
from ..xml.chain import NAMESPACE, PREFIX, read_begun, written_begun
from ..xml.errors import XmlError

if TYPE_CHECKING:
    from ..host import Host


def begun_of(domain: Any) -> tuple[Begun, ...]:
    """What was begun and not ended from here; () where the driver keeps no metadata.

    Source: virDomainGetMetadata. Raises TuivirtError.
    """
    try:
        return read_begun(_read(domain))
    except libvirt.libvirtError as error:
        if is_unsupported(error):
            return ()
        raise from_libvirt(error, f"cannot read what was begun on {domain.name()}") from error
    except XmlError as error:
        raise TuivirtError(
            f"cannot read what was begun on {domain.name()}",
            f"its metadata under {NAMESPACE} is not ours: {error}",
            "look at it: virsh metadata",
        ) from error


def note(host: Host, domain: Any, begun: Begun) -> None:
    """Write a job down before it is begun, in place of one of that disk that it makes good."""
    _edit(host, domain, lambda old: (*(e for e in old if not _same(e, begun)), begun))


@contextlib.contextmanager
def noted(host: Host, domain: Any, begun: Begun) -> Iterator[None]:
    """Write a job down around its beginning; it is taken out again where it was not begun.

    The error is told that it was not begun with, whatever becomes of what is written down. Where
    the connection broke it may have begun: then that stays.
    """
    note(host, domain, begun)
    try:
        yield
    except TuivirtError as error:
        see = f"see: tuivirt blockjob {domain.name()} {begun.target}"
        if not is_open(domain.connect()):
            error.advice = f"whether it has begun is not known; {see}"
            raise
        try:
            forget(host, domain, begun)
        except TuivirtError as second:
            error.advice = "; ".join(
                each for each in (error.advice, f"it stays written down ({second}); {see}") if each
            )
        raise


def forget(host: Host, domain: Any, begun: Begun) -> None:
    """Nothing is left of that job that anybody has to know of."""
    _edit(host, domain, lambda old: tuple(each for each in old if not _same(each, begun)))


def forget_all(host: Host, domain: Any, target: str) -> None:
    """The same of all that were begun on that disk."""
    _edit(host, domain, lambda old: tuple(each for each in old if each.target != target))


def _same(one: Begun, other: Begun) -> bool:
    # Copies leave a file each; of what is done within a chain only the last tells.
    if one.target != other.target or (one.kind == "copy") != (other.kind == "copy"):
        return False
    return one.kind != "copy" or one.other == other.other


def _edit(host: Host, domain: Any, edit: Callable[[tuple[Begun, ...]], tuple[Begun, ...]]) -> None:
    name = domain.name()
    try:
        with host.defining[domain.UUIDString()]:
            old = begun_of(domain)
            new = edit(old)
            if new == old:
                return
            flags = libvirt.VIR_DOMAIN_AFFECT_LIVE if domain.isActive() else 0
            if domain.isPersistent():
                flags |= libvirt.VIR_DOMAIN_AFFECT_CONFIG
            text = written_begun(new) or None
            kind = libvirt.VIR_DOMAIN_METADATA_ELEMENT
            domain.setMetadata(kind, text, PREFIX, NAMESPACE, flags)
    except libvirt.libvirtError as error:
        if not is_unsupported(error):
            raise from_libvirt(error, f"cannot write down what is begun on {name}") from error


def _read(domain: Any) -> str:
    kind, flags = libvirt.VIR_DOMAIN_METADATA_ELEMENT, libvirt.VIR_DOMAIN_AFFECT_CURRENT
    try:
        return str(domain.metadata(kind, NAMESPACE, flags))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_METADATA:
            return ""
        raise
