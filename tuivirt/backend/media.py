"""What lies in a CD-ROM or floppy drive: inserted, ejected, swapped, and looked at afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libvirt

from .disks import DiskRequest, Source, refuse_used, resolve
from .errors import BadInput, TuivirtError, from_libvirt
from .lifecycle import domain_to_change, touch
from .model.device import Disk
from .model.when import When
from .sides import Sides, read_sides
from .storage.unfinished import refuse as refuse_unfinished
from .xml.errors import XmlError
from .xml.medium import with_medium

if TYPE_CHECKING:
    from .host import Host

_LOCKED = "the guest may have locked the tray: eject it there, or use --force"


@dataclass(frozen=True, slots=True)
class MediaOutcome:
    """What is true after a change of a medium."""

    text: str


def insert_media(
    host: Host, uuid: str, target: str, source: str, when: str = When.AUTO, *, force: bool = False
) -> MediaOutcome:
    """Put a medium into an empty drive. Source: virDomainUpdateDeviceFlags."""
    change = _Change(host, uuid, target, when, force, f"cannot insert {source} into")
    for disk in change.drives():
        if disk.source:
            raise BadInput(
                f"{target} of {change.name} is not empty",
                f"it holds {disk.source}",
                "swap the media (--update), or eject this one first (--eject)",
            )
    change.insert(change.resolve(source))
    return MediaOutcome(f"{source} is in {target} of {change.name}{change.words}")


def eject_media(
    host: Host, uuid: str, target: str, when: str = When.AUTO, *, force: bool = False
) -> MediaOutcome:
    """Take the medium out of a drive; ``force`` even when the guest has locked the tray."""
    change = _Change(host, uuid, target, when, force, "cannot eject")
    held = {disk.source for disk in change.drives() if disk.source}
    if not held:
        raise BadInput(f"{target} of {change.name} is empty")
    change.eject()
    return MediaOutcome(f"{' and '.join(sorted(held))} is out of {change.name}{change.words}")


def swap_media(
    host: Host, uuid: str, target: str, source: str, when: str = When.AUTO, *, force: bool = False
) -> MediaOutcome:
    """Put a medium in place of what is there: an eject, then an insert.

    A guest sees the tray open and close, as it would with a real drive; without that, some go
    on reading the old medium from memory.
    """
    change = _Change(host, uuid, target, when, force, f"cannot insert {source} into")
    found = change.resolve(source)
    if any(disk.source for disk in change.drives()):
        change.eject()
        change.done = f"{target} is empty: the old medium is out"
    change.insert(found)
    return MediaOutcome(f"{source} is in {target} of {change.name}{change.words}")


class _Change:
    """One change of a drive, checked in the configurations that are meant before it is made."""

    def __init__(
        self, host: Host, uuid: str, target: str, when: str, force: bool, what: str
    ) -> None:
        self._host = host
        self._domain: Any = domain_to_change(host, uuid)
        self._target = target
        self._force = force
        self.name: str = self._domain.name()
        self._what = f"{what} {target} of {self.name}"
        self.done = ""
        self._before = self._read()
        self._live, self._saved = self._before.choose(when)
        now, then = self._before.find_live(target), self._before.find_saved(target)
        if now is None and then is None:
            drives = sorted({d.target for d in self._before.disks() if _is_drive(d)})
            raise BadInput(
                f"{self.name} has no drive {target}",
                f"it has {', '.join(drives) or 'none for media'}",
            )
        if when == When.AUTO:
            self._live, self._saved = self._live and now is not None, self._saved and bool(then)
        if (self._live and now is None) or (self._saved and then is None):
            where = "running domain" if self._live and now is None else "saved configuration"
            raise BadInput(self._what, f"the {where} has no drive {target}")
        for disk in self.drives():
            if not _is_drive(disk):
                raise BadInput(
                    f"{target} of {self.name} is a {disk.device}",
                    "only CD-ROM and floppy drives have media",
                    "detach it instead",
                )

    @property
    def words(self) -> str:
        return self._before.words(self._live, self._saved)

    def drives(self) -> tuple[Disk, ...]:
        """The drive in each configuration meant, as it was before."""
        found = (
            self._before.find_live(self._target) if self._live else None,
            self._before.find_saved(self._target) if self._saved else None,
        )
        return tuple(disk for disk in found if disk is not None)

    def resolve(self, source: str) -> Source:
        """The medium, if it can be used."""
        if not source:
            raise BadInput("a medium is missing", advice="give a path, or pool/volume")
        found = resolve(self._host, source)
        floppy = any(disk.device == "floppy" for disk in self.drives())
        request = DiskRequest(source, device="floppy" if floppy else "cdrom")
        refuse_used(self._host, self._domain.UUIDString(), found, request)
        refuse_unfinished(self._host, found.path)
        return found

    def eject(self) -> None:
        self._each({}, "")

    def insert(self, source: Source) -> None:
        self._each(source.fields(), source.label)

    def _each(self, medium: Mapping[str, object], label: str) -> None:
        """The running one first: if the guest refuses, the saved one is left alone too."""
        try:
            if self._live:
                self._update(medium, label, live=True)
                if self._saved:
                    self.done = "; ".join(
                        filter(None, (self.done, "the running domain is changed"))
                    )
            if self._saved:
                self._update(medium, label, live=False)
        finally:
            touch(self._host, self._domain.UUIDString())

    def _update(self, medium: Mapping[str, object], label: str, *, live: bool) -> None:
        disk = self._drive(live)
        if not medium and not disk.source:
            return
        flags = libvirt.VIR_DOMAIN_AFFECT_LIVE if live else libvirt.VIR_DOMAIN_AFFECT_CONFIG
        flags |= libvirt.VIR_DOMAIN_DEVICE_MODIFY_FORCE if self._force and live else 0
        try:
            xml = with_medium(disk.xml, medium)
        except XmlError as error:
            raise BadInput(self._what, str(error), done=self.done) from error
        try:
            self._domain.updateDeviceFlags(xml, flags)
        except libvirt.libvirtError as error:
            told = from_libvirt(error, self._what, "" if self._force or not live else _LOCKED)
            told.done = self.done
            raise told from error
        if self._drive(live).source != label:
            raise TuivirtError(
                self._what,
                f"libvirt took the call, but {self._target} holds"
                f" {self._drive(live).source or 'nothing'}",
                _LOCKED if live else "",
                done=self.done,
            )

    def _drive(self, live: bool) -> Disk:
        sides = self._read()
        disk = sides.find_live(self._target) if live else sides.find_saved(self._target)
        if disk is None:
            raise TuivirtError(self._what, f"{self._target} is gone meanwhile", done=self.done)
        return disk

    def _read(self) -> Sides:
        return read_sides(self._domain, self._what)


def _is_drive(disk: Disk) -> bool:
    return disk.device in ("cdrom", "floppy")
