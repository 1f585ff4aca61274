"""A volume is made: empty, on top of another, or as a copy of one."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import BadInput, NotFound, TuivirtError, from_libvirt, is_gone
from ..here import is_here
from ..lifecycle import Progress
from ..model.finding import Finding, Plan, Weight
from ..model.resources import Volume
from ..owners import Finder
from ..secrets import named_secret
from ..snapshots.judge import is_before, refuse
from ..xml.tree import skim, text_of
from ..xml.volume import cloned_volume, new_volume, parse_volume
from . import ahead
from .find import active_pool, bytes_of, check_name, find, human, touch
from .images import chain_of
from .judge import in_use
from .offers import FILES, FORMATS, refuse_format
from .slow import call_slowly, refresh
from .unfinished import findings as of_uploads
from .unmeasured import is_unmeasured, until_measured

if TYPE_CHECKING:
    from ..host import Host

_ON_OTHERS = frozenset(("qcow2", "qed", "qcow", "vmdk"))
_LEAST_CLUSTERS = (7, 4)
"""libvirt that can be told how large they are."""
_CLUSTER_BYTES = (512, 2 << 20)
"""The least and the most that QEMU takes."""


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options cannot be right together."""
    check_name(str(values["vol"]))
    if values.get("backing_vol_format") and not values.get("backing_vol"):
        raise BadInput("a backing format is given, but no backing volume", advice="--backing-vol")
    form = values.get("format")
    if values.get("backing_vol") and form and form not in _ON_OTHERS:
        raise BadInput(
            f"an image of the format {form} lies on no other", advice="--format qcow2 does"
        )
    if values.get("secret") and form not in ("raw", "qcow2", None):
        raise BadInput(f"an image of the format {form} is not encrypted", advice="raw or qcow2 is")
    ahead.check(values)
    if values.get("cluster_size"):
        clusters_of(str(values["cluster_size"]))


def clusters_of(text: str) -> int:
    """The bytes of a qcow2 image's clusters. Raises BadInput."""
    size, (least, most) = bytes_of(text, "the size of its clusters"), _CLUSTER_BYTES
    if not least <= size <= most or size & (size - 1):
        raise BadInput(
            f"the size of its clusters cannot be {text!r}",
            f"it is a power of two from {least} bytes to {human(most)}, as in 64K",
        )
    return size


def check_clone(values: Mapping[str, Any]) -> None:
    """Raise BadInput for a name that cannot be."""
    check_name(str(values["newname"]))


def create(
    host: Host,
    pool_key: str,
    values: Mapping[str, Any],
    *,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Make a volume; a sentence of what is there. Source: virStorageVolCreateXML.

    ``values``: vol, capacity, allocation, format, backing_vol, backing_vol_format,
    prealloc_metadata, prealloc_falloc, cluster_size, secret (its UUID or usage). Raises Aborted,
    BadInput, TuivirtError.
    """
    host.require_write()
    check(values)
    pool = active_pool(host, pool_key)
    name, pool_name = str(values["vol"]), pool.name()
    what = f"cannot make volume {name} in pool {pool_name}"
    capacity = bytes_of(str(values["capacity"]), "the capacity")
    given = str(values.get("allocation") or "")
    allocation = bytes_of(given, "the allocation") if given else None
    if not capacity:
        raise BadInput(what, "a volume of no size cannot be")
    if allocation is not None and allocation > capacity:
        raise BadInput(what, "more would be taken than it can hold")
    named, told = (str(values.get(word) or "") for word in ("backing_vol", "backing_vol_format"))
    backing = _backing(host, pool, named, told)
    form = str(values.get("format") or ("qcow2" if backing is not None else ""))
    if not form and any(values.get(option) for option in ahead.ONLY_QCOW2):
        form = "qcow2"
    clusters = clusters_of(str(values["cluster_size"])) if values.get("cluster_size") else None
    if clusters is not None:
        _refuse_old(host, what)
    whole_image = bool(values.get("prealloc_falloc"))
    if whole_image:
        allocation = capacity
    elif values.get("prealloc_metadata") and allocation is None:
        allocation = 0
    secret = named_secret(host, str(values["secret"])) if values.get("secret") else None
    if secret is not None and not form:
        form = "raw"
    kind = _prepare(host, pool, name, form, what, aborted, progress)
    images = kind in FILES
    whole = allocation is None and (not images or form in ("", "raw"))
    _refuse_full(pool, kind, capacity if whole else allocation or 0, what)
    xml = new_volume(
        name,
        capacity,
        allocation=allocation,
        form=form if images or form != "raw" else "",
        backing=backing.path if backing is not None else "",
        backing_format=_backing_format(host, backing, values, what),
        secret=secret.uuid if secret is not None else "",
        clusters=clusters,
    )
    # libvirt has one flag: beside an allocation of all the capacity, which is what it takes where
    # none is told, it takes the data's place too.
    early = whole_image or values.get("prealloc_metadata")
    flags = libvirt.VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA if early else 0
    made = _make(
        pool,
        lambda: pool.createXML(xml, flags),
        name,
        what,
        capacity if whole else allocation or 0,
        f"the making of {name}",
        aborted,
        progress,
    )
    touch(host, pool)
    now = parse_volume(host.name, pool_name, made.XMLDesc(0))
    on = f", on top of {backing.name}" if backing is not None else ""
    locked = f"encrypted ({now.encryption})" if now.encryption else ""
    words = ", ".join(word for word in (human(now.capacity_bytes), now.format, locked) if word)
    said = f"pool {pool_name} has the volume {name}: {words}{on}"
    if whole_image and (now.allocation_bytes or 0) < capacity:
        # An older libvirt knows the flag alone.
        said += f"; of all that was to be taken it takes {human(now.allocation_bytes)}"
    if secret is None or (secret.kind, secret.usage) == ("volume", now.path):
        return said
    return (
        f"{said}; libvirt forgets with which secret when the pool is refreshed,"
        f" as that was not defined for the volume {now.path}"
    )


def plan_clone(host: Host, pool_key: str, values: Mapping[str, Any]) -> Plan:
    """What would be copied, and what speaks against it. Raises TuivirtError."""
    found = find(host, pool_key, str(values["vol"]))
    volume = found.volume
    steps = [
        f"{values['newname']} is made in pool {volume.pool}, as {found.name} is now:",
        f"   {human(volume.capacity_bytes)}, of which {human(volume.allocation_bytes)} are taken",
    ]
    if volume.backing:
        steps.append(f"   it lies on {volume.backing} as well")
    steps += ahead.steps_of_copy(values)
    running = in_use(host, found).running
    findings = ahead.against_copy(volume, values)
    if running:
        text = f"{', '.join(running)} runs and may write to it: the copy is as after a power cut"
        findings.append(
            Finding(Weight.RISK, f"{text} at best", "shut it down, or take a snapshot of it first")
        )
    findings += of_uploads(host, volume)
    return Plan(found.name, tuple(steps), tuple(findings))


def clone(
    host: Host,
    pool_key: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Copy a volume within its pool. Source: virStorageVolCreateXMLFrom.

    ``values``: vol, newname, prealloc_metadata, reflink. Raises Aborted, BadInput, TuivirtError.
    """
    host.require_write()
    check_clone(values)
    found = find(host, pool_key, str(values["vol"]))
    name = str(values["newname"])
    what = f"cannot copy {found.label}"
    refuse(plan_clone(host, pool_key, values), what, force)
    kind = _prepare(host, found.pool, name, "", what, aborted, progress)
    taken = found.volume.allocation_bytes or 0
    if not values.get("reflink"):
        _refuse_full(found.pool, kind, taken, what)
    flags = 0
    if values.get("prealloc_metadata"):
        flags |= libvirt.VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA
    if values.get("reflink"):
        flags |= libvirt.VIR_STORAGE_VOL_CREATE_REFLINK
    xml = cloned_volume(name, found.xml, tables=bool(values.get("prealloc_metadata")))
    _make(
        found.pool,
        lambda: found.pool.createXMLFrom(xml, found.handle, flags),
        name,
        what,
        taken,
        f"the copying of {found.name}",
        aborted,
        progress,
    )
    touch(host, found.pool)
    return f"pool {found.volume.pool} has the volume {name}, a copy of {found.name}"


def _make(
    pool: Any,
    call: Any,
    name: str,
    what: str,
    bytes_then: int,
    named: str,
    aborted: threading.Event | None,
    progress: Progress | None,
) -> Any:
    def far() -> float | None:
        # It is listed while it is filled, and tells how much it takes.
        taken = pool.storageVolLookupByName(name).info()[2]
        return min(1.0, taken / bytes_then) if bytes_then else None

    try:
        return call_slowly(
            lambda: until_measured(call),
            named=named,
            saying="writing it",
            far=far,
            aborted=aborted,
            progress=progress,
            advice=f"delete {name} once it is there",
        )
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what, advice_for(error)) from error


def advice_for(error: libvirt.libvirtError) -> str:
    """What to do about what a storage call failed of; '' where nothing is known."""
    text = (error.get_error_message() or "").lower()
    if is_unmeasured(error):
        return "QEMU could not measure how quick the processor is: try again"
    if "no space" in text or "disk quota" in text or "insufficient free" in text:
        return "make room in the pool's place; what was begun is taken away again"
    if "permission denied" in text or "read-only file system" in text:
        return "look at the owner, the rights and the mount options of the pool's folder"
    if "does not support changing of volume capacity" in text:
        return "have the storage itself do it (of a volume group: lvextend), then refresh the pool"
    if "invalid partition name" in text:
        return "a partition is called as its disk has it: by the name that is expected"
    if "lock" in text:
        return "somebody has the image open: shut down the domain that runs on it"
    if "currently building" in text or "in use" in text:
        return "another task works on it: look at :job, then try again"
    return ""


def _backing(host: Host, pool: Any, name: str, form: str) -> Volume | None:
    """The volume that a new one lies on: of its pool by name, of any by path. Raises BadInput."""
    if not name:
        return None
    try:
        handle = pool.storageVolLookupByName(name)
    except libvirt.libvirtError as error:
        if not is_gone(error):
            raise from_libvirt(error, f"cannot look up {name}") from error
        try:
            handle = host.conn.storageVolLookupByPath(name)
        except libvirt.libvirtError as none:
            raise NotFound(
                f"pool {pool.name()} has no volume {name!r} to lie on",
                advice="give a volume of the pool, or the path of one of another pool",
                code=none.get_error_code(),
            ) from none
    try:
        own = handle.storagePoolLookupByVolume().name()
        volume = parse_volume(host.name, own, handle.XMLDesc(0))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot read {name}") from error
    if is_here(host) and volume.path.startswith("/"):
        for image in chain_of(volume.path, form or volume.format):
            if image.problem and "ermission denied" not in image.problem:
                raise BadInput(
                    f"nothing can lie on {name}: {image.path} is not in order", image.problem
                )
    return volume


def _backing_format(
    host: Host, backing: Volume | None, values: Mapping[str, Any], what: str
) -> str:
    """The format that is written into the new image, as who knows it says: the operator, or the
    domains that have the volume. Raises BadInput where nobody does.

    libvirt tells what an image looks like. A guest may have written the head of a qcow2 image into
    its raw disk: opened as that, it names any file of the host as what it lies on.
    """
    if backing is None:
        return ""
    looks = backing.format if backing.format in FORMATS else "raw"
    said = str(values.get("backing_vol_format") or "")
    if said and said not in FORMATS:
        refuse_format(host, "dir", said, what)
    # As raw it is what its bytes are, and names nothing.
    if said or looks == "raw":
        return said or looks
    known = Finder(host, fresh=False).of(backing.path).form
    if not known:
        raise BadInput(
            what,
            f"nobody says which format {backing.name} has: it looks like {looks}, which a guest "
            "may have written into a raw image",
            f"--backing-vol-format {looks} if you know that it is, else raw",
        )
    return known


def _prepare(
    host: Host,
    pool: Any,
    name: str,
    form: str,
    what: str,
    aborted: threading.Event | None,
    progress: Progress | None,
) -> str:
    """The pool's type, once a volume of that name and format can be. Raises BadInput.

    libvirt writes over a file that it has not seen yet.
    """
    root = skim(pool.XMLDesc(0), "pool")
    kind = str(root.get("type", ""))
    refuse_format(host, kind, form, what)
    info = host.snapshot.info
    if kind in FILES and info is not None and not info.demo:
        if info.local and os.access(text_of(root, "target/path"), os.X_OK):
            there = os.path.lexists(os.path.join(root.findtext("target/path") or "", name))
        else:
            refresh(host, pool, aborted, progress)
            there = False  # What is there is a volume now, which libvirt itself refuses.
        known = name in pool.listVolumes()
        if there and not known:
            raise BadInput(
                what,
                f"a file {name} is there already, which libvirt has not seen yet",
                "refresh the pool, or choose another name",
            )
        if known:
            raise BadInput(what, "there is a volume of that name already", "choose another name")
    return kind


def _refuse_old(host: Host, what: str) -> None:
    """Raises BadInput where libvirt would drop the size of clusters without a word."""
    version = host.snapshot.info.libvirt_version if host.snapshot.info is not None else ""
    if is_before(version, _LEAST_CLUSTERS):
        least = ".".join(map(str, _LEAST_CLUSTERS))
        raise BadInput(
            what,
            f"libvirt {version} cannot be told the size of clusters: it takes {least} or newer",
            "leave it out, or make the image with tuivirt image-create --options cluster_size=…",
        )


def _refuse_full(pool: Any, kind: str, needed: int, what: str) -> None:
    """Raises TuivirtError where the pool has no room for what is written at once."""
    free = int(pool.info()[3])
    if kind in (*FILES, "logical", "disk", "zfs") and needed > free:
        raise TuivirtError(
            what,
            f"{human(needed)} would be taken at once, and {human(free)} are free",
            "make room, or have less taken at once (--allocation)",
        )
