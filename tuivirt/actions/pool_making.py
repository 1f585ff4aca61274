"""Storage pools: defined, built, found, deleted.

Declared when somebody asks for what can be done, as none of it has a key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from tuivirt.backend.model.host import HostSnapshot
from tuivirt.backend.model.pool_type import POOL_TYPES
from tuivirt.backend.model.resources import Pool

from .plans import FORCE
from .registry import Option, Run, action

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.model.finding import Planned

_TYPE = "what its volumes are: " + "; ".join(f"{e.name}: {e.what}" for e in POOL_TYPES.values())
OVERWRITE = Annotated[bool, Option("what is on the device is lost")]
NO_OVERWRITE = Annotated[bool, Option("only if nothing is on the device")]


def _is_active(pool: Pool) -> str:
    return f"pool {pool.name} is active: stop it first" if pool.active else ""


def _is_kept(pool: Pool) -> str:
    if not pool.persistent:
        return f"pool {pool.name} is transient: it is gone when it stops"
    return _is_active(pool)


def types_offered(host: Host, _key: str = "") -> frozenset[str]:
    """The types of pools that a host can have; none: it does not tell. Raises TuivirtError."""
    from tuivirt.backend.storage.offers import pool_types

    return frozenset(pool_types(host))


def sources_found(host: Host, given: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    """What a pool could be made of, by the names of `pool_define_as`'s parameters.

    ``given``: the type, and the server and initiator where they are known. Raises TuivirtError.
    """
    from tuivirt.backend.storage.sources import found_in_time

    said = (str(given.get(word) or "") for word in ("type", "source_host", "source_initiator"))
    return found_in_time(host, *said)


def _plan_define(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.storage import pools

    return pools.plan_define(host, key, values)


def _checked_definition(values: Mapping[str, Any]) -> None:
    from tuivirt.backend.storage import pools

    pools.check(values)


@action(
    "host",
    title="Define a storage pool",
    virsh=(
        "virsh pool-define-as {pool} {type}[ --target {target}][ --source-host {source_host}]"
        "[ --source-path {source_path}][ --source-dev {source_dev}][ --source-name {source_name}]"
        "[ --source-format {source_format}][ --source-initiator {source_initiator}]"
        "[ --source-protocol-ver {source_protocol_ver}][ --adapter-name {adapter_name}]"
        "[ --adapter-wwnn {adapter_wwnn}][ --adapter-wwpn {adapter_wwpn}]"
        "[ --adapter-parent {adapter_parent}][ --auth-type {auth_type}]"
        "[ --auth-username {auth_username}][ --secret-usage {secret_usage}]"
        "[ --secret-uuid {secret_uuid}]"
    ),
    api="virStoragePoolDefineXML",
    bulk=False,
    plan=_plan_define,
    check=_checked_definition,
    lane="moves",
)
def pool_define_as(
    run: Run,
    host: HostSnapshot,
    *,
    pool: Annotated[str, Option("its name", label="Name", positional=True)],
    type: Annotated[str, Option(_TYPE, choices=tuple(POOL_TYPES))] = "dir",
    target: Annotated[
        str | None, Option("where its volumes are on the host, as in /var/lib/libvirt/images")
    ] = None,
    source_host: Annotated[
        str | None,
        Option("the server, as in nas or nas:3260; several with commas between", label="Server"),
    ] = None,
    source_path: Annotated[
        str | None, Option("the folder that the server exports", label="Exported folder")
    ] = None,
    source_dev: Annotated[
        str | None,
        Option(
            "the device, as in /dev/sdb, several with commas between; the target of iSCSI",
            label="Device",
        ),
    ] = None,
    source_name: Annotated[
        str | None,
        Option(
            "the volume group, the pool of Ceph or ZFS, the volume of Gluster", label="Name there"
        ),
    ] = None,
    source_format: Annotated[
        str | None, Option("as in ext4, nfs, gpt or lvm2; found out unless given", label="Format")
    ] = None,
    source_initiator: Annotated[
        str | None, Option("the host's own name for iSCSI (IQN)", label="Initiator")
    ] = None,
    source_protocol_ver: Annotated[
        str | None, Option("the version of NFS, as in 4.1", label="NFS version")
    ] = None,
    adapter_name: Annotated[
        str | None, Option("the host bus adapter, as in scsi_host5", label="Adapter")
    ] = None,
    adapter_wwnn: Annotated[
        str | None, Option("the node's name of a Fibre Channel adapter", label="WWNN")
    ] = None,
    adapter_wwpn: Annotated[
        str | None, Option("the port's name of a Fibre Channel adapter", label="WWPN")
    ] = None,
    adapter_parent: Annotated[
        str | None, Option("the adapter that a virtual one is made on", label="Parent adapter")
    ] = None,
    auth_type: Annotated[
        str | None,
        Option("chap for iSCSI, ceph for Ceph", choices=("chap", "ceph"), cli_only=True),
    ] = None,
    auth_username: Annotated[str | None, Option("who libvirt says it is", label="User")] = None,
    secret_usage: Annotated[
        str | None, Option("libvirt's secret with the password, by its usage", cli_only=True)
    ] = None,
    secret_uuid: Annotated[
        str | None, Option("libvirt's secret with the password, by its UUID", label="Secret")
    ] = None,
    build: Annotated[bool, Option("make the folder, file system or volume group")] = False,
    overwrite: OVERWRITE = False,
    no_overwrite: NO_OVERWRITE = False,
    start: Annotated[bool, Option("start it at once")] = False,
    autostart: Annotated[bool, Option("start it with the host")] = False,
    force: FORCE = False,
) -> str:
    """Define a storage pool on a host.

    As virsh pool-define-as does it: tuivirt pool-define-as HOST NAME --type dir --target PATH.
    """
    from tuivirt.backend.storage import pools

    values = {name: value for name, value in locals().items() if name not in ("run", "host")}
    values.pop("pools")
    force = bool(values.pop("force"))
    return pools.define(run.host, values, force=force, aborted=run.aborted, progress=run.progress)


@action(
    "host",
    title="Look for storage",
    virsh=(
        "virsh find-storage-pool-sources-as {type}[ {server}][ {port}][ --initiator {initiator}]"
    ),
    api="virConnectFindStoragePoolSources",
    changes=False,
    bulk=False,
)
def find_storage_pool_sources_as(
    run: Run,
    host: HostSnapshot,
    *,
    type: Annotated[str, Option("of pool: netfs, iscsi, logical, gluster", positional=True)],
    server: Annotated[
        str | None, Option("which is asked what it has, for netfs and iscsi", positional=True)
    ] = None,
    port: Annotated[str | None, Option("of the server", positional=True)] = None,
    initiator: Annotated[
        str | None, Option("the host's own name for iSCSI (IQN)", positional=True)
    ] = None,
) -> str:
    """Look for what a storage pool could be made of: exports, targets, volume groups."""
    from tuivirt.backend.storage import sources

    spec = (server or "", port or "", initiator or "")
    return sources.find_sources(run.host, type, *spec, aborted=run.aborted, progress=run.progress)


def _plan_build(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.storage import pools

    return pools.plan_build(host, key, values)


@action(
    "pool",
    title="Build",
    virsh="virsh pool-build {name}[overwrite? --overwrite][no_overwrite? --no-overwrite]",
    api="virStoragePoolBuild",
    bulk=False,
    unavailable=_is_active,
    plan=_plan_build,
    lane="moves",
)
def pool_build(
    run: Run,
    pool: Pool,
    *,
    overwrite: OVERWRITE = False,
    no_overwrite: NO_OVERWRITE = False,
    force: FORCE = False,
) -> str:
    """Make what a pool needs to be started: its folder, file system, volume group."""
    from tuivirt.backend.storage import pools

    values = {"overwrite": overwrite, "no_overwrite": no_overwrite}
    return pools.build(
        run.host, pool.uuid, values, force=force, aborted=run.aborted, progress=run.progress
    )


@action(
    "pool",
    title="Undefine",
    virsh="virsh pool-undefine {name}",
    api="virStoragePoolUndefine",
    destructive=True,
    confirm="Undefine pool {name}? Its configuration is lost; its volumes stay.",
    unavailable=_is_kept,
)
def pool_undefine(run: Run, pool: Pool) -> str:
    """Forget a pool that is not active; its volumes stay as they are."""
    from tuivirt.backend.storage import pools

    return pools.undefine(run.host, pool.uuid)


def _plan_delete(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.storage import pools

    return pools.plan_delete(host, key, values)


@action(
    "pool",
    title="Delete what it lies on",
    virsh="virsh pool-delete {name}",
    api="virStoragePoolDelete",
    bulk=False,
    destructive=True,
    confirm="Delete what pool {name} lies on? Its folder or volume group is gone for good.",
    unavailable=_is_active,
    plan=_plan_delete,
    lane="moves",
)
def pool_delete(run: Run, pool: Pool, *, force: FORCE = False) -> str:
    """Delete the folder or the volume group of a pool that is not active.

    Needs --force; what the pool is called stays known, until it is undefined.
    """
    from tuivirt.backend.storage import pools

    return pools.delete(
        run.host, pool.uuid, force=force, aborted=run.aborted, progress=run.progress
    )
