"""An empty image made, on its own or to lie on another."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import BadInput
from ..model.size import spelled
from . import beside, header, judge, tool
from .here import require_here
from .options import bytes_of, in_words, read_options
from .read import read_chain, read_image, real_path
from .users import Users

if TYPE_CHECKING:
    from ..host import Host


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the values cannot be right together."""
    if values.get("size"):
        bytes_of(str(values["size"]).lstrip("+-"))
    if values.get("backing_format") and not values.get("backing"):
        raise BadInput("it is not said what it lies on", advice="--backing")
    read_options(str(values.get("options") or ""))


def create(host: Host, values: Mapping[str, Any]) -> str:
    """Make an image that is not there yet; a sentence of what there is.

    Raises BadInput, TuivirtError: nothing was made then. Source: ``qemu-img create``.
    """
    check(values)
    if not values.get("size") and not values.get("backing"):
        raise BadInput("its size is missing", advice="as in 20GiB")
    require_here(host)
    path = os.path.realpath(str(values["path"]))
    form = str(values.get("format") or "qcow2")
    what = f"cannot make {path}"
    if os.path.lexists(path):
        raise BadInput(what, "it exists", "give another name")
    if not os.path.isdir(os.path.dirname(path)):
        raise BadInput(what, f"there is no directory {os.path.dirname(path)}", "make it first")
    words = ["create", "-q", "-f", form]
    options = read_options(str(values.get("options") or ""))
    if values.get("preallocation"):
        options["preallocation"] = str(values["preallocation"])
    notes = []
    if backing := str(values.get("backing") or ""):
        located = header.located(path, backing)
        if not located:
            raise BadInput(f"{backing} is no path on this machine")
        real = real_path(located)
        usage = Users(host).of(real)
        chain = read_chain(real, judge.form_of(usage, str(values.get("backing_format") or "")))
        notes = judge.about(chain, usage) + judge.against_reading(usage)
        judge.refuse_found(notes, what)
        words += ["-b", backing, "-F", chain.top.form]
    size = str(bytes_of(str(values["size"]))) if values.get("size") else ""
    with beside.Work("making", path, path) as work:
        answer = tool.run(
            [*words, *in_words(options), "--", work.path, *([size] if size else [])],
            timeout_s=None,
        )
        if answer.status != 0:
            raise tool.failed(what, answer)
        image = read_image(work.path, form)
        told = work.put()
    below = f", and lies on {backing}" if backing else ""
    return judge.with_notes(f"{path} has {spelled(image.size_bytes)} as {form}{below}{told}", notes)
