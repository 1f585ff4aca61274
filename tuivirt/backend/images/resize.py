"""An image made larger or smaller."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import TuivirtError
from ..lifecycle import Progress
from ..model.finding import Finding, Plan, Weight
from ..model.size import spelled
from ..naming import sync
from ..owners.resizing import against_resizing
from . import beside, judge, tool
from .here import require_here
from .layout import HEAD_BYTES, end_of_use
from .options import bytes_of
from .read import Image, read_chain, read_image, real_path
from .users import Users

if TYPE_CHECKING:
    from ..host import Host


@dataclass(frozen=True, slots=True)
class Resizing:
    """What is to be done, settled."""

    image: Image
    size_bytes: int
    preallocation: str
    plan: Plan


def plan_for(host: Host, values: Mapping[str, Any]) -> Plan:
    """What would be done, and what speaks against it. Raises TuivirtError."""
    return _settled(host, values).plan


def _settled(host: Host, values: Mapping[str, Any]) -> Resizing:
    require_here(host)
    path = real_path(str(values["path"]))
    usage = Users(host).of(path)
    chain = read_chain(path, judge.form_of(usage, str(values.get("format") or "")))
    image = chain.top
    size = bytes_of(str(values["size"]), image.size_bytes)
    preallocation = str(values.get("preallocation") or "")
    found = judge.about(chain, usage)
    found += against_resizing(usage, path, shrinks=size < image.size_bytes)
    found += beside.about(path, writing=True)
    found += _about_size(image, size, bool(values.get("shrink")))
    if image.block:
        found.append(Finding(Weight.REFUSED, f"{path} is a device, which has the size that it has"))
    if size > image.size_bytes and preallocation in ("falloc", "full") and not image.block:
        more = size - image.size_bytes
        found += judge.about_room(os.path.dirname(path), more, f"{path}, with its space taken,")
    step = f"{path}: {spelled(image.size_bytes)} becomes {spelled(size)} ({size} bytes)"
    plan = Plan(os.path.basename(path), (step,), tuple(found))
    return Resizing(image, size, preallocation, plan)


def _about_size(image: Image, size: int, shrink: bool) -> list[Finding]:
    if size == image.size_bytes:
        return [Finding(Weight.REFUSED, f"{image.path} has {spelled(size)} already")]
    if size > image.size_bytes:
        said = "partitions and file systems in it stay as large as they are"
        return [Finding(Weight.NOTE, said, "enlarge them within the guest")]
    lost = f"what lies beyond {spelled(size)} in {image.path} is lost"
    if not shrink:
        advice = "make what is in it smaller first, within the guest; then say --shrink"
        return [Finding(Weight.REFUSED, lost, advice)]
    found = [Finding(Weight.RISK, lost, "make what is in it smaller first, within the guest")]
    if image.encrypted or image.data_file:
        return found
    end, what = end_of_use(_head(image))
    if end > size:
        found.append(Finding(Weight.RISK, f"{what} ends at {spelled(end)} ({end} bytes)"))
    return found


def _head(image: Image) -> bytes:
    """What the disk begins with, as its guest sees it. Source: ``qemu-img dd``."""
    with tempfile.TemporaryDirectory(prefix="tuivirt-") as folder:
        file = os.path.join(folder, "head")
        words = ["dd", "-U", "-f", image.form, "-O", "raw", f"bs={HEAD_BYTES}", "count=1"]
        answer = tool.run([*words, f"if={image.path}", f"of={file}"], timeout_s=tool.ANSWER_S)
        if answer.status != 0:
            raise tool.failed(f"cannot read what {image.path} begins with", answer)
        with open(file, "rb") as found:
            return found.read(HEAD_BYTES).ljust(HEAD_BYTES, b"\0")


def resize(
    host: Host,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Give an image another size; a sentence of what it has now.

    Raises BadInput before anything was changed, Aborted, TuivirtError. Source:
    ``qemu-img resize``.
    """
    wanted = _settled(host, values)
    image, size = wanted.image, wanted.size_bytes
    what = f"cannot make {image.path} {'larger' if size > image.size_bytes else 'smaller'}"
    judge.refuse(wanted.plan, what, force)
    words = ["resize", "-f", image.form]
    words += ["--shrink"] if size < image.size_bytes else []
    if wanted.preallocation and size > image.size_bytes:
        words.append(f"--preallocation={wanted.preallocation}")
    with beside.Work("resizing", image.path, image.path, inside=True):
        answer = tool.run(
            [*words, "--", image.path, str(size)],
            aborted=aborted,
            progress=progress,
            saying="resizing",
        )
        if answer.status != 0:
            raise tool.failed(what, answer)
        try:
            sync(image.path)
        except OSError as error:
            raise TuivirtError(f"{image.path} may not last", error.strerror or "") from error
    now = read_image(image.path, image.form).size_bytes
    if now != size:
        raise TuivirtError(what, f"it has {now} bytes, not {size}")
    done = f"{image.path} has {spelled(now)}, {spelled(image.size_bytes)} before"
    return judge.with_notes(done, wanted.plan.findings)
