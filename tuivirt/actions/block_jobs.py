"""Block jobs of running guests: copy, commit, pull.

Declared when somebody asks for what can be done, as none of it has a key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from tuivirt.backend.model.domain import Domain

from .domains import is_off
from .plans import DRY_RUN, FORCE, told
from .registry import Option, Run, action

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.model.finding import Planned

PATH = Annotated[str, Option("the disk: its target, as vda", label="Disk", positional=True)]
BANDWIDTH = Annotated[int | None, Option("at most so many MiB/s", minimum=1)]
PIVOT = Annotated[bool, Option("the guest goes over to it once both are equal")]


def _planned(module: str) -> Callable[[Host, str, Mapping[str, Any]], Planned]:
    def plan(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
        planned: Planned = _module(module).plan_for(host, key, values)
        return planned

    return plan


def _checked(module: str) -> Callable[[Mapping[str, Any]], None]:
    def check(values: Mapping[str, Any]) -> None:
        _module(module).check(values)

    return check


def _module(name: str) -> Any:
    from importlib import import_module

    return import_module(f"tuivirt.backend.block_jobs.{name}")


@action(
    "domain",
    title="Copy a disk elsewhere",
    virsh=(
        "virsh blockcopy {name} {path} --dest {dest} --wait[ --format {format}]"
        "[blockdev? --blockdev][shallow? --shallow][reuse_external? --reuse-external]"
        "[ --bandwidth {bandwidth}][pivot? --pivot][finish? --finish]"
        "[transient_job? --transient-job]"
    ),
    api="virDomainBlockCopy",
    bulk=False,
    unavailable=is_off,
    plan=_planned("copy"),
    check=_checked("copy"),
    lane="moves",
)
def blockcopy(
    run: Run,
    domain: Domain,
    *,
    path: PATH,
    dest: Annotated[
        str, Option("where to: a path on the host, or pool/volume", label="Destination")
    ],
    format: Annotated[
        str | None,
        Option("of the copy; as the disk's own unless given", choices=("qcow2", "raw", "qed")),
    ] = None,
    blockdev: Annotated[
        bool, Option("the destination is a block device", label="Block device")
    ] = False,
    shallow: Annotated[
        bool, Option("the uppermost image alone; the copy lies on the same one below")
    ] = False,
    reuse_external: Annotated[
        bool, Option("the destination is there, and is overwritten", label="Overwrite")
    ] = False,
    bandwidth: BANDWIDTH = None,
    pivot: PIVOT = False,
    finish: Annotated[bool, Option("it ends once both are equal; the guest stays")] = False,
    transient_job: Annotated[
        bool,
        Option("not taken up again after the guest's end; so for every persistent domain anyway",
               cli_only=True),
    ] = False,
    dry_run: DRY_RUN = False,
    force: FORCE = False,
) -> str:  # fmt: skip
    """Copy a running guest's disk elsewhere, and have the guest go over to the copy if wanted.

    Without --pivot and --finish both are kept equal until blockjob says how it ends. An abort
    (ctrl+c) leaves the guest where it was.
    """
    from tuivirt.backend.block_jobs import copy
    from tuivirt.backend.storage.place import place_of

    where = place_of(run.host, dest, f"cannot copy {path} of {domain.name}")
    values = {
        "path": path,
        "dest": dest,
        "format": format,
        "blockdev": blockdev,
        "shallow": shallow,
        "reuse_external": reuse_external,
        "bandwidth": bandwidth,
        "pivot": pivot,
        "finish": finish,
        "transient_job": transient_job,
    }
    if dry_run:
        plan = copy.plan_for(run.host, domain.uuid, values)
        return told(plan, f"{path} of {domain.name} would not be copied", force=force)
    run.chose(
        transient_job=transient_job or domain.persistent,
        dest=where.path,
        blockdev=blockdev or where.block,
    )
    return copy.copy(
        run.host, domain.uuid, values, force=force, aborted=run.aborted, progress=run.progress
    )


@action(
    "domain",
    title="Commit a disk's overlays",
    virsh=(
        "virsh blockcommit {name} {path} --wait[ --base {base}][ --top {top}]"
        "[shallow? --shallow][active? --active][pivot? --pivot][keep_overlay? --keep-overlay]"
        "[delete? --delete][keep_relative? --keep-relative][ --bandwidth {bandwidth}]"
    ),
    api="virDomainBlockCommit",
    bulk=False,
    destructive=True,
    confirm="Write what overlays of a disk of {name} hold into an image below them? What that "
    "image holds now is overwritten.",
    unavailable=is_off,
    plan=_planned("commit"),
    check=_checked("commit"),
    lane="moves",
)
def blockcommit(
    run: Run,
    domain: Domain,
    *,
    path: PATH,
    base: Annotated[
        str | None, Option("the image that is written into; the lowest unless given")
    ] = None,
    top: Annotated[
        str | None, Option("the uppermost that is merged; the one in use unless given")
    ] = None,
    shallow: Annotated[bool, Option("into the next one below the top")] = False,
    active: Annotated[
        bool, Option("the one in use is merged as well; so unless --top is given", cli_only=True)
    ] = False,
    pivot: PIVOT = False,
    keep_overlay: Annotated[bool, Option("it ends once both are equal; the guest stays")] = False,
    delete: Annotated[bool, Option("what was merged is deleted then")] = False,
    keep_relative: Annotated[bool, Option("images name the ones below relatively")] = False,
    bandwidth: BANDWIDTH = None,
    dry_run: DRY_RUN = False,
    force: FORCE = False,
) -> str:
    """Write what a running guest's overlays hold into an image below them.

    What that image held is overwritten, so nobody else may lie on it. An abort (ctrl+c) leaves
    the guest on its chain, which stays whole.
    """
    from tuivirt.backend.block_jobs import commit

    values = {
        "path": path,
        "base": base,
        "top": top,
        "shallow": shallow,
        "active": active,
        "pivot": pivot,
        "keep_overlay": keep_overlay,
        "delete": delete,
        "keep_relative": keep_relative,
        "bandwidth": bandwidth,
    }
    if dry_run:
        plan = commit.plan_for(run.host, domain.uuid, values)
        return told(plan, f"{path} of {domain.name} would not be committed", force=force)
    run.chose(active=not top)
    return commit.commit(
        run.host, domain.uuid, values, force=force, aborted=run.aborted, progress=run.progress
    )


@action(
    "domain",
    title="Pull a disk's images together",
    virsh=(
        "virsh blockpull {name} {path} --wait[ --base {base}][keep_relative? --keep-relative]"
        "[ --bandwidth {bandwidth}]"
    ),
    api="virDomainBlockPull, virDomainBlockRebase",
    bulk=False,
    unavailable=is_off,
    plan=_planned("pull"),
    check=_checked("pull"),
    lane="moves",
)
def blockpull(
    run: Run,
    domain: Domain,
    *,
    path: PATH,
    base: Annotated[
        str | None, Option("the image that stays below; none does unless given")
    ] = None,
    keep_relative: Annotated[bool, Option("it is named relatively")] = False,
    bandwidth: BANDWIDTH = None,
    dry_run: DRY_RUN = False,
    force: FORCE = False,
) -> str:
    """Read what lies below a running guest's image into it, so that it stands alone.

    Those below are not changed. An abort (ctrl+c) leaves the chain as it is.
    """
    from tuivirt.backend.block_jobs import pull

    values = {
        "path": path,
        "base": base,
        "keep_relative": keep_relative,
        "bandwidth": bandwidth,
    }
    if dry_run:
        plan = pull.plan_for(run.host, domain.uuid, values)
        return told(plan, f"nothing would be pulled into {path} of {domain.name}", force=force)
    return pull.pull(
        run.host, domain.uuid, values, force=force, aborted=run.aborted, progress=run.progress
    )


@action(
    "domain",
    title="Show or end its block jobs",
    virsh=(
        "virsh blockjob {name}[ {path}][abort? --abort][pivot? --pivot][ --bandwidth {bandwidth}]"
    ),
    api="virDomainGetBlockJobInfo, virDomainBlockJobAbort, virDomainBlockJobSetSpeed",
    changes=False,  # Without options it only tells; the rest asks for a connection that may.
    bulk=False,
    plan=_planned("control"),
    check=_checked("control"),
)
def blockjob(
    run: Run,
    domain: Domain,
    *,
    path: Annotated[
        str | None, Option("the disk: its target; all unless given", label="Disk", positional=True)
    ] = None,
    abort: Annotated[bool, Option("end it; the guest stays on the image that it has")] = False,
    pivot: Annotated[bool, Option("the guest goes over to the other image")] = False,
    bandwidth: BANDWIDTH = None,
    force: FORCE = False,
) -> str:
    """Tell of the jobs on a domain's disks, whoever began them, and of what broken ones have left.

    With an option it ends them, has the guest go over, or limits their speed.
    """
    from tuivirt.backend.block_jobs import control

    del force  # Whoever was shown the plan says it: nothing here has a risk.
    disk = path or ""
    if abort:
        return control.abort(run.host, domain.uuid, disk)
    if pivot:
        return control.pivot(run.host, domain.uuid, disk)
    if bandwidth:
        return control.set_bandwidth(run.host, domain.uuid, disk, bandwidth)
    return control.report(run.host, domain.uuid, disk)
