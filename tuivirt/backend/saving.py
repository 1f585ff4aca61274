"""A guest's memory written to a file: saved, to be taken up again, or dumped, to be looked into."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import libvirt

from .backup.folder import about_room, folder_of
from .errors import Aborted, BadInput, from_libvirt, with_rest
from .here import is_here
from .job_call import call_as_job
from .lifecycle import Progress, domain_to_change, state_of, touch
from .lookups import domain_detail
from .model.device import DomainConfig
from .model.domain import DomainState
from .model.finding import Finding, Plan, Weight
from .model.record import record
from .model.size import spelled
from .owners import against_overwriting
from .snapshots.judge import refuse

if TYPE_CHECKING:
    from pathlib import Path

    from .host import Host

_FORMATS = {
    "": libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_RAW,
    "elf": libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_RAW,
    "kdump-zlib": libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_ZLIB,
    "kdump-lzo": libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_LZO,
    "kdump-snappy": libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_SNAPPY,
    "win-dmp": libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_WIN_DMP,
}
FORMATS = tuple(_FORMATS)[1:]
"""virsh's words for the formats of a dump of memory alone."""


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where options exclude one another."""
    for one, other in (
        ("running", "paused"),
        ("live", "crash"),
        ("live", "reset"),
        ("crash", "reset"),
    ):
        if values.get(one) and values.get(other):
            raise BadInput(f"{one} and {other} exclude one another")
    if values.get("format_") and not values.get("memory_only"):
        raise BadInput("a format is about a dump of memory alone", advice="--memory-only")


def path_of(host: Host, text: str) -> str:
    """The file as libvirt is told it. Raises BadInput."""
    if not text.strip():
        raise BadInput("the file has no name")
    if is_here(host):
        return str(folder_of(text))
    if not text.startswith("/"):
        raise BadInput(f"{text} is no path from the root", f"it lies on host {host.name}")
    return text


def _against_file(host: Host, path: str, needed: int, what: str) -> list[Finding]:
    """What speaks against writing a file there."""
    if not is_here(host):
        text = f"whether {path} is there on host {host.name} cannot be seen from here: libvirt "
        text += "writes over it"
        return [Finding(Weight.RISK, text)]
    place = folder_of(path)
    if not place.parent.is_dir():
        text = f"{place.parent} is no folder"
        return [Finding(Weight.REFUSED, text, "name a folder that exists: mkdir makes it")]
    said = [*about_room(place.parent, needed, what), *against_overwriting(host, path)]
    if place.is_dir() or (os.path.lexists(place) and not _is_plain(place)):
        said.append(Finding(Weight.REFUSED, f"{place} is there, and no plain file"))
    elif place.exists():
        text = f"there is {place} already, and what it holds would be lost"
        said.append(Finding(Weight.RISK, text, "name another file, or --force writes over it"))
    return said


def _is_plain(path: Path) -> bool:
    return stat.S_ISREG(os.lstat(path).st_mode)


def memory_of(config: DomainConfig) -> int:
    """Bytes, the most that it may have."""
    return max(config.memory_kib, config.memory_max_kib) * 1024


@record(frozen=True, slots=True)
class _Kind:
    """What a guest's memory is written to a file for."""

    verb: str
    """*cannot VERB web-01*."""
    doing: str
    """*VERB-ing its memory*."""
    about: Callable[[Host, str, DomainConfig, Mapping[str, Any]], tuple[list[Finding], list[str]]]
    """What speaks against it, and the steps after the writing."""
    write: Callable[[Any, str, Mapping[str, Any]], object]
    """Has libvirt write it: given the domain, the path, the options."""
    said: Callable[[Any, str, str], str]
    """What is true then: given the domain, the path, and its size with a comma, or ''."""


def plan_save(host: Host, uuid: str, values: Mapping[str, Any]) -> Plan:
    """What would be written where. Raises BadInput, TuivirtError."""
    return _planned(_SAVE, host, uuid, values)


def plan_dump(host: Host, uuid: str, values: Mapping[str, Any]) -> Plan:
    """What would be written where, and what becomes of the guest. Raises TuivirtError."""
    return _planned(_DUMP, host, uuid, values)


def save(
    host: Host,
    uuid: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Save a running guest's memory to a file and stop it; a sentence of what is true now.

    Aborted, it goes on running. Raises Aborted, BadInput, TuivirtError. Source:
    virDomainSaveFlags.
    """
    return _written(_SAVE, host, uuid, values, force, aborted, progress)


def dump(
    host: Host,
    uuid: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Dump a guest's memory to a file; a sentence of what is true now.

    Raises Aborted, BadInput, TuivirtError. Source: virDomainCoreDumpWithFormat.
    """
    return _written(_DUMP, host, uuid, values, force, aborted, progress)


def _planned(kind: _Kind, host: Host, uuid: str, values: Mapping[str, Any]) -> Plan:
    check(values)
    config = domain_detail(host, uuid).current
    path = path_of(host, str(values["file"]))
    memory = memory_of(config)
    findings, after = kind.about(host, uuid, config, values)
    findings = _against_file(host, path, memory, "its memory") + findings
    step = f"The memory of {config.name}, up to {spelled(memory)}, is {kind.doing} to {path}"
    return Plan(config.name, (step + after[0], *after[1:]), tuple(findings))


def _written(
    kind: _Kind,
    host: Host,
    uuid: str,
    values: Mapping[str, Any],
    force: bool,
    aborted: threading.Event | None,
    progress: Progress | None,
) -> str:
    domain = domain_to_change(host, uuid)
    name = domain.name()
    what = f"cannot {kind.verb} {name}"
    refuse(_planned(kind, host, uuid, values), what, force)
    path = path_of(host, str(values["file"]))
    error, asked = call_as_job(
        domain,
        lambda: kind.write(domain, path, values),
        named=f"the {kind.verb} of {name}",
        saying=f"its memory is {kind.doing}",
        aborted=aborted,
        progress=progress,
    )
    touch(host, uuid)
    _raise(error, asked, what, f"the {kind.verb} of {name} was aborted", path, host)
    size = f", {spelled(os.path.getsize(path))}" if is_here(host) else ""
    return kind.said(domain, path, size)


def flags_of(values: Mapping[str, Any], meant: Mapping[str, int]) -> int:
    """The flags of those options that are set."""
    flags = 0
    for word, flag in meant.items():
        flags |= flag if values.get(word) else 0
    return flags


SAVE_FLAGS = {
    "bypass_cache": libvirt.VIR_DOMAIN_SAVE_BYPASS_CACHE,
    "running": libvirt.VIR_DOMAIN_SAVE_RUNNING,
    "paused": libvirt.VIR_DOMAIN_SAVE_PAUSED,
}
"""By option; of a restore, too."""
_DUMP_FLAGS = {
    "live": libvirt.VIR_DUMP_LIVE,
    "crash": libvirt.VIR_DUMP_CRASH,
    "reset": libvirt.VIR_DUMP_RESET,
    "bypass_cache": libvirt.VIR_DUMP_BYPASS_CACHE,
    "memory_only": libvirt.VIR_DUMP_MEMORY_ONLY,
}


def _about_save(
    host: Host, uuid: str, config: DomainConfig, _values: Mapping[str, Any]
) -> tuple[list[Finding], list[str]]:
    findings = []
    hostdevs = [each.summary for each in config.devices if each.kind == "hostdev"]
    if hostdevs:
        text = f"it has {', '.join(hostdevs)} of its host, whose state cannot be saved"
        findings.append(Finding(Weight.REFUSED, text, "detach it first"))
    if not host.domain(uuid).isPersistent():
        text = f"{config.name} is transient: it is known by the file alone then"
        findings.append(Finding(Weight.NOTE, text))
    note = "what its disks hold is not in the file: do not start it otherwise, or the memory no "
    note += "longer fits them"
    findings.append(Finding(Weight.NOTE, note))
    return findings, [".", "It is off then; restore takes it up where it was."]


def _about_dump(
    _host: Host, _uuid: str, config: DomainConfig, values: Mapping[str, Any]
) -> tuple[list[Finding], list[str]]:
    note = "the file holds all that the guest had in memory, its keys and passwords too"
    findings = [Finding(Weight.NOTE, note, "keep it where nobody else reads it")]
    if values.get("memory_only"):
        findings.append(Finding(Weight.NOTE, "libvirt does not abort a dump of memory alone"))
    after = "It stands still meanwhile, and goes on then."
    lost = "what it has not written is in the dump alone"
    if values.get("crash"):
        after = "It is off then, as if its power had failed."
        findings.append(Finding(Weight.RISK, f"{config.name} is ended: {lost}"))
    elif values.get("reset"):
        after = "It boots anew then."
        findings.append(Finding(Weight.RISK, f"{config.name} is reset: {lost}"))
    elif values.get("live"):
        after = "It runs on meanwhile: the dump is not of one moment."
    how = "for crash or gdb" if values.get("memory_only") else "as QEMU migrates it"
    return findings, [f", {how}.", after]


def _said_of_save(domain: Any, path: str, size: str) -> str:
    return f"{domain.name()} is saved to {path}{size}, and off. Taken up again by: tuivirt restore"


def _said_of_dump(domain: Any, path: str, size: str) -> str:
    return f"the memory of {domain.name()} is in {path}{size}; it is {_word(domain)}"


_SAVE = _Kind(
    "save",
    "written",
    _about_save,
    lambda domain, path, values: domain.saveFlags(path, None, flags_of(values, SAVE_FLAGS)),
    _said_of_save,
)
_DUMP = _Kind(
    "dump",
    "dumped",
    _about_dump,
    lambda domain, path, values: domain.coreDumpWithFormat(
        path, _FORMATS[str(values.get("format_") or "")], flags_of(values, _DUMP_FLAGS)
    ),
    _said_of_dump,
)


def _raise(
    error: BaseException | None, asked: bool, what: str, aborted: str, path: str, host: Host
) -> None:
    """Raise what a job that wrote a file came to, if it came to nothing."""
    if error is None:
        return
    if not isinstance(error, libvirt.libvirtError):
        raise error
    part = ""
    if is_here(host) and os.path.lexists(path):
        part = f"{path} is there, and may be a part"
    if asked:
        goes_on = "it goes on running"
        raise Aborted(aborted, f"{goes_on}; {part}" if part else goes_on) from error
    text = (error.get_error_message() or "").lower()
    advice = ""
    if "permission denied" in text:
        advice = "name a folder that libvirt's daemon and QEMU's user may write to"
    elif "no space" in text:
        advice = "make room there, or name another folder"
    elif "read-only file system" in text:
        advice = "nothing can be written there: name another folder"
    failure = from_libvirt(error, what, advice)
    raise (with_rest(failure, part) if part else failure) from error


def _word(domain: Any) -> str:
    try:
        state = state_of(domain)
    except libvirt.libvirtError as error:
        return f"not known how ({error})"
    if state is None:
        return "gone"
    return "off" if state is DomainState.SHUTOFF else state.name.lower()
