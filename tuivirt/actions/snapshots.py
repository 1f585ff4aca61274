"""Snapshots of a domain: taken, listed, gone back to, deleted.

Declared when somebody asks for what can be done, as none of it has a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from tuivirt.backend.model.domain import Domain

from .plans import FORCE
from .registry import Option, Run, action

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.model.finding import Planned
    from tuivirt.backend.model.snapshot import Trouble
    from tuivirt.backend.snapshots.judge import Facts

SNAPSHOT = Annotated[str, Option("the snapshot's name", label="Snapshot", positional=True)]


def _checked(values: Mapping[str, Any]) -> None:
    from tuivirt.backend.snapshots import judge

    judge.check(values)


def _plan_create(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.snapshots import make

    return make.plan_for(host, key, values)


@action(
    "domain",
    title="Take a snapshot",
    virsh=(
        "virsh snapshot-create-as {name} --atomic[ --name {name_}][ --description {description}]"
        "[kind=external,!memory? --disk-only][quiesce? --quiesce][live? --live]"
        "[ --memspec {memspec}][ {leave_out*--diskspec %,snapshot=no}][ {its_disks*--diskspec %}]"
    ),
    api="virDomainSnapshotCreateXML",
    plan=_plan_create,
    check=_checked,
)
def snapshot_create(
    run: Run,
    domain: Domain,
    *,
    name_: Annotated[
        str | None, Option("what it is called; the time unless given", label="Name")
    ] = None,
    description: Annotated[str | None, Option("what it is for")] = None,
    kind: Annotated[
        str | None,
        Option(
            "internal: within the images; external: what is written from now on goes to new "
            "files; unless said, internal where all disks can",
            choices=("internal", "external"),
        ),
    ] = None,
    memory: Annotated[
        bool, Option("take the running guest's memory into an external one, too")
    ] = False,
    leave_out: Annotated[
        str | None, Option("disks that are left as they are, by target, with commas between")
    ] = None,
    quiesce: Annotated[
        bool, Option("the guest's agent holds its file systems still meanwhile")
    ] = False,
    live: Annotated[
        bool, Option("the guest runs on while its memory is written; that takes longer")
    ] = False,
    memspec: Annotated[
        str | None,
        Option("the file for the memory; beside the first image unless given", label="Memory file"),
    ] = None,
    force: FORCE = False,
) -> str:
    """Take a snapshot of a domain: its disks, and a running guest's memory.

    An external one takes the memory only where that is asked for. What would be taken is shown
    first, and what cannot be, with the reason.
    """
    from tuivirt.backend.snapshots import make

    values = {
        "name_": name_,
        "description": description,
        "kind": kind,
        "memory": memory,
        "leave_out": leave_out,
        "quiesce": quiesce,
        "live": live,
        "memspec": memspec,
    }
    return make.create(
        run.host,
        domain.uuid,
        values,
        force=force,
        aborted=run.aborted,
        progress=run.progress,
        chose=run.chose,
    )


@action(
    "domain",
    title="List its snapshots",
    virsh="virsh snapshot-list {name} --tree",
    api="virDomainListAllSnapshots",
    changes=False,
    bulk=False,
)
def snapshot_list(run: Run, domain: Domain) -> str:
    """List a domain's snapshots as a tree, the current one marked, and what is half done."""
    from tuivirt.backend.snapshots import listing

    return listing.as_text(run.host, domain.uuid)


def _plan_revert(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.snapshots import revert

    return revert.plan_for(host, key, values)


def _checked_revert(values: Mapping[str, Any]) -> None:
    from tuivirt.backend.snapshots import revert

    revert.check(values)


@action(
    "domain",
    title="Go back to a snapshot",
    virsh="virsh snapshot-revert {name} {snapshotname}[running? --running][paused? --paused]"
    "[force? --force]",
    api="virDomainRevertToSnapshot",
    bulk=False,
    destructive=True,
    confirm="Take {name} back to a snapshot? What it has written since is lost.",
    plan=_plan_revert,
    check=_checked_revert,
)
def snapshot_revert(
    run: Run,
    domain: Domain,
    *,
    snapshotname: SNAPSHOT,
    running: Annotated[bool, Option("it runs afterwards, whatever it did then")] = False,
    paused: Annotated[bool, Option("it is paused afterwards")] = False,
    force: FORCE = False,
) -> str:
    """Take a domain back to what it was at a snapshot; what was written since is lost."""
    from tuivirt.backend.snapshots import revert

    return revert.revert(
        run.host, domain.uuid, snapshotname, running=running, paused=paused, force=force
    )


def _plan_delete(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.snapshots import remove

    return remove.plan_for(host, key, values)


def _checked_delete(values: Mapping[str, Any]) -> None:
    from tuivirt.backend.snapshots import remove

    remove.check(values)


@action(
    "domain",
    title="Delete a snapshot",
    virsh="virsh snapshot-delete {name} {snapshotname}[children? --children]"
    "[children_only? --children-only][metadata? --metadata]",
    api="virDomainSnapshotDelete",
    bulk=False,
    destructive=True,
    confirm="Delete a snapshot of {name}? It stays as it is, but cannot go back there any more.",
    plan=_plan_delete,
    check=_checked_delete,
)
def snapshot_delete(
    run: Run,
    domain: Domain,
    *,
    snapshotname: SNAPSHOT,
    children: Annotated[bool, Option("and all that grew out of it")] = False,
    children_only: Annotated[bool, Option("only what grew out of it")] = False,
    metadata: Annotated[
        bool, Option("libvirt alone forgets it; what it holds stays in the images", cli_only=True)
    ] = False,
    force: FORCE = False,
) -> str:
    """Delete a snapshot; the domain stays as it is, but cannot go back there any more."""
    from tuivirt.backend.snapshots import remove

    return remove.delete(
        run.host,
        domain.uuid,
        snapshotname,
        children=children,
        children_only=children_only,
        metadata=metadata,
        force=force,
        aborted=run.aborted,
        progress=run.progress,
    )


@action(
    "domain",
    title="Show a snapshot's XML",
    virsh="virsh snapshot-dumpxml {name} {snapshotname}[security_info? --security-info]",
    api="virDomainSnapshotGetXMLDesc",
    changes=False,
    bulk=False,
    view=True,
)
def snapshot_dumpxml(
    run: Run,
    domain: Domain,
    *,
    snapshotname: SNAPSHOT,
    security_info: Annotated[
        bool, Option("with its secrets, as passwords of screens", cli_only=True)
    ] = False,
) -> str:
    """Print libvirt's record of a snapshot, without its secrets unless they are asked for.

    To be given back as it is (snapshot-redefine) it takes them.
    """
    from tuivirt.backend.snapshots import records

    return records.xml_of(run.host, domain.uuid, snapshotname, secrets=security_info)


def _checked_edit(values: Mapping[str, Any]) -> None:
    from tuivirt.backend.snapshots import records

    records.check(values)


@action(
    "domain",
    title="Describe or rename a snapshot",
    virsh="virsh snapshot-edit {name} {snapshotname}[rename? --rename]",
    api="virDomainSnapshotCreateXML",
    bulk=False,
    check=_checked_edit,
)
def snapshot_edit(
    run: Run,
    domain: Domain,
    *,
    snapshotname: SNAPSHOT,
    description: Annotated[
        str | None, Option("what it is for; as it was unless given", label="Description")
    ] = None,
    no_description: Annotated[bool, Option("it has no description any more")] = False,
    rename: Annotated[
        str | None,
        Option("what it is called from now on; an internal one keeps its name", label="New name"),
    ] = None,
) -> str:
    """Change what libvirt notes of a snapshot: its description, and the name of an external one.

    What it holds is not touched, it stays the current one, and what grew out of it stays below it.
    """
    from tuivirt.backend.snapshots import records

    values = {"description": description, "no_description": no_description, "rename": rename}
    return records.edit(run.host, domain.uuid, snapshotname, values)


def _plan_redefine(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.snapshots import records

    return records.plan_redefine(host, key, values)


@action(
    "domain",
    title="Give a snapshot's record back",
    virsh="virsh snapshot-create {name} {file} --redefine[current? --current]",
    api="virDomainSnapshotCreateXML",
    bulk=False,
    plan=_plan_redefine,
)
def snapshot_redefine(
    run: Run,
    domain: Domain,
    *,
    file: Annotated[
        str, Option("the file with its XML, as snapshot-dumpxml prints it", positional=True)
    ],
    current: Annotated[bool, Option("it is the one that the domain grew out of")] = False,
    force: FORCE = False,
) -> str:
    """Have libvirt know a snapshot by its XML in a file, as after the domain was defined anew.

    Images and guest are not touched: what the snapshot holds has to be there.
    """
    from tuivirt.backend.snapshots import records

    return records.redefine(run.host, domain.uuid, file, current=current, force=force)


def refused(facts: Facts, values: Mapping[str, Any]) -> Mapping[tuple[str, str], str]:
    """By option of snapshot-create and choice why it cannot be beside the other ``values``.

    ``facts`` as `lookups.snapshot_facts` tells them; of a flag the choice is ``yes``.
    """
    from tuivirt.backend.snapshots import offered

    return offered.refused(facts, values)


def troubles(host: Host, key: str) -> tuple[Trouble, ...]:
    """What of a domain's snapshots does not fit together. Raises TuivirtError."""
    from tuivirt.backend.snapshots.read import snapshots_of
    from tuivirt.backend.snapshots.troubles import troubles_of

    return troubles_of(host, key, snapshots_of(host, key))
