"""What converting an image would do, and what speaks against it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import BadInput
from ..model.finding import Finding, Plan, Weight
from ..model.size import spelled
from . import beside, judge, tool
from .here import require_here
from .options import in_words, read_options
from .read import Chain, Image, read_chain, read_image, real_path
from .users import Usage, Users

if TYPE_CHECKING:
    from ..host import Host

FORMATS = ("raw", "qcow2", "qed", "vdi", "vmdk", "vpc", "vhdx")
"""What can be written."""
_SUFFIXES = {
    ".img": "raw",
    ".raw": "raw",
    ".qcow2": "qcow2",
    ".qed": "qed",
    ".vdi": "vdi",
    ".vmdk": "vmdk",
    ".vhd": "vpc",
    ".vpc": "vpc",
    ".vhdx": "vhdx",
}
ORIGINAL = ".orig"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What is to be done, settled."""

    source: Image
    target: str
    """Where it leads, as source does."""
    form: str
    words: tuple[str, ...] = ()
    """More words for ``qemu-img convert``."""
    onto_device: bool = False
    given: str = ""
    """The target as it was named, absolute; '' in place."""
    in_place: bool = False
    replaces: bool = False
    """A file is there that the result takes the place of."""
    keep: str = ""
    """The name that the original is kept under."""
    verify: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def steps(self) -> tuple[str, ...]:
        """As it is shown before it is done."""
        source = self.source
        size = f"{spelled(source.size_bytes)}, {spelled(source.used_bytes)} of the storage"
        said = [f"{source.path}: {source.form}, {size}"]
        if self.in_place:
            said.append(f"   is written anew beside it as {self.form}, and replaced once whole")
            said.append(
                f"   as it is now it stays as {self.keep}" if self.keep else "   it is not kept"
            )
        elif self.onto_device:
            said.append(f"   is written to the device {self.target} as {self.form}")
        else:
            said.append(f"   becomes {self.target}, {self.form}, which is there once it is whole")
        if self.verify:
            said.append("   and is compared with it, from the first byte to the last")
        return tuple(said)


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the values cannot be right together."""
    in_place, target = bool(values.get("in_place")), values.get("target")
    if in_place and target:
        raise BadInput(
            "it is converted into another image or in its own place, not both",
            advice="leave --in-place out, or the second path",
        )
    if values.get("drop_original") and not in_place:
        raise BadInput("only what is converted in place leaves an original", advice="--in-place")
    options = read_options(str(values.get("options") or ""))
    if values.get("preallocation") and "preallocation" in options:
        raise BadInput("how the space is taken is said twice", "--preallocation and --options")
    if values.get("compress") and values.get("preallocation") not in (None, "", "off"):
        raise BadInput("what is compressed takes its space as it comes", "leave one of them out")


def plan_for(host: Host, values: Mapping[str, Any]) -> Plan:
    """What would be done, and what speaks against it. Raises TuivirtError."""
    wanted = settle(host, values)
    return Plan(os.path.basename(wanted.target), wanted.steps, wanted.findings)


def settle(host: Host, values: Mapping[str, Any]) -> Conversion:
    """What would be done with the images as they are now. Raises TuivirtError."""
    check(values)
    if not values.get("in_place") and not values.get("target"):
        raise BadInput(
            "it is not said what it is converted into",
            advice="name another path, or say --in-place",
        )
    require_here(host)
    path = real_path(str(values["path"]))
    users = Users(host)
    usage = users.of(path)
    chain = read_chain(path, judge.form_of(usage, str(values.get("source_format") or "")))
    source = chain.top
    in_place = bool(values.get("in_place"))
    target = path if in_place else _target(str(values["target"]))
    onto_device = os.path.exists(target) and stat.S_ISBLK(os.stat(target).st_mode)
    form = str(values.get("format") or "") or _form(source, target, in_place, onto_device)
    options = _options(values, source if in_place and form == source.form else None, form)
    wanted = Conversion(
        source=source,
        target=target,
        form=form,
        words=_words(values, source, options, in_place, onto_device and form == "raw"),
        onto_device=onto_device,
        given="" if in_place else os.path.abspath(os.path.expanduser(str(values["target"]))),
        in_place=in_place,
        replaces=in_place or (os.path.exists(target) and not onto_device),
        keep="" if not in_place or values.get("drop_original") else path + ORIGINAL,
        verify=bool(values.get("verify")),
    )
    found = judge.about(chain, usage)
    if in_place:
        found += _against_in_place(wanted, usage)
    else:
        for each in chain.images:
            found += judge.against_reading(users.of(each.path))
        found += _against_target(wanted, users.of(target), chain)
    found += beside.about(path, writing=in_place)
    found += beside.about(target, writing=True) if target != path else []
    found += _lost(wanted, compress=bool(values.get("compress")))
    # What cannot be read cannot be measured either.
    if not any(each.weight is Weight.REFUSED for each in found):
        found += _about_room(wanted, options)
    return replace(wanted, findings=tuple(found))


def _target(text: str) -> str:
    """Where it goes: what is there is replaced where it lies, behind a link too."""
    real = os.path.realpath(os.path.expanduser(text) if text.startswith("~") else text)
    if os.path.isdir(real):
        raise BadInput(f"{real} is a directory", advice="name the image in it")
    if text.endswith("/") or not os.path.isdir(os.path.dirname(real)):
        raise BadInput(f"there is no directory {os.path.dirname(real)}", advice="make it first")
    if os.path.exists(real):
        real_path(real)
    return real


def _form(source: Image, target: str, in_place: bool, onto_device: bool) -> str:
    if in_place:
        form = source.form
    else:
        suffix = os.path.splitext(target)[1].lower()
        form = "raw" if onto_device else _SUFFIXES.get(suffix, source.form)
    if form not in FORMATS and not source.encrypted:  # That is refused with more to say.
        raise BadInput(f"images of {form} can be read, not written", advice="say another --format")
    return form


def _options(values: Mapping[str, Any], like: Image | None, form: str) -> dict[str, str]:
    options = dict(like.kept) if like is not None else {}
    if like is not None and like.backing_name:
        # Both say where it lies: -B in the words, and its format here.
        options["backing_fmt"] = like.backing_form or "raw"
        if not like.backing_form:
            options["backing_fmt"] = read_image(like.backing).form
    if values.get("preallocation"):
        options["preallocation"] = str(values["preallocation"])
    if values.get("compress") and form == "raw":
        raise BadInput("raw images cannot be compressed", advice="--format qcow2")
    return options | read_options(str(values.get("options") or ""))


def _words(
    values: Mapping[str, Any],
    source: Image,
    options: Mapping[str, str],
    in_place: bool,
    is_there: bool,
) -> tuple[str, ...]:
    words = ["-c"] if values.get("compress") else []
    words += ["-n"] if is_there else []
    rest = dict(options)
    if in_place and "backing_fmt" in rest:
        words += ["-B", source.backing_name, "-F", rest.pop("backing_fmt")]
    return (*words, *in_words(rest))


def _against_in_place(wanted: Conversion, usage: Usage) -> list[Finding]:
    source = wanted.source
    found = judge.against_writing(usage, content=False)
    if source.block:
        found.append(
            Finding(Weight.REFUSED, f"{source.path} is a device: nothing can take its place")
        )
    if source.data_file:
        found.append(
            Finding(
                Weight.REFUSED, f"its data lie in {source.data_file}, which would stay as it is"
            )
        )
    if source.backing_name and wanted.form != source.form:
        found.append(
            Finding(
                Weight.REFUSED,
                f"it lies on {source.backing_name}, and would become {wanted.form}",
                "convert it into another file, which then lies on nothing",
            )
        )
    if wanted.form != source.form:
        above = [use.said for use in usage.domains if not use.below and use.form]
        names = ", ".join([*above, *usage.overlays])
        if names:
            found.append(
                Finding(
                    Weight.RISK,
                    f"{names} takes it for {source.form}, and it becomes {wanted.form}",
                    "change what is said of it there before the next start",
                )
            )
    if wanted.keep and os.path.lexists(wanted.keep):
        found.append(
            Finding(
                Weight.REFUSED,
                f"{wanted.keep} exists: an earlier original",
                "remove it, or say --drop-original to keep none of this one",
            )
        )
    if not wanted.keep:
        found.append(Finding(Weight.RISK, f"{source.path} is not kept as it is now"))
    if not source.block and os.stat(source.path).st_nlink > 1:
        found.append(
            Finding(Weight.RISK, f"{source.path} has other names (links), which stay with the old")
        )
    return found


def _against_target(wanted: Conversion, usage: Usage, chain: Chain) -> list[Finding]:
    target = wanted.target
    if target == wanted.source.path:
        advice = "say --in-place alone, or name another path"
        raise BadInput(f"{target} cannot be converted into itself so", advice=advice)
    if any(each.path == target for each in chain.images):
        raise BadInput(f"{wanted.source.path} lies on {target}", advice="name another path")
    if not os.path.exists(target):
        return []
    found = judge.against_writing(usage, content=True)
    size = spelled(os.stat(target).st_blocks * 512)
    users = [use for use in usage.domains if not use.snapshot]
    off = ", ".join(use.said for use in users if not use.running and not use.below)
    whose = f", which is {off}," if off else ""
    if wanted.onto_device:
        found.append(
            Finding(Weight.RISK, f"all that is on the device {target}{whose} is overwritten")
        )
        room = read_image(target, "raw").size_bytes
        if wanted.form == "raw" and room < wanted.source.size_bytes:
            least = f"{spelled(room)}, and {spelled(wanted.source.size_bytes)} are needed"
            found.append(Finding(Weight.REFUSED, f"the device {target} has {least}"))
    else:
        found.append(
            Finding(Weight.RISK, f"{target} exists ({size}){whose or ','} and is replaced")
        )
    return found


def _lost(wanted: Conversion, *, compress: bool) -> list[Finding]:
    source = wanted.source
    found = []
    weight = Weight.RISK if wanted.in_place else Weight.NOTE
    for what, names in (("snapshots", source.snapshots), ("bitmaps", source.bitmaps)):
        if names:
            text = f"the {what} within {source.path} are not taken along: {', '.join(names)}"
            found.append(Finding(weight, text))
    if source.backing_name and not wanted.in_place:
        text = f"what it takes from {source.backing_name} is copied into it, too"
        found.append(Finding(Weight.NOTE, text))
    if compress and wanted.form not in ("qcow2", "vmdk"):
        found.append(Finding(Weight.REFUSED, f"{wanted.form} is not compressed", "--format qcow2"))
    return found


def _about_room(wanted: Conversion, options: Mapping[str, str]) -> list[Finding]:
    if wanted.onto_device:
        return []
    needed = room_needed(wanted.source, wanted.form, options)
    return judge.about_room(os.path.dirname(wanted.target), needed, wanted.target)


def room_needed(source: Image, form: str, options: Mapping[str, str]) -> int:
    """Bytes that an image of that format takes. Source: ``qemu-img measure``."""
    if form not in ("raw", "qcow2") or options.get("backing_fmt"):
        return source.used_bytes  # It is not measured, or all that lies below would be.
    full = options.get("preallocation") in ("falloc", "full")
    if form == "raw" and full:
        return source.size_bytes
    # As raw it tells the whole size, whatever is empty; qcow2 counts what is there.
    known = {k: v for k, v in options.items() if k in ("cluster_size", "refcount_bits", "compat")}
    words = ["measure", "-U", "-f", source.form, "-O", "qcow2"]
    words += in_words(known if form == "qcow2" else {})
    told = tool.ask([*words, "--", source.path], f"cannot measure {source.path}")
    needed = int(told.get("fully-allocated" if full else "required") or 0)
    return min(needed, source.size_bytes) if form == "raw" else needed
