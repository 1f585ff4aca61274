"""A domain's memory in a file: saved, restored, dumped.

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

FILE = Annotated[str, Option("the file, on the domain's host", label="File", positional=True)]
BYPASS_CACHE = Annotated[bool, Option("read or write past the host's page cache")]
RUNNING = Annotated[bool, Option("it runs once it is restored, whatever it did before")]
PAUSED = Annotated[bool, Option("it is paused once it is restored")]


def _checked(values: Mapping[str, Any]) -> None:
    from tuivirt.backend import saving

    saving.check(values)


def _plan_save(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend import saving

    return saving.plan_save(host, key, values)


@action(
    "domain",
    title="Save to a file",
    virsh="virsh save {name} {file}[bypass_cache? --bypass-cache][running? --running]"
    "[paused? --paused]",
    api="virDomainSaveFlags",
    bulk=False,
    confirm="Save the memory of {name} to a file and stop it?",
    unavailable=is_off,
    plan=_plan_save,
    check=_checked,
    lane="moves",
)
def save(
    run: Run,
    domain: Domain,
    *,
    file: FILE,
    bypass_cache: BYPASS_CACHE = False,
    running: RUNNING = False,
    paused: PAUSED = False,
    dry_run: DRY_RUN = False,
    force: FORCE = False,
) -> str:
    """Save a guest's memory to a file and stop it; `restore` takes it up where it was.

    An abort leaves it running. The next start knows nothing of the file: that is `managedsave`.
    """
    from tuivirt.backend import saving

    values = {
        "file": file,
        "bypass_cache": bypass_cache,
        "running": running,
        "paused": paused,
    }
    if dry_run:
        plan = saving.plan_save(run.host, domain.uuid, values)
        return told(plan, f"{domain.name} would not be saved", force=force)
    return saving.save(
        run.host,
        domain.uuid,
        values,
        force=force,
        aborted=run.aborted,
        progress=run.progress,
    )


def _plan_dump(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend import saving

    return saving.plan_dump(host, key, values)


@action(
    "domain",
    title="Dump its memory",
    virsh="virsh dump {name} {file}[live? --live][crash? --crash][bypass_cache? --bypass-cache]"
    "[reset? --reset][memory_only? --memory-only][ --format {format_}]",
    api="virDomainCoreDumpWithFormat",
    bulk=False,
    unavailable=is_off,
    plan=_plan_dump,
    check=_checked,
    lane="moves",
)
def dump(
    run: Run,
    domain: Domain,
    *,
    file: FILE,
    live: Annotated[bool, Option("the guest runs on meanwhile")] = False,
    crash: Annotated[bool, Option("the guest is ended then")] = False,
    reset: Annotated[bool, Option("the guest boots anew then")] = False,
    memory_only: Annotated[
        bool, Option("as crash and gdb read it, without the state of its devices")
    ] = False,
    format_: Annotated[
        str | None,
        Option(
            "of a dump of memory alone; elf unless given",
            choices=("elf", "kdump-zlib", "kdump-lzo", "kdump-snappy", "win-dmp"),
        ),
    ] = None,
    bypass_cache: BYPASS_CACHE = False,
    dry_run: DRY_RUN = False,
    force: FORCE = False,
) -> str:
    """Write a guest's memory to a file to be looked into; it goes on unless you say otherwise.

    The file holds all that the guest had in memory, its keys and passwords too.
    """
    from tuivirt.backend import saving

    values = {
        "file": file,
        "live": live,
        "crash": crash,
        "reset": reset,
        "memory_only": memory_only,
        "format_": format_,
        "bypass_cache": bypass_cache,
    }
    if dry_run:
        plan = saving.plan_dump(run.host, domain.uuid, values)
        return told(plan, f"{domain.name} would not be dumped", force=force)
    return saving.dump(
        run.host,
        domain.uuid,
        values,
        force=force,
        aborted=run.aborted,
        progress=run.progress,
    )


def _plan_restore(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend import restoring

    return restoring.plan_restore(host, key, values)


# Of a host: the domain may be gone, and the file says which it is.
@action(
    "host",
    title="Restore a saved guest",
    virsh="virsh restore {file}[bypass_cache? --bypass-cache][running? --running]"
    "[paused? --paused]",
    api="virDomainRestoreFlags",
    bulk=False,
    plan=_plan_restore,
    check=_checked,
    lane="moves",
)
def restore(
    run: Run,
    host: HostSnapshot,
    *,
    file: Annotated[str, Option("what save has written", label="File", positional=True)],
    bypass_cache: BYPASS_CACHE = False,
    running: RUNNING = False,
    paused: PAUSED = False,
    dry_run: DRY_RUN = False,
    force: FORCE = False,
) -> str:
    """Take a guest up again where `save` has left it; its file stays.

    What the file holds is shown first, and whether a disk was written since.
    """
    from tuivirt.backend import restoring

    values = {
        "file": file,
        "bypass_cache": bypass_cache,
        "running": running,
        "paused": paused,
    }
    if dry_run:
        plan = restoring.plan_restore(run.host, host.name, values)
        return told(plan, f"{file} would not be restored", force=force)
    return restoring.restore(run.host, values, force=force, progress=run.progress)


@action(
    "host",
    title="Look into a saved guest's file",
    virsh="virsh save-image-dumpxml {file}",
    api="virDomainSaveImageGetXMLDesc",
    bulk=False,
)
def save_image_info(
    run: Run,
    host: HostSnapshot,
    *,
    file: Annotated[str, Option("what save has written", label="File", positional=True)],
) -> str:
    """Tell what a file of saved memory holds: whose it is, since when, and what disks it needs.

    libvirt shows it to a connection that may change things alone.
    """
    from tuivirt.backend import restoring

    return restoring.info(run.host, file)


def _has_no_save(domain: Domain) -> str:
    return "" if domain.managed_save else f"{domain.name} has no managed save"


@action(
    "domain",
    title="Look into its saved memory",
    virsh="virsh managedsave-dumpxml {name}",
    api="virDomainManagedSaveGetXMLDesc",
    bulk=False,
    unavailable=_has_no_save,
)
def managedsave_info(run: Run, domain: Domain) -> str:
    """Tell what a domain's managed save holds, from which its next start goes on."""
    from tuivirt.backend import restoring

    return restoring.managed_info(run.host, domain.uuid)
