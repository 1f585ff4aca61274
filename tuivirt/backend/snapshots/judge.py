"""What a snapshot of a domain would take, and what speaks against it."""

from __future__ import annotations

import os.path
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import BadInput
from ..model.device import Disk, DomainConfig
from ..model.finding import Finding, Plan, Weight

_NEVER = re.compile(r"[\x00-\x1f\x7f/]")
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
NAME_CHARS = 200
"""A file system takes names of 255 bytes, of which the image's own is a part."""
INTERNAL_FORMATS = frozenset({"qcow2", "rbd"})
UEFI_INTERNAL = (10, 10)
"""libvirt from this version on takes internal snapshots of a domain with pflash firmware."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides about a domain's snapshots."""

    config: DomainConfig
    active: bool = False
    libvirt_version: str = ""
    no_agent: str = ""
    """Why its guest's agent cannot be asked, a clause; ''."""
    nvram_format: str = ""
    """Of its UEFI variables; '': it has none."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken, settled."""

    name: str
    description: str
    kind: str
    """internal or external."""
    active: bool
    disks: Mapping[str, str]
    """By target: internal, external or no."""
    overlays: Mapping[str, str]
    """By target: the new file, where libvirt would call those of two disks the same."""
    memory: str
    """internal, external or no."""
    memory_file: str
    findings: tuple[Finding, ...]
    steps: tuple[str, ...]


def default_name() -> str:
    """A name for one that was given none: the time, as no file system objects to it."""
    return time.strftime("%Y-%m-%d_%H-%M-%S")


def check_name(name: str) -> None:
    """Raise BadInput for a name that no file can have a part of."""
    if _NEVER.search(name):
        raise BadInput("a snapshot's name has no slash and no control character", repr(name))
    if len(name.encode()) > NAME_CHARS:
        raise BadInput(f"the name is too long: the most is {NAME_CHARS} bytes")
    if name.startswith("-"):
        raise BadInput("a snapshot's name does not begin with a dash", repr(name))


def check_description(text: str) -> None:
    """Raise BadInput for one that no XML can hold."""
    if _NO_XML.search(text):
        raise BadInput("a description holds no control character", repr(text))


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options cannot be right together."""
    check_name(str(values.get("name_") or ""))
    check_description(str(values.get("description") or ""))
    if values.get("memspec") and not values.get("memory"):
        raise BadInput(
            "a file for the memory is given, but not that it is taken", advice="--memory"
        )
    if values.get("live") and not values.get("memory"):
        raise BadInput("live is about the memory", advice="say --memory as well")
    if values.get("quiesce") and values.get("memory"):
        raise BadInput(
            "the guest's file systems are not held still where its memory is taken",
            advice="leave --quiesce out: the memory knows what is not on the disks yet",
        )
    if values.get("kind") == "internal":
        for word in ("memspec", "live", "quiesce"):
            if values.get(word):
                raise BadInput(f"{word} is about external snapshots", advice="--kind external")


def settle(facts: Facts, values: Mapping[str, Any], *, taken_names: Sequence[str] = ()) -> Taken:
    """What would be taken of a domain, with the reasons against it. Raises BadInput."""
    check(values)
    config, active = facts.config, facts.active
    name = str(values.get("name_") or "") or default_name()
    left_out = _left_out(config, str(values.get("leave_out") or ""))
    disks = taken_disks(config, left_out)
    wanted = str(values.get("kind") or "")
    against_inside = against_internal(facts, left_out)
    if values.get("memory") or values.get("quiesce") or values.get("live"):
        wanted = wanted or "external"
    kind = wanted or ("external" if against_inside else "internal")
    findings = []
    if name in taken_names:
        findings.append(
            Finding(Weight.REFUSED, f"there is a snapshot {name} already", "give it another name")
        )
    if not disks:
        findings.append(Finding(Weight.REFUSED, "there is no disk that could be taken"))
    memory = _memory(kind, active, bool(values.get("memory")))
    if kind == "internal":
        findings += against_inside
    else:
        findings += against_external(disks)
    findings += about_memory(facts, memory, kind, values)
    memory_file = ""
    if memory == "external":
        memory_file = str(values.get("memspec") or "") or _beside(disks, config.name, name)
        if not memory_file.startswith("/"):
            findings.append(
                Finding(
                    Weight.REFUSED,
                    "there is no place for the memory's file",
                    "name one: --memspec /where/it/shall/be",
                )
            )
    of_each = {
        each.target: "no" if each not in disks else kind for each in config.disks if each.target
    }
    overlays = _overlays(disks, name) if kind == "external" else {}
    return Taken(
        name=name,
        description=str(values.get("description") or ""),
        kind=kind,
        active=active,
        disks=of_each,
        overlays={t: path for t, (path, own) in overlays.items() if own},
        memory=memory,
        memory_file=memory_file,
        findings=tuple(findings),
        steps=tuple(
            _steps(config, overlays, disks, left_out, kind, memory, memory_file, name, values)
        ),
    )


def as_virsh(taken: Taken) -> dict[str, Any]:
    """What was left open, or to virsh's own defaults, for the equivalent command.

    ``its_disks`` are its diskspecs, in which a comma in a path is doubled.
    """
    specs = [f"{target},snapshot=no" for target, kind in taken.disks.items() if kind == "no"]
    specs += [
        f"{target},snapshot=external,file={_doubled(path)}"
        for target, path in taken.overlays.items()
    ]
    return {
        "name_": taken.name,
        "kind": taken.kind,
        "memspec": _doubled(taken.memory_file) or None,
        "leave_out": None,
        "its_disks": tuple(specs),
    }


def _doubled(path: str) -> str:
    return path.replace(",", ",,")


def refuse(plan: Plan, what: str, force: bool) -> None:
    """Raise BadInput where a plan may not be carried out."""
    refused = plan.of(Weight.REFUSED)
    risks = () if force else plan.of(Weight.RISK)
    for found, advice in ((refused, ""), (risks, "--force takes the risk")):
        if found:
            raise BadInput(what, "; ".join(e.text for e in found), advice or found[0].advice)


def _stays(disk: Disk) -> bool:
    return disk.readonly or disk.device in ("cdrom", "floppy") or not disk.source


def _left_out(config: DomainConfig, words: str) -> frozenset[str]:
    targets = {disk.target for disk in config.disks}
    found = frozenset(word for word in re.split(r"[\s,]+", words) if word)
    unknown = sorted(found - targets)
    if unknown:
        raise BadInput(
            f"{config.name} has no disk {', '.join(unknown)}",
            f"it has {', '.join(sorted(targets)) or 'none'}",
        )
    return found


def taken_disks(config: DomainConfig, left_out: frozenset[str]) -> list[Disk]:
    """Those that a snapshot takes, where these are left out."""
    return [each for each in config.disks if not _stays(each) and each.target not in left_out]


def against_internal(facts: Facts, left_out: frozenset[str]) -> list[Finding]:
    """Why it cannot be an internal one."""
    config, disks = facts.config, taken_disks(facts.config, left_out)
    said = [
        Finding(
            Weight.REFUSED,
            f"{disk.target} is {disk.format or 'raw'}: an image of that format holds no snapshots",
            "take an external one: --kind external",
        )
        for disk in disks
        if (disk.format or "raw") not in INTERNAL_FORMATS
    ]
    if facts.active and left_out:
        said.append(
            Finding(
                Weight.REFUSED,
                "an internal snapshot of a running guest takes all of its disks",
                "take an external one to leave some out: --kind external",
            )
        )
    if config.firmware == "UEFI":
        why = ""
        if is_before(facts.libvirt_version, UEFI_INTERNAL):
            why = f"it boots by UEFI, of which libvirt {facts.libvirt_version} takes no internal "
            why += "snapshot"
        elif facts.nvram_format not in ("", "qcow2"):
            why = f"its UEFI variables are {facts.nvram_format}: only in qcow2 they are taken, too"
        if why:
            said.append(Finding(Weight.REFUSED, why, "take an external one: --kind external"))
    return said


def against_external(disks: Sequence[Disk]) -> list[Finding]:
    """What speaks against an external one of these disks."""
    said = []
    for disk in disks:
        if disk.source_type not in ("file", "block"):
            said.append(
                Finding(
                    Weight.REFUSED,
                    f"{disk.target} is on the network ({disk.source_type}): there is no folder "
                    "beside it for what is written from now on",
                    f"leave it out: --leave-out {disk.target}",
                )
            )
        elif disk.source_type == "block":
            said.append(
                Finding(
                    Weight.REFUSED,
                    f"{disk.target} is a block device: libvirt makes no file beside it",
                    f"leave it out: --leave-out {disk.target}",
                )
            )
        if disk.shareable:
            said.append(
                Finding(
                    Weight.RISK,
                    f"{disk.target} is shared: what other guests write goes past the snapshot",
                )
            )
    return said


def _memory(kind: str, active: bool, wanted: bool) -> str:
    if not active:
        return "no"
    return "internal" if kind == "internal" else ("external" if wanted else "no")


def against_memory(facts: Facts) -> list[Finding]:
    """Why its memory cannot be taken."""
    if not facts.active:
        return [Finding(Weight.REFUSED, "it is off: there is no memory to be taken")]
    hostdevs = [e.summary or "a device" for e in facts.config.devices if e.kind == "hostdev"]
    if not hostdevs:
        return []
    text = f"it has {', '.join(hostdevs)} of its host, whose state cannot be taken"
    advice = "take an external one without the memory, or detach it first"
    return [Finding(Weight.REFUSED, text, advice)]


def against_quiescing(facts: Facts) -> list[Finding]:
    """Why its file systems cannot be held still."""
    if not facts.active:
        return [Finding(Weight.REFUSED, "it is off: nobody holds its file systems still")]
    if facts.no_agent:
        advice = "leave --quiesce out, or have qemu-guest-agent run in the guest"
        return [Finding(Weight.REFUSED, facts.no_agent, advice)]
    return []


def about_memory(facts: Facts, memory: str, kind: str, values: Mapping[str, Any]) -> list[Finding]:
    """What is to be known of its memory, taken or not."""
    active, said = facts.active, []
    if memory != "no" or values.get("memory"):
        said += against_memory(facts)
    if values.get("quiesce"):
        said += against_quiescing(facts)
    if memory != "no" and not values.get("live"):
        said.append(Finding(Weight.NOTE, "the guest stands still while its memory is written"))
    if active and memory == "no" and kind == "external" and not values.get("quiesce"):
        ways = [
            (
                "--quiesce has the guest's agent hold its file systems still",
                against_quiescing(facts),
            ),
            ("--memory takes it", against_memory(facts)),
        ]
        text = "without the memory the disks are as after a power failure"
        advice = ", ".join(way for way, against in ways if not against)
        said.append(Finding(Weight.NOTE, text, advice))
    return said


def _beside(disks: Sequence[Disk], domain: str, name: str) -> str:
    first = next((disk.source for disk in disks if disk.source.startswith("/")), "")
    return os.path.join(os.path.dirname(first), f"{domain}.{name}.memory") if first else ""


def _overlays(disks: Sequence[Disk], name: str) -> dict[str, tuple[str, bool]]:
    """By target where what is written goes to, and whether libvirt has to be told that name.

    Left to itself it refuses web.qcow2 and web.img of one folder: both would get web.NAME.
    """
    found = {each.target: _overlay(each.source, name) for each in disks}
    names = list(found.values())
    return {
        each.target: (f"{each.source}.{name}", True)
        if names.count(found[each.target]) > 1
        else (found[each.target], False)
        for each in disks
    }


def _steps(
    config: DomainConfig,
    overlays: Mapping[str, tuple[str, bool]],
    disks: Sequence[Disk],
    left_out: frozenset[str],
    kind: str,
    memory: str,
    memory_file: str,
    name: str,
    values: Mapping[str, Any],
) -> list[str]:
    said = [f"Snapshot {name} of {config.name}, {kind}:"]
    for disk in config.disks:
        if disk in disks:
            where = "within the image" if kind == "internal" else "the image stays as it is now, "
            if kind == "external":
                where += f"what is written goes to {overlays[disk.target][0]}"
            said.append(f"   {disk.target} ({disk.source}): {where}")
        else:
            why = "as asked" if disk.target in left_out else _why_not(disk)
            said.append(f"   {disk.target}: left out, {why}")
    words: dict[str, Callable[[], str]] = {
        "internal": lambda: "   its memory: within the first image",
        "external": lambda: f"   its memory: to {memory_file}",
        "no": lambda: "   its memory is not taken",
    }
    said.append(words[memory]())
    if values.get("quiesce"):
        said.append("   its agent holds the file systems still meanwhile")
    return said


def _why_not(disk: Disk) -> str:
    return "nothing is in it" if not disk.source else "it is read-only"


def _overlay(path: str, name: str) -> str:
    """Where libvirt puts what is written after an external snapshot."""
    base, dot, _suffix = path.rpartition(".")
    return f"{base if dot and '/' not in _suffix else path}.{name}"


def is_before(version: str, least: tuple[int, ...]) -> bool:
    numbers = tuple(int(each) for each in re.findall(r"\d+", version)[: len(least)])
    return bool(numbers) and numbers < least
