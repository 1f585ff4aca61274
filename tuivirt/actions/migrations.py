"""Domains moved to another host, and jobs under way.

Declared when somebody asks for what can be done, as none of it has a key: the list of domains
shall not hold it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from tuivirt.backend.migration.options import CHOICES, IMAGES, VIRSH, Choice, check
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.uri import shown

from .domains import is_off
from .plans import DRY_RUN, FORCE, told
from .registry import ACTIONS, Action, Option, Parameter, Run, action

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.model.finding import Planned


def parameter_of(choice: Choice) -> Parameter:
    """An option of a migration as an action's parameter."""
    return Parameter(
        name=choice.name,
        type=choice.type,
        help=choice.help,
        label=choice.label or choice.name.replace("_", " ").capitalize(),
        required=False,
        default=False if choice.type is bool else None,
        cli_only=choice.cli_only,
        minimum=choice.minimum,
    )


OPTIONS = tuple(parameter_of(choice) for choice in CHOICES)
STORAGE = {
    each.name: each.label.removeprefix(IMAGES) for each in OPTIONS if each.label.startswith(IMAGES)
}
"""The options that say which images are copied: one field's choices, and what each is called."""
RARE = frozenset(choice.name for choice in CHOICES if choice.rare)
"""Those that few need, which a form hides."""


def _plan(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.migration import migrate as moving

    given = {name: value for name, value in values.items() if name not in _OURS}
    return moving.plan_for(host, key, values["dest"], given)


_OURS = frozenset({"dest", "dry_run", "force"})


def _cannot_move(domain: Domain) -> str:
    return "" if domain.persistent or domain.active else f"{domain.name} is gone"


@action(
    "domain",
    title="Move to another host",
    virsh="virsh migrate {name} {desturi|DESTURI}[ {migrateuri}]" + VIRSH,
    api="virDomainMigrate3, virDomainMigrateToURI3",
    unavailable=_cannot_move,
    plan=_plan,
    check=check,
    more=OPTIONS,
    lane="moves",
    other="dest",
)
def migrate(
    run: Run,
    domain: Domain,
    *,
    dest: Annotated[
        str,
        Option(
            "the host to move it to: its name among those given with -c, or its URI",
            label="To",
            positional=True,
        ),
    ],
    dry_run: DRY_RUN = False,
    force: FORCE = False,
    **options: Any,
) -> str:
    """Move a domain to another host: live when it runs, its configuration when it is off.

    It is defined there and undefined here. Images that the target does not have are made there
    and copied, those that both hosts have are left; --dry-run shows what would be done. An
    abort (ctrl+c) leaves it where it was.
    """
    from tuivirt.backend.migration import migrate as moving

    if dry_run:
        plan = moving.plan_for(run.host, domain.uuid, dest, options)
        return told(plan, f"{domain.name} would not be moved to {shown(dest)}", force=force)
    return moving.migrate(
        run.host,
        domain.uuid,
        dest,
        options,
        force=force,
        progress=run.progress,
        aborted=run.aborted,
        chose=run.chose,
    )


@action(
    "domain",
    title="Show its job",
    virsh="virsh domjobinfo {name}[completed? --completed --keep-completed]",
    api="virDomainGetJobStats",
    changes=False,
    bulk=False,
)
def domjobinfo(
    run: Run,
    domain: Domain,
    *,
    completed: Annotated[bool, Option("of the last job that has ended")] = False,
) -> str:
    """Tell what a domain is busy with: moving, saving, and how far that is."""
    from tuivirt.backend.migration import changes

    return changes.job_info(run.host, domain.uuid, completed=completed)


@action(
    "domain",
    title="Abort its job",
    virsh="virsh domjobabort {name}",
    api="virDomainAbortJob",
    destructive=True,
    confirm="Abort what {name} is busy with (moving, saving …), whoever began it?",
    unavailable=is_off,
)
def domjobabort(run: Run, domain: Domain) -> str:
    """Abort what a domain is busy with; the guest goes on where it is."""
    from tuivirt.backend.migration import changes

    return changes.abort_job(run.host, domain.uuid)


@action(
    "domain",
    title="Limit its downtime",
    virsh="virsh migrate-setmaxdowntime {name} {downtime}",
    api="virDomainMigrateSetMaxDowntime",
    unavailable=is_off,
)
def migrate_setmaxdowntime(
    run: Run,
    domain: Domain,
    *,
    downtime: Annotated[int, Option("milliseconds", positional=True, minimum=1)],
) -> str:
    """Limit for how long a guest stands still at the end of a move; also while it is moved."""
    from tuivirt.backend.migration import changes

    return changes.set_max_downtime(run.host, domain.uuid, downtime)


@action(
    "domain",
    title="Limit its moving speed",
    virsh="virsh migrate-setspeed {name} {bandwidth}[postcopy? --postcopy]",
    api="virDomainMigrateSetMaxSpeed",
    unavailable=is_off,
)
def migrate_setspeed(
    run: Run,
    domain: Domain,
    *,
    bandwidth: Annotated[int, Option("MiB/s", positional=True, minimum=1)],
    postcopy: Annotated[bool, Option("of post-copy")] = False,
) -> str:
    """Limit how much of the line moving a guest takes; also while it is moved."""
    from tuivirt.backend.migration import changes

    return changes.set_speed(run.host, domain.uuid, bandwidth, postcopy=postcopy)


@action(
    "domain",
    title="Switch to post-copy",
    virsh="virsh migrate-postcopy {name}",
    api="virDomainMigrateStartPostCopy",
    destructive=True,
    confirm="Let {name} run on the target at once, while its memory follows? From then on it "
    "cannot be aborted, and is lost if the line breaks.",
    unavailable=is_off,
)
def migrate_postcopy(run: Run, domain: Domain) -> str:
    """Let a guest that is being moved run on the target at once, its memory following."""
    from tuivirt.backend.migration import changes

    return changes.start_postcopy(run.host, domain.uuid)


def of_jobs() -> list[Action]:
    """Those that are about a job under way."""
    jobs = (domjobinfo, domjobabort, migrate_setmaxdowntime, migrate_setspeed, migrate_postcopy)
    return [each for each in ACTIONS.values() if each.function in jobs]
