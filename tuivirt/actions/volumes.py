"""The volumes of a storage pool: made, copied, resized, wiped, moved to and from files, deleted.

Declared when somebody asks for what can be done, as none of it has a key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from tuivirt.backend.model.resources import Pool, Volume

from .plans import FORCE
from .pools import is_inactive
from .registry import Action, Option, Run, action
from .volume_files import VOLUME

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.model.finding import Planned


@action(
    "pool",
    title="List its volumes",
    virsh="virsh vol-list {name} --details",
    api="virStoragePoolListAllVolumes",
    changes=False,
    bulk=False,
    unavailable=is_inactive,
)
def vol_list(run: Run, pool: Pool) -> str:
    """List a pool's volumes: their sizes, what they take, and who uses them."""
    from tuivirt.backend.storage import listing

    return listing.as_text(run.host, pool.uuid)


@action(
    "pool",
    title="Tell of a volume",
    virsh="virsh vol-info {vol} --pool {name}",
    api="virStorageVolGetXMLDesc",
    changes=False,
    bulk=False,
    unavailable=is_inactive,
)
def vol_info(run: Run, pool: Pool, *, vol: VOLUME) -> str:
    """Tell of a volume: its sizes, the snapshots in it, what it lies on, and who uses it."""
    from tuivirt.backend.storage import listing

    return listing.details(run.host, pool.uuid, vol)


def _checked_create(values: Mapping[str, Any]) -> None:
    from tuivirt.backend.storage import create

    create.check(values)


@action(
    "pool",
    title="Make a volume",
    virsh=(
        "virsh vol-create-as {name} {vol} {capacity}[ --allocation {allocation}]"
        "[ --format {format}][ --backing-vol {backing_vol}]"
        "[ --backing-vol-format {backing_vol_format}][prealloc_metadata? --prealloc-metadata]"
    ),
    otherwise=(
        "virsh vol-create {name} VOLUME.xml[prealloc_metadata? --prealloc-metadata]",
        frozenset(("secret", "cluster_size")),
    ),
    api="virStorageVolCreateXML",
    bulk=False,
    unavailable=is_inactive,
    check=_checked_create,
    lane="moves",
)
def vol_create(
    run: Run,
    pool: Pool,
    *,
    vol: Annotated[str, Option("its name", label="Name", positional=True)],
    capacity: Annotated[str, Option("what the guest sees, as in 20G", positional=True)],
    format: Annotated[
        str | None,
        Option("of its image, as in qcow2; raw, or the pool's own, unless given"),
    ] = None,
    allocation: Annotated[
        str | None,
        Option("what is taken at once; of a raw one all unless given, 0: as it is written"),
    ] = None,
    backing_vol: Annotated[
        str | None,
        Option("a volume that it lies on: only what differs is written", label="Lies on"),
    ] = None,
    backing_vol_format: Annotated[
        str | None,
        Option(
            "the format of that, where no domain says it: what it looks like, a guest may have "
            "written into it",
            label="Its format",
        ),
    ] = None,
    prealloc_metadata: Annotated[
        bool, Option("make the tables of a qcow2 image now: larger, but faster later")
    ] = False,
    prealloc_falloc: Annotated[
        bool,
        Option("take all of a qcow2 image now, tables and data: the guest never runs out of room"),
    ] = False,
    cluster_size: Annotated[
        str | None,
        Option("of a qcow2 image, from 512 to 2M: large for large files; 64K unless given"),
    ] = None,
    secret: Annotated[
        str | None,
        Option("encrypt it (LUKS) with this secret (UUID or usage); secret-define makes one"),
    ] = None,
) -> str:
    """Make a volume in a pool.

    Sizes are typed as 20G or 512M; a bare number is bytes, as in virsh.
    """
    from tuivirt.backend.sizes import for_virsh
    from tuivirt.backend.storage import create

    values = {
        "vol": vol,
        "capacity": capacity,
        "format": format,
        "allocation": allocation,
        "backing_vol": backing_vol,
        "backing_vol_format": backing_vol_format,
        "prealloc_metadata": prealloc_metadata,
        "prealloc_falloc": prealloc_falloc,
        "cluster_size": cluster_size,
        "secret": secret,
    }
    taken = capacity if prealloc_falloc else allocation or ("0" if prealloc_metadata else None)
    run.chose(
        capacity=for_virsh(capacity),
        allocation=for_virsh(taken) if taken else None,
        # virsh, as libvirt, says the second by the first and the allocation.
        prealloc_metadata=prealloc_metadata or prealloc_falloc,
    )
    return create.create(run.host, pool.uuid, values, aborted=run.aborted, progress=run.progress)


def _plan_clone(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.storage import create

    return create.plan_clone(host, key, values)


def _checked_clone(values: Mapping[str, Any]) -> None:
    from tuivirt.backend.storage import create

    create.check_clone(values)


@action(
    "pool",
    title="Copy a volume",
    # Its vol-clone takes more ahead than the tables, see cloned_volume.
    virsh="virsh[!prealloc_metadata? vol-clone {vol} {newname} --pool {name}]"
    "[prealloc_metadata? vol-create-from {name} VOLUME.xml {vol} --inputpool {name}"
    " --prealloc-metadata][reflink? --reflink]",
    api="virStorageVolCreateXMLFrom",
    bulk=False,
    unavailable=is_inactive,
    plan=_plan_clone,
    check=_checked_clone,
    lane="moves",
)
def vol_clone(
    run: Run,
    pool: Pool,
    *,
    vol: VOLUME,
    newname: Annotated[str, Option("what the copy is called", label="New name", positional=True)],
    prealloc_metadata: Annotated[
        bool, Option("make the tables of a qcow2 image now: larger, but faster later")
    ] = False,
    reflink: Annotated[
        bool, Option("share what is equal, on btrfs and XFS: nothing is copied")
    ] = False,
    force: FORCE = False,
) -> str:
    """Copy a volume within its pool.

    libvirt cannot stop it: an abort lets it go on, unseen.
    """
    from tuivirt.backend.storage import create

    values = {
        "vol": vol,
        "newname": newname,
        "prealloc_metadata": prealloc_metadata,
        "reflink": reflink,
    }
    return create.clone(
        run.host, pool.uuid, values, force=force, aborted=run.aborted, progress=run.progress
    )


def _plan_resize(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.storage import resize

    return resize.plan_for(host, key, values)


def _checked_resize(values: Mapping[str, Any]) -> None:
    from tuivirt.backend.storage import resize

    resize.check(values)


@action(
    "pool",
    title="Resize a volume",
    lane="moves",
    virsh="virsh vol-resize {vol} {capacity} --pool {name}[delta? --delta][shrink? --shrink]"
    "[allocate? --allocate]",
    api="virStorageVolResize",
    bulk=False,
    unavailable=is_inactive,
    plan=_plan_resize,
    check=_checked_resize,
)
def vol_resize(
    run: Run,
    pool: Pool,
    *,
    vol: VOLUME,
    capacity: Annotated[str, Option("its size then, as in 40G", positional=True)],
    delta: Annotated[bool, Option("by so much, not to so much")] = False,
    shrink: Annotated[bool, Option("make it smaller: what lies beyond is lost")] = False,
    allocate: Annotated[bool, Option("take what is new at once")] = False,
    force: FORCE = False,
) -> str:
    """Make a volume larger, or with --shrink smaller.

    The disk of a guest that runs is resized by blockresize instead.
    """
    from tuivirt.backend.sizes import for_virsh
    from tuivirt.backend.storage import resize

    values = {
        "vol": vol,
        "capacity": capacity,
        "delta": delta,
        "shrink": shrink,
        "allocate": allocate,
    }
    run.chose(capacity=for_virsh(capacity))
    return resize.resize(
        run.host, pool.uuid, values, force=force, aborted=run.aborted, progress=run.progress
    )


def _plan_wipe(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.storage import remove

    return remove.plan_wipe(host, key, values)


@action(
    "pool",
    title="Wipe a volume",
    virsh="virsh vol-wipe {vol} --pool {name}[ --algorithm {algorithm}]",
    api="virStorageVolWipePattern",
    bulk=False,
    destructive=True,
    confirm="Write over a volume of {name}? What is in it is lost for good.",
    unavailable=is_inactive,
    plan=_plan_wipe,
    lane="moves",
)
def vol_wipe(
    run: Run,
    pool: Pool,
    *,
    vol: VOLUME,
    algorithm: Annotated[
        str,
        Option(
            "how; all but zero and trim need scrub on the host",
            choices=(
                "zero",
                "nnsa",
                "dod",
                "bsi",
                "gutmann",
                "schneier",
                "pfitzner7",
                "pfitzner33",
                "random",
                "trim",
            ),
        ),
    ] = "zero",
    force: FORCE = False,
) -> str:
    """Write over all that is in a volume that nobody uses."""
    from tuivirt.backend.storage import remove

    values = {"vol": vol, "algorithm": algorithm}
    return remove.wipe(
        run.host, pool.uuid, values, force=force, aborted=run.aborted, progress=run.progress
    )


def _plan_delete(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.storage import remove

    return remove.plan_delete(host, key, values)


@action(
    "pool",
    title="Delete a volume",
    lane="moves",
    virsh="virsh vol-delete {vol} --pool {name}[delete_snapshots? --delete-snapshots]",
    api="virStorageVolDelete",
    bulk=False,
    destructive=True,
    confirm="Delete a volume of {name}? What is in it is gone for good.",
    unavailable=is_inactive,
    plan=_plan_delete,
)
def vol_delete(
    run: Run,
    pool: Pool,
    *,
    vol: VOLUME,
    delete_snapshots: Annotated[
        bool, Option("its own snapshots, too, where the storage keeps such (RBD)", cli_only=True)
    ] = False,
    force: FORCE = False,
) -> str:
    """Delete a volume that no domain and no other volume uses."""
    from tuivirt.backend.storage import remove

    values = {"vol": vol, "delete_snapshots": delete_snapshots}
    return remove.delete(
        run.host, pool.uuid, values, force=force, aborted=run.aborted, progress=run.progress
    )


def formats_offered(host: Host, key: str) -> tuple[str, ...]:
    """What a new volume of a pool can be, for a form; (): there is no choice.

    Raises TuivirtError.
    """
    from tuivirt.backend.storage.offers import formats_in

    return formats_in(host, key)


def details(host: Host, key: str, vol: str) -> str:
    """What there is to say of a volume, for a screen. Raises TuivirtError."""
    from tuivirt.backend.storage import listing

    return listing.details(host, key, vol)


def names(host: Host, key: str) -> tuple[Volume, ...]:
    """A pool's volumes by name alone, for a screen of thousands. Raises TuivirtError."""
    from tuivirt.backend.storage.read import names_in

    return names_in(host, key)


def some(host: Host, key: str, names: Sequence[str]) -> tuple[Volume, ...]:
    """These volumes, without their users: those that are in view. Raises TuivirtError."""
    from tuivirt.backend.storage.read import some_of

    return some_of(host, key, names)


def with_halves(host: Host, _key: str, known: Sequence[Volume]) -> tuple[Volume, ...]:
    """Those of a pool's volumes into which an upload was cut off, with what to say of it."""
    from tuivirt.backend.storage.unfinished import by_volume

    said = by_volume(host, known)
    return tuple(replace(each, half=said[each.name]) for each in known if each.name in said)


def of_volumes() -> list[Action]:
    """Those that are about one of a pool's volumes, in the order of their menu."""
    from .registry import ACTIONS

    names = ("info", "create", "clone", "resize", "upload", "download", "wipe", "delete")
    return [ACTIONS[f"vol-{name}"] for name in names]
