"""Undefine: forget a domain's configuration, and say what becomes of what belongs to it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libvirt

from .errors import BadInput, TuivirtError, from_libvirt, if_offered, is_gone
from .here import is_here
from .lifecycle import CONFIRM_TIMEOUT_S, domain_to_change, touch
from .waiters import Waiter, domain_event
from .xml.belongings import has_emulated_tpm, nvram_path

if TYPE_CHECKING:
    from .host import Host

FATES = ("", "delete", "keep")


@dataclass(frozen=True, slots=True)
class Belongings:
    """What exists of a domain besides its configuration; disks are never touched by undefining."""

    managed_save: bool = False
    snapshots: int = 0
    checkpoints: int = 0
    nvram: str = ""
    """Path of the UEFI variables' file."""
    tpm: bool = False
    """The state of an emulated TPM."""


def counted(number: int, word: str) -> str:
    """``1 snapshot``, ``3 snapshots``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def belongings(host: Host, uuid: str) -> Belongings:
    """What undefining this domain has to decide about. For a dialog, on a lookups lane.

    Source: hasManagedSaveImage, snapshotNum, listAllCheckpoints and the saved XML.
    """
    domain = host.domain(uuid)
    try:
        xml = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        managed_save = bool(if_offered(lambda: domain.hasManagedSaveImage(0), 0))
        snapshots = int(if_offered(lambda: domain.snapshotNum(0), 0))
        checkpoints = len(if_offered(lambda: domain.listAllCheckpoints(0), []))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot read what belongs to {domain.name()}") from error
    nvram = nvram_path(xml)
    if nvram and is_here(host) and not os.path.exists(nvram):
        nvram = ""  # It is made at the first start; libvirt then asks nothing either.
    return Belongings(
        managed_save=managed_save,
        snapshots=snapshots,
        checkpoints=checkpoints,
        nvram=nvram,
        tpm=has_emulated_tpm(xml),
    )


def undefine(
    host: Host,
    uuid: str,
    *,
    managed_save: bool = False,
    snapshots_metadata: bool = False,
    checkpoints_metadata: bool = False,
    nvram: str = "",
    tpm: str = "",
) -> str:
    """Forget a domain's configuration; a running one goes on as a transient one.

    Whatever exists must be decided about, or BadInput names it and nothing changes:
    ``managed_save``, ``snapshots_metadata``, ``checkpoints_metadata`` True to remove it,
    ``nvram`` and ``tpm`` "delete" or "keep". Source: virDomainUndefineFlags.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    for word, fate in (("nvram", nvram), ("tpm", tpm)):
        if fate not in FATES:
            raise BadInput(f"{word} cannot be {fate!r}", 'it is "delete" or "keep"')
    has = belongings(host, uuid)
    flags = _flags(name, has, managed_save, snapshots_metadata, checkpoints_metadata, nvram, tpm)
    active = False
    with Waiter(host, domain_event(domain.UUIDString(), "lifecycle")) as waiter:
        try:
            domain.undefineFlags(flags)
        except libvirt.libvirtError as error:
            raise from_libvirt(error, f"cannot undefine {name}") from error
        finally:
            touch(host, domain.UUIDString())

        def is_forgotten() -> bool:
            nonlocal active
            try:
                active = bool(domain.isActive())
                return not domain.isPersistent()
            except libvirt.libvirtError as error:
                if is_gone(error):
                    return True
                raise from_libvirt(error, f"cannot tell whether {name} is undefined") from error

        if not waiter.until(is_forgotten, CONFIRM_TIMEOUT_S):
            raise TuivirtError(f"{name} is still defined", "libvirt took the call")
    kept = [
        text
        for text, true in (
            (f"its UEFI variables stay in {has.nvram}", has.nvram and nvram == "keep"),
            ("the state of its TPM stays", has.tpm and tpm == "keep"),
            ("it runs on until it is stopped, and is then gone", active),
        )
        if true
    ]
    return "; ".join([f"{name} is undefined", *kept])


def _flags(
    name: str,
    has: Belongings,
    managed_save: bool,
    snapshots: bool,
    checkpoints: bool,
    nvram: str,
    tpm: str,
) -> int:
    """libvirt's flags for what exists; BadInput when something of it is undecided."""
    undecided = [
        (text, option)
        for text, option, true in (
            ("a managed save", "--managed-save", has.managed_save and not managed_save),
            (
                f"the records of {counted(has.snapshots, 'snapshot')}",
                "--snapshots-metadata",
                has.snapshots and not snapshots,
            ),
            (
                f"the records of {counted(has.checkpoints, 'checkpoint')}",
                "--checkpoints-metadata",
                has.checkpoints and not checkpoints,
            ),
            (f"UEFI variables in {has.nvram}", "--nvram or --keep-nvram", has.nvram and not nvram),
            ("the state of an emulated TPM", "--tpm or --keep-tpm", has.tpm and not tpm),
        )
        if true
    ]
    if undecided:
        raise BadInput(
            f"cannot undefine {name} before it is decided what becomes of what it has",
            " and ".join(text for text, _ in undecided),
            f"give {', and '.join(option for _, option in undecided)}",
        )
    flags = 0
    if has.managed_save:
        flags |= libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    if has.snapshots:
        flags |= libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    if has.checkpoints:
        flags |= libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    if has.nvram:
        flags |= (
            libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
            if nvram == "delete"
            else libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM
        )
    if has.tpm:
        flags |= (
            libvirt.VIR_DOMAIN_UNDEFINE_TPM
            if tpm == "delete"
            else libvirt.VIR_DOMAIN_UNDEFINE_KEEP_TPM
        )
    return flags
