"""What a backup says of itself: a JSON file beside its images, by which it can be restored.

It is written when the backup begins (``"state": "running"``), and again when it has ended and was
looked at: one that is found as ``running`` while no job runs is of a backup that nobody saw end.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..errors import TuivirtError
from ..model.record import record

FORMAT = "tuivirt-backup"
VERSION = 1
RUNNING, COMPLETE, DAMAGED = "running", "complete", "damaged"
_MOST_BYTES = 16 << 20


@record(frozen=True, slots=True)
class BackedUp:
    """A disk of a backup."""

    target: str
    """As in ``vda``."""
    source: str
    """The image that the guest has."""
    capacity_bytes: int
    """What the guest sees of it."""
    file: str
    """The file's name; it lies beside the manifest."""
    format: str
    """qcow2 or raw. An increment's holes are what was not written since its base."""
    size_bytes: int = 0
    """The file's length once it was done."""


@record(frozen=True, slots=True)
class Manifest:
    """One backup of one domain."""

    domain: str
    uuid: str
    host: str
    time: str
    """Of its beginning, ISO 8601 with the zone."""
    generation: int
    """0: a full one; else how many increments there are since, this one too."""
    disks: tuple[BackedUp, ...]
    left_out: Mapping[str, str]
    """By target, why."""
    xml: str
    """The domain's saved configuration, without secrets."""
    checkpoint: str = ""
    """Made at the same moment: the next increment goes back to it."""
    incremental: str = ""
    """The checkpoint that it goes back to."""
    base: str = ""
    """The manifest of the backup that this increment lies on, beside it."""
    state: str = RUNNING
    """running, complete or damaged."""

    @property
    def kind(self) -> str:
        """``full`` or ``inc2``, as files are called."""
        return f"inc{self.generation}" if self.incremental else "full"


def write(path: Path, manifest: Manifest, *, new: bool = False) -> None:
    """Write it, whole or not at all. ``new``: never over a file that is there.

    Raises TuivirtError.
    """
    said = {"format": FORMAT, "version": VERSION, **asdict(manifest)}
    text = json.dumps(said, indent=2, ensure_ascii=False) + "\n"
    place = path if new else path.with_name(f".{path.name}.{os.getpid()}")
    try:
        flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if new else os.O_TRUNC)
        with os.fdopen(os.open(place, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if not new:
            place.replace(path)
    except OSError as error:
        raise TuivirtError(f"cannot write {path}", error.strerror or str(error)) from error


def read(path: Path) -> Manifest:
    """Raises TuivirtError for a file that cannot be read or is no manifest."""
    what = f"cannot read {path}"
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise TuivirtError(what, "it is too large for the manifest of a backup")
        said = json.loads(data)
    except OSError as error:
        raise TuivirtError(what, error.strerror or str(error)) from error
    except ValueError as error:
        raise TuivirtError(what, "it is no manifest of a backup (no JSON)") from error
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise TuivirtError(what, "it is no manifest of a backup")
    if said.get("version") != VERSION:
        raise TuivirtError(
            what, f"it is of version {said.get('version')!r}, of which this tuivirt knows nothing"
        )
    try:
        return _from(said)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise TuivirtError(what, f"it lacks what a manifest has: {error}") from error


def _from(said: Mapping[str, Any]) -> Manifest:
    disks = tuple(
        BackedUp(
            target=str(each["target"]),
            source=str(each["source"]),
            capacity_bytes=int(each["capacity_bytes"]),
            file=_beside(each["file"]),
            format=str(each["format"]),
            size_bytes=int(each["size_bytes"]),
        )
        for each in said["disks"]
    )
    if any(disk.format not in ("qcow2", "raw") for disk in disks):
        raise ValueError("an unknown format")
    return Manifest(
        domain=str(said["domain"]),
        uuid=str(said["uuid"]),
        host=str(said["host"]),
        time=str(said["time"]),
        generation=int(said["generation"]),
        disks=disks,
        left_out={str(target): str(why) for target, why in said["left_out"].items()},
        xml=str(said["xml"]),
        checkpoint=str(said["checkpoint"]),
        incremental=str(said["incremental"]),
        base=_beside(said["base"]) if said["base"] else "",
        state=str(said["state"]),
    )


def _beside(name: Any) -> str:
    """A file's name, and no way out of the folder."""
    text = str(name)
    if not text or "/" in text or "\0" in text or text in (".", ".."):
        raise ValueError(f"{text!r} is no file beside it")
    return text


def of_domain(folder: Path, uuid: str) -> list[tuple[Path, Manifest]]:
    """The manifests of a domain in a folder, oldest first; what is none is left out."""
    found = []
    try:
        paths = sorted(folder.glob("*.json"))
    except OSError as error:
        raise TuivirtError(f"cannot look into {folder}", error.strerror or str(error)) from error
    for path in paths:
        try:
            manifest = read(path)
        except TuivirtError:
            continue  # Another's file, or a broken one: whoever names it is told why.
        if manifest.uuid == uuid:
            found.append((path, manifest))
    return sorted(found, key=lambda each: (each[1].time, each[1].generation))


def chain(path: Path) -> list[tuple[Path, Manifest]]:
    """The full backup and each increment on it up to ``path``, in that order.

    Raises TuivirtError where one is missing, is not whole, or is of another domain.
    """
    found: list[tuple[Path, Manifest]] = []
    while True:
        manifest = read(path)
        if manifest.state != COMPLETE:
            raise TuivirtError(
                f"the backup {path} is {manifest.state}",
                "nobody saw its end"
                if manifest.state == RUNNING
                else "its files were found damaged when it was made",
                "restore the one before it",
            )
        if found and manifest.uuid != found[-1][1].uuid:
            raise TuivirtError(f"{path} is the backup of another domain, {manifest.domain}")
        if found and manifest.checkpoint != found[-1][1].incremental:
            raise TuivirtError(
                f"{found[-1][0]} goes back to the checkpoint {found[-1][1].incremental!r}",
                f"{path} was made with {manifest.checkpoint!r}",
            )
        found.append((path, manifest))
        if not manifest.incremental:
            return found[::-1]
        if not manifest.base:
            raise TuivirtError(
                f"{path} is an increment, and does not name the backup that it lies on",
                advice=f"it goes back to the checkpoint {manifest.incremental}: look for that one",
            )
        path = path.with_name(manifest.base)
        if any(path == known for known, _manifest in found):
            raise TuivirtError(f"{path} lies on itself")


def finished(manifest: Manifest, folder: Path, state: str) -> Manifest:
    """With the files' lengths as they are now."""
    disks = tuple(
        replace(disk, size_bytes=(folder / disk.file).stat().st_size) for disk in manifest.disks
    )
    return replace(manifest, disks=disks, state=state)
