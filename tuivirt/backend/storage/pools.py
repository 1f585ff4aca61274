"""A storage pool is defined, built, and taken away; what there is to make one of is looked for."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import Aborted, BadInput, NotFound, TuivirtError, from_libvirt, is_gone
from ..here import is_here
from ..lifecycle import Progress
from ..model.finding import Finding, Plan, Weight
from ..model.pool_type import POOL_TYPES, PoolType
from ..model.ref import Kind
from ..owners import against_overwriting, risks
from ..owners.within import Within, domains_within
from ..passthrough.blocks import name_of
from ..snapshots.judge import refuse
from ..switching import Switch
from ..xml.new_pool import new_pool
from ..xml.tree import skim, text_of
from .find import touch
from .offers import pool_types
from .slow import call_for_pool

if TYPE_CHECKING:
    from ..host import Host

_NEVER = re.compile(r"[\x00-\x1f\x7f/]")
_FIELDS = ("source_host", "source_path", "source_dev", "source_name", "target", "source_format",
           "source_initiator", "source_protocol_ver", "adapter_name", "adapter_wwnn",
           "adapter_wwpn", "adapter_parent", "auth_type", "auth_username", "secret_uuid",
           "secret_usage")  # fmt: skip


def _option(field: str) -> str:
    return "--" + field.replace("_", "-")


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options cannot be right together."""
    name = str(values["pool"])
    if _NEVER.search(name) or not name.strip():
        raise BadInput("a pool's name has no slash and no control character", repr(name))
    if values.get("overwrite") and values.get("no_overwrite"):
        raise BadInput("overwrite and no-overwrite exclude one another")
    if (values.get("overwrite") or values.get("no_overwrite")) and not values.get("build"):
        raise BadInput("overwriting is about building", advice="say --build as well")
    if values.get("secret_uuid") and values.get("secret_usage"):
        raise BadInput("the secret is told by its UUID or by its usage, not by both")
    check_type(values)


def check_type(values: Mapping[str, Any]) -> PoolType:
    """The type of pool that is asked for, with all that it needs. Raises BadInput."""
    kind = POOL_TYPES[str(values.get("type") or "dir")]
    given = {field for field in _FIELDS if values.get(field)}
    missing = [each for each in kind.needs if each not in given]
    what = f"a pool of the type {kind.name} ({kind.what})"
    if missing:
        raise BadInput(f"{what} needs {', '.join(map(_option, missing))}")
    strange = sorted(given - {*kind.needs, *kind.may})
    if strange:
        raise BadInput(f"{what} has no {', '.join(map(_option, strange))}")
    if kind.name == "scsi" and not given & {"adapter_name", "adapter_wwpn"}:
        raise BadInput(f"{what} needs --adapter-name, or --adapter-wwnn and --adapter-wwpn")
    form = values.get("source_format")
    if form and form not in kind.formats:
        raise BadInput(f"{what} is of one of the formats {', '.join(kind.formats)}", str(form))
    if values.get("auth_type") and not (
        values.get("auth_username") and (values.get("secret_uuid") or values.get("secret_usage"))
    ):
        raise BadInput(
            "to authenticate takes a user and a secret",
            advice="--auth-username, and --secret-usage or --secret-uuid",
        )
    target = str(values.get("target") or "")
    if target and not target.startswith("/"):
        raise BadInput("the target is a path on the host", f"{target!r} does not begin with /")
    return kind


def definition(values: Mapping[str, Any]) -> str:
    """The new pool's XML. Raises BadInput."""
    kind = check_type(values)
    name = str(values["pool"])
    fields = {field: values.get(field) for field in _FIELDS}
    if not fields["target"] and kind.target:
        fields["target"] = kind.target.format(name=values.get("source_name") or name)
    if kind.name == "logical" and not fields["source_name"]:
        fields["source_name"] = name
    if fields["auth_username"] and not fields["auth_type"]:
        fields["auth_type"] = "ceph" if kind.name == "rbd" else "chap"
    return new_pool(name, kind.name, fields)


def plan_define(host: Host, _key: str, values: Mapping[str, Any]) -> Plan:
    """What would be defined and made, and what would be written over. Raises TuivirtError."""
    check(values)
    kind, name = POOL_TYPES[str(values.get("type") or "dir")], str(values["pool"])
    devices = [each for each in str(values.get("source_dev") or "").split(",") if each]
    steps = [f"Pool {name} is defined: {kind.what}"]
    findings: list[Finding] = []
    if values.get("build"):
        findings = _against_building(host, kind, devices, overwrite=bool(values.get("overwrite")))
        steps.append(f"What it needs is made: {', '.join(devices) or values.get('target') or ''}")
    if values.get("start"):
        steps.append("It is started.")
    return Plan(name, tuple(steps), tuple(findings))


def _against_building(
    host: Host, kind: PoolType | None, devices: Sequence[str], *, overwrite: bool
) -> list[Finding]:
    """Whose the devices are, and what is lost with what is on them."""
    findings: list[Finding] = []
    if kind is None or not kind.builds:
        return findings
    for device in devices:
        for each in (device, *_partitions(host, device)):
            findings += against_overwriting(host, each)
    if overwrite:
        text = f"{kind.builds}: all that is on {', '.join(devices) or 'them'} is lost"
        findings.append(Finding(Weight.RISK, text))
    return findings


def _partitions(host: Host, device: str) -> list[str]:
    """Those of a disk of this machine: parted writes a new table though a guest has one of them."""
    name = name_of(device) if is_here(host) else ""
    if not name:
        return []
    found = Path("/sys/class/block").glob(f"{name}/{name}*/partition")
    return [f"/dev/{each.parent.name}" for each in sorted(found)]


def define(
    host: Host,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Define a pool, and build, start and autostart it where that is asked for.

    Source: virStoragePoolDefineXML. What fails half-way says what was done. Raises Aborted,
    BadInput, TuivirtError.
    """
    host.require_write()
    check(values)
    xml, name = definition(values), str(values["pool"])
    kind = str(values.get("type") or "dir")
    what = f"cannot define pool {name}"
    _refuse_unsupported(host, kind, what)
    _refuse_known(host, name)
    refuse(plan_define(host, "", values), what, force)
    try:
        pool = host.conn.storagePoolDefineXML(xml, 0)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    done = [f"pool {name} is defined"]
    try:
        if values.get("build"):
            flags = _build_flags(values)
            building = f"the building of pool {name}"
            call_for_pool(lambda: pool.build(flags), building, "building it", aborted, progress)
            done.append("built")
        if values.get("start"):
            starting = f"the start of pool {name}"
            call_for_pool(lambda: pool.create(0), starting, "starting it", aborted, progress)
            done.append("active")
        if values.get("autostart"):
            pool.setAutostart(1)
            done.append("started with the host")
    except Aborted as error:
        error.done = ", ".join(done)
        raise
    except libvirt.libvirtError as error:
        failure = from_libvirt(error, f"pool {name} is not what was asked for", _advice(error))
        failure.done = ", ".join(done)
        raise failure from error
    finally:
        touch(host, pool)
    return ", ".join(done)


def _refuse_unsupported(host: Host, kind: str, what: str) -> None:
    there = pool_types(host)
    if there and kind not in there:
        raise BadInput(
            what,
            f"the host's libvirt has no pools of the type {kind}",
            f"it has {', '.join(sorted(there))}; others come in packages of their own"
            f" (Debian: libvirt-daemon-driver-storage-{kind})",
        )


def _refuse_known(host: Host, name: str) -> None:
    """libvirt would change the pool of that name instead."""
    try:
        host.pool(name)
    except NotFound:
        return
    raise BadInput(f"there is a pool {name} already", advice="choose another name")


def _build_flags(values: Mapping[str, Any]) -> int:
    if values.get("overwrite"):
        return int(libvirt.VIR_STORAGE_POOL_BUILD_OVERWRITE)
    if values.get("no_overwrite"):
        return int(libvirt.VIR_STORAGE_POOL_BUILD_NO_OVERWRITE)
    return int(libvirt.VIR_STORAGE_POOL_BUILD_NEW)


def _advice(error: libvirt.libvirtError) -> str:
    text = (error.get_error_message() or "").lower()
    if "cannot open directory" in text or "no such file" in text:
        return "build it first: tuivirt pool-build"
    if "wrong fs type" in text:
        return (
            "is there a file system of that format on it? tuivirt pool-build --no-overwrite makes"
            " one where nothing is; without it only the folder is made"
        )
    if "already" in text and ("formatted" in text or "overwrite" in text):
        return "--overwrite loses what is there; without --build nothing is made"
    return ""


def plan_build(host: Host, key: str, values: Mapping[str, Any]) -> Plan:
    """What would be made, and written over. Raises TuivirtError."""
    pool = host.pool(key)
    root = skim(pool.XMLDesc(libvirt.VIR_STORAGE_XML_INACTIVE), "pool")
    kind = POOL_TYPES.get(str(root.get("type", "")))
    name, findings = pool.name(), []
    devices = [each.get("path", "") for each in root.iterfind("source/device")]
    if pool.isActive():
        findings.append(Finding(Weight.REFUSED, f"pool {name} is active", "stop it first"))
    if kind is not None and kind.builds:
        findings += _against_users(name, domains_within(host, pool))
    findings += _against_building(host, kind, devices, overwrite=bool(values.get("overwrite")))
    where = text_of(root, "target/path")
    steps = [f"What pool {name} needs is made: {where or ', '.join(devices)}"]
    return Plan(name, tuple(steps), tuple(findings))


def build(
    host: Host,
    key: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Make what a pool needs: a folder, a file system, a partition table, a volume group.

    ``values``: overwrite, no_overwrite. Source: virStoragePoolBuild. Raises Aborted, TuivirtError.
    """
    host.require_write()
    if values.get("overwrite") and values.get("no_overwrite"):
        raise BadInput("overwrite and no-overwrite exclude one another")
    pool = host.pool(key)
    what = f"cannot build pool {pool.name()}"
    refuse(plan_build(host, key, values), what, force)
    flags, named = _build_flags(values), f"the building of pool {pool.name()}"
    try:
        call_for_pool(lambda: pool.build(flags), named, "building it", aborted, progress)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what, _advice(error)) from error
    finally:
        touch(host, pool)
    return f"pool {pool.name()} is built; it can be started"


def _against_users(name: str, users: Within) -> list[Finding]:
    found = []
    if users.domains:
        text = f"pool {name} is in use by domain {', '.join(users.domains)}"
        advice = "detach their disks first; snapshot-delete --metadata lets go of a snapshot's"
        found.append(Finding(Weight.REFUSED, text, advice))
    return found + risks(users.unsure)


def plan_delete(host: Host, key: str, _values: Mapping[str, Any]) -> Plan:
    """What would be lost with a pool. Raises TuivirtError."""
    pool = host.pool(key)
    name, findings = pool.name(), []
    root = skim(pool.XMLDesc(0), "pool")
    devices = [each.get("path", "") for each in root.iterfind("source/device")]
    where = text_of(root, "target/path") or ", ".join(devices)
    if pool.isActive():
        findings.append(
            Finding(Weight.REFUSED, f"pool {name} is active", "stop it first; its volumes stay")
        )
    findings += _against_users(name, domains_within(host, pool))
    findings.append(Finding(Weight.RISK, f"what pool {name} lies on is gone for good: {where}"))
    steps = [
        f"What pool {name} lies on is deleted; its definition stays.",
        "   a folder has to be empty for that; of a volume group all is lost",
    ]
    return Plan(name, tuple(steps), tuple(findings))


def delete(
    host: Host,
    key: str,
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Delete what a pool lies on. Source: virStoragePoolDelete. Raises Aborted, TuivirtError."""
    host.require_write()
    pool = host.pool(key)
    what = f"cannot delete what pool {pool.name()} lies on"
    refuse(plan_delete(host, key, {}), what, force)
    normal, named = libvirt.VIR_STORAGE_POOL_DELETE_NORMAL, f"the deletion of pool {pool.name()}"
    try:
        call_for_pool(lambda: pool.delete(normal), named, "deleting it", aborted, progress)
    except libvirt.libvirtError as error:
        full = "not empty" in (error.get_error_message() or "").lower()
        advice = "start it and delete its volumes first" if full else ""
        raise from_libvirt(error, what, advice) from error
    finally:
        touch(host, pool)
    return f"what pool {pool.name()} lies on is deleted; pool-undefine forgets the pool itself"


def undefine(host: Host, key: str) -> str:
    """Forget a pool's definition; what is in it stays. Source: virStoragePoolUndefine."""
    host.require_write()
    pool = host.pool(key)
    name, what = pool.name(), f"cannot undefine pool {pool.name()}"
    users = domains_within(host, pool)
    switch = Switch(host, Kind.POOL, pool)
    try:
        if pool.isActive():
            raise BadInput(what, "it is active", "stop it first (pool-destroy): its volumes stay")
        pool.undefine()
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    finally:
        switch.touch()
    try:
        if pool.isPersistent():
            raise TuivirtError(what, "libvirt took the call, but it is still defined")
    except libvirt.libvirtError as error:
        if not is_gone(error):
            raise from_libvirt(error, f"cannot tell whether {name} is undefined") from error
    said = f"pool {name} is undefined; what is in it stays"
    if users.domains:
        said += f". {', '.join(users.domains)} has disks there, found by their paths alone now"
    return "; ".join((said, *users.unsure))
