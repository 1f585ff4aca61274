"""What libvirt knows of a domain's backups, for who looks at them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import libvirt

from ..errors import TuivirtError
from ..here import is_here
from ..migration.job import Figures, figures_of
from ..model.checkpoint import BackupJob, Backups
from ..xml.backup import Backup
from .before import asked
from .checkpoints import checkpoints_of
from .pull import addresses_of

if TYPE_CHECKING:
    from ..host import Host


def backups_of(host: Host, uuid: str) -> Backups:
    """Its checkpoints, and the backup that runs now. Raises TuivirtError."""
    running, taken = asked(host, uuid)
    job = _job(host, uuid, running) if running is not None else None
    return Backups(checkpoints_of(host, uuid), job, is_here(host), taken)


def sizes_of(host: Host, uuid: str) -> Mapping[str, Mapping[str, int]]:
    """By checkpoint and target: the bytes that an increment since then would hold now.

    What is missing libvirt does not tell: the domain is off, or a job holds its images. Raises
    TuivirtError. Source: virDomainCheckpointGetXMLDesc with SIZE.
    """
    return {
        each.name: {
            disk.target: disk.size_bytes for disk in each.disks if disk.size_bytes is not None
        }
        for each in checkpoints_of(host, uuid, sizes=True)
    }


def _job(host: Host, uuid: str, running: Backup) -> BackupJob:
    figures = _figures(host, uuid) if running.mode == "push" else Figures()
    return BackupJob(
        running.mode,
        running.incremental,
        tuple((disk.target, disk.file) for disk in running.disks),
        addresses_of(running) if running.mode == "pull" else "",
        figures.disk_done,
        figures.disk_total,
    )


def _figures(host: Host, uuid: str) -> Figures:
    """How far it is; nothing where it ended meanwhile, or cannot be asked at this moment."""
    try:
        return figures_of(host.domain(uuid).jobStats(0))
    except (libvirt.libvirtError, TuivirtError):
        return Figures()
