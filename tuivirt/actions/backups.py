"""Checkpoints and backups of a domain, and images made again from a backup.

Declared when somebody asks for what can be done, as none of it has a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.host import HostSnapshot

from .domains import is_off
from .plans import DRY_RUN, FORCE, told
from .registry import Option, Run, action

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.model.finding import Planned

CHECKPOINT = Annotated[str, Option("the checkpoint's name", label="Checkpoint", positional=True)]
LEAVE_OUT = Annotated[str | None, Option("disks that are left out, by target, with commas between")]


def _plan_checkpoint(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.backup import checkpoints

    return checkpoints.plan_create(host, key, values)


def _checked_checkpoint(values: Mapping[str, Any]) -> None:
    from tuivirt.backend.backup import checkpoints

    checkpoints.check(values)


@action(
    "domain",
    title="Make a checkpoint",
    virsh="virsh checkpoint-create-as {name}[ {name_}][ --description {description}]"
    "[quiesce? --quiesce][ {its_disks*--diskspec %}]",
    api="virDomainCheckpointCreateXML",
    unavailable=is_off,
    plan=_plan_checkpoint,
    check=_checked_checkpoint,
)
def checkpoint_create(
    run: Run,
    domain: Domain,
    *,
    name_: Annotated[
        str | None, Option("what it is called; the time unless given", label="Name")
    ] = None,
    description: Annotated[str | None, Option("what it is for")] = None,
    leave_out: LEAVE_OUT = None,
    quiesce: Annotated[
        bool, Option("the guest's agent holds its file systems still meanwhile")
    ] = False,
    force: FORCE = False,
) -> str:
    """Note from now on what a domain writes, so that a later backup takes that alone.

    It holds no data itself: backup-begin --checkpoint makes one together with the backup that it
    goes with, which is what increments need.
    """
    from tuivirt.backend.backup import checkpoints

    values = {
        "name_": name_,
        "description": description,
        "leave_out": leave_out,
        "quiesce": quiesce,
    }
    return checkpoints.create(run.host, domain.uuid, values, force=force, chose=run.chose)


@action(
    "domain",
    title="List its checkpoints",
    virsh="virsh checkpoint-list {name} --tree",
    api="virDomainListAllCheckpoints",
    changes=False,
    bulk=False,
)
def checkpoint_list(run: Run, domain: Domain) -> str:
    """List a domain's checkpoints as a tree, with how much was written since, where it runs."""
    from tuivirt.backend.backup import checkpoints

    return checkpoints.as_text(run.host, domain.uuid)


@action(
    "domain",
    title="Show a checkpoint's XML",
    virsh="virsh checkpoint-dumpxml {name} {checkpointname}",
    api="virDomainCheckpointGetXMLDesc",
    changes=False,
    bulk=False,
    view=True,
)
def checkpoint_dumpxml(run: Run, domain: Domain, *, checkpointname: CHECKPOINT) -> str:
    """Print libvirt's record of a checkpoint, without its secrets."""
    from tuivirt.backend.backup import checkpoints

    return checkpoints.xml_of(run.host, domain.uuid, checkpointname)


def _plan_checkpoint_delete(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.backup import checkpoints

    return checkpoints.plan_delete(host, key, values)


@action(
    "domain",
    title="Delete a checkpoint",
    virsh="virsh checkpoint-delete {name} {checkpointname}[children? --children]"
    "[metadata? --metadata]",
    api="virDomainCheckpointDelete",
    bulk=False,
    destructive=True,
    confirm="Delete a checkpoint of {name}? What it wrote stays, but no increment can go back to "
    "there any more.",
    plan=_plan_checkpoint_delete,
)
def checkpoint_delete(
    run: Run,
    domain: Domain,
    *,
    checkpointname: CHECKPOINT,
    children: Annotated[bool, Option("and all that came after it")] = False,
    metadata: Annotated[
        bool, Option("libvirt alone forgets it; its bitmaps stay in the images", cli_only=True)
    ] = False,
    force: FORCE = False,
) -> str:
    """Delete a checkpoint; data stays, but no increment can go back to there any more."""
    from tuivirt.backend.backup import checkpoints

    return checkpoints.delete(
        run.host,
        domain.uuid,
        checkpointname,
        children=children,
        metadata=metadata,
        force=force,
    )


def _plan_backup(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.backup import begin

    return begin.plan_for(host, key, values)


def _checked_backup(values: Mapping[str, Any]) -> None:
    from tuivirt.backend.backup import order

    order.check(values)


@action(
    "domain",
    title="Back up",
    virsh="virsh backup-begin {name} --backupxml BACKUP.xml[checkpoint? --checkpointxml "
    "CHECKPOINT.xml]",
    api="virDomainBackupBegin",
    unavailable=is_off,
    plan=_plan_backup,
    check=_checked_backup,
    lane="moves",
)
def backup_begin(
    run: Run,
    domain: Domain,
    *,
    to: Annotated[
        str | None, Option("the folder that the files are written to", label="To the folder")
    ] = None,
    pool: Annotated[
        str | None, Option("the pool of files that they are written to", label="Or to the pool")
    ] = None,
    incremental: Annotated[
        str | None,
        Option(
            "only what was written since this checkpoint; last: since the newest backup in that "
            "folder"
        ),
    ] = None,
    checkpoint: Annotated[
        str | None, Option("make this checkpoint at the same moment, for the next increment")
    ] = None,
    leave_out: LEAVE_OUT = None,
    format_: Annotated[
        str | None,
        Option("of the files that are written; qcow2 unless given", choices=("qcow2", "raw")),
    ] = None,
    pull: Annotated[
        bool, Option("write no files: offer the disks to another program, over NBD")
    ] = False,
    listen: Annotated[
        str | None,
        Option(
            "where they are offered: host:port, or a socket's path; a socket in a private folder "
            "unless given"
        ),
    ] = None,
    scratch: Annotated[
        str | None,
        Option(
            "the folder for what the guest overwrites while it is pulled; beside its images unless "
            "given"
        ),
    ] = None,
    detached: Annotated[
        bool, Option("return once the disks are offered; backup-end ends it", cli_only=True)
    ] = False,
    dry_run: DRY_RUN = False,
    force: FORCE = False,
) -> str:
    """Back up a running domain's disks as they are at this moment; the guest runs on.

    Pushed to files (--to, or --pool), with a manifest beside them by which backup-restore makes
    images again; or pulled by another program (--pull). An abort leaves the guest as it was and
    removes what was written.
    """
    from tuivirt.backend.backup import begin

    values = {
        "to": to,
        "pool": pool,
        "incremental": incremental,
        "checkpoint": checkpoint,
        "leave_out": leave_out,
        "format_": format_,
        "pull": pull,
        "listen": listen,
        "scratch": scratch,
        "detached": detached,
    }
    if dry_run:
        plan = begin.plan_for(run.host, domain.uuid, values)
        return told(plan, f"{domain.name} would not be backed up", force=force)
    return begin.begin(
        run.host,
        domain.uuid,
        values,
        force=force,
        aborted=run.aborted,
        progress=run.progress,
        tell=run.tell,
    )


@action(
    "domain",
    title="Show the backup under way",
    virsh="virsh backup-dumpxml {name}",
    api="virDomainBackupGetXMLDesc",
    changes=False,
    bulk=False,
)
def backup_info(run: Run, domain: Domain) -> str:
    """Tell of the backup of a domain that is under way: its files, or where it is offered."""
    from tuivirt.backend.backup import pull

    return pull.info(run.host, domain.uuid)


@action(
    "domain",
    title="End its backup",
    virsh="virsh domjobabort {name}",
    api="virDomainAbortJob",
    unavailable=is_off,
)
def backup_end(run: Run, domain: Domain, *, force: FORCE = False) -> str:
    """End a backup that is pulled; one that is pushed with --force alone, as it is a part then."""
    from tuivirt.backend.backup import pull

    return pull.end(run.host, domain.uuid, force=force)


def _plan_restore(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.backup import restore

    return restore.plan_for(host, key, values)


def _checked_restore(values: Mapping[str, Any]) -> None:
    from tuivirt.backend.backup import restore

    restore.check(values)


# Of a host, not of a domain: the domain may be what was lost.
@action(
    "host",
    title="Restore a backup",
    virsh="",
    api="",
    bulk=False,
    changes=False,
    plan=_plan_restore,
    check=_checked_restore,
    lane="moves",
)
def backup_restore(
    run: Run,
    host: HostSnapshot,
    *,
    manifest: Annotated[
        str, Option("the manifest that lies beside the backup's files (.json)", positional=True)
    ],
    to: Annotated[str, Option("the folder that the images are written to", label="To the folder")],
    format_: Annotated[
        str | None,
        Option("of the images that are written; qcow2 unless given", choices=("qcow2", "raw")),
    ] = None,
    define_as: Annotated[
        str | None, Option("define a domain of this name with them, and do not start it")
    ] = None,
    dry_run: DRY_RUN = False,
    force: FORCE = False,
) -> str:
    """Make images again from a backup and those that it lies on; no file of theirs is changed.

    The images are new files, named after domain and disk. docs/backup.md has the way by hand.
    """
    from tuivirt.backend.backup import restore

    values = {"manifest": manifest, "to": to, "format_": format_, "define_as": define_as}
    if dry_run:
        plan = restore.plan_for(run.host, host.name, values)
        return told(plan, f"{manifest} would not be restored", force=force)
    return restore.restore(
        run.host, values, force=force, aborted=run.aborted, progress=run.progress
    )
