"""An image as qemu-img tells it, and all that it lies on."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadInput, TuivirtError
from . import header, tool
from .inside import inside_of

MOST_BELOW = 200
"""QEMU opens no longer chains either, for want of files."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image."""

    path: str
    form: str
    """raw, qcow2 …"""
    size_bytes: int
    """What a guest sees."""
    used_bytes: int
    """What it takes of the storage."""
    block: bool = False
    """It is a block device."""
    probed: bool = False
    """Nobody said its format: it was taken from what is in it."""
    backing: str = ""
    """The path of what it lies on; '' where that is nothing, or not on this machine."""
    backing_name: str = ""
    """As it is written in the image."""
    backing_form: str = ""
    """As it is written in the image; '' where it is not, and QEMU looks into the file."""
    snapshots: tuple[str, ...] = ()
    bitmaps: tuple[str, ...] = ()
    encrypted: bool = False
    corrupt: bool = False
    data_file: str = ""
    """Where its data lie instead of within it."""
    kept: Mapping[str, str] = field(default_factory=dict)
    """The options that an image made in its place is to have."""


@dataclass(frozen=True, slots=True)
class Chain:
    """An image and what it lies on, the image first."""

    images: tuple[Image, ...]
    problem: str = ""
    """Why it goes no further, where it should."""
    advice: str = ""

    @property
    def top(self) -> Image:
        return self.images[0]


def real_path(path: str) -> str:
    """Where a path leads that is a file or a block device. Raises BadInput."""
    real = os.path.realpath(os.path.expanduser(path) if path.startswith("~") else path)
    try:
        mode = os.stat(real).st_mode
    except FileNotFoundError as error:
        link = f"it is a link to {real}, which is not there" if os.path.islink(path) else ""
        raise BadInput(f"{real if not link else path} does not exist", link) from error
    except OSError as error:
        raise BadInput(f"{path} cannot be used", error.strerror or str(error)) from error
    if stat.S_ISDIR(mode):
        raise BadInput(f"{real} is a directory", advice="give a file or a block device")
    if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
        raise BadInput(f"{real} is neither a file nor a block device")
    return real


def read_image(path: str, form: str = "") -> Image:
    """An image by itself, without what it lies on; ``form`` as far as it is known.

    Raises TuivirtError. Source: ``qemu-img info -U``, which takes no lock.
    """
    what = f"cannot read the image {path}"
    words = ["info", "-U", *(["-f", form] if form else []), "--", path]
    told = tool.ask(words, what)
    try:
        return _image(path, form, told)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TuivirtError(what, f"qemu-img's answer lacks what is needed: {error}") from error


def _image(path: str, form: str, told: Mapping[str, Any]) -> Image:
    special = told.get("format-specific") or {}
    more = special.get("data") or {} if special.get("type") == told["format"] else {}
    name = str(told.get("backing-filename") or "")
    block = stat.S_ISBLK(os.stat(path).st_mode)
    found = str(told["format"])
    return Image(
        path=path,
        # Devices of a machine are told as host_device; what is in them is raw.
        form="raw" if found in ("host_device", "file") else found,
        size_bytes=int(told["virtual-size"]),
        used_bytes=int(told.get("actual-size") or 0),
        block=block,
        probed=not form,
        backing=header.located(path, name) if name else "",
        backing_name=name,
        backing_form=str(told.get("backing-filename-format") or ""),
        snapshots=tuple(each.name for each in inside_of(told)),
        bitmaps=tuple(str(each.get("name")) for each in more.get("bitmaps") or ()),
        encrypted=bool(told.get("encrypted")) or found == "luks",
        corrupt=bool(more.get("corrupt")),
        data_file=str(more.get("data-file") or ""),
        kept=_kept(told, more) if found == "qcow2" else {},
    )


def _kept(told: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, str]:
    kept = {"cluster_size": str(int(told["cluster-size"]))} if told.get("cluster-size") else {}
    for option, key in (("compat", "compat"), ("compression_type", "compression-type")):
        if more.get(key) and not (option == "compression_type" and more.get("compat") == "0.10"):
            kept[option] = str(more[key])
    if more.get("compat") != "0.10":
        kept["refcount_bits"] = str(int(more.get("refcount-bits") or 16))
        for option, key in (("lazy_refcounts", "lazy-refcounts"), ("extended_l2", "extended-l2")):
            kept[option] = "on" if more.get(key) else "off"
    return kept


def read_chain(path: str, form: str = "") -> Chain:
    """An image and all that it lies on. Raises TuivirtError only where it cannot itself be read.

    Each is read by itself: qemu-img follows a loop until its memory is full.
    """
    images = [read_image(path, form)]
    seen = {path}
    while images[-1].backing_name:
        last = images[-1]
        if not last.backing:
            return Chain(
                tuple(images), f"{last.path} lies on {last.backing_name}, which is no file here"
            )
        real = os.path.realpath(last.backing)
        if real in seen:
            return Chain(
                tuple(images),
                f"the chain goes in a circle: {last.path} lies on {real}, which lies on it",
                "correct what the image lies on: tuivirt image-rebase --unsafe",
            )
        if not os.path.exists(real):
            return Chain(
                tuple(images),
                f"{last.path} lies on {last.backing}, which does not exist",
                "bring that file back, or, if it was moved: tuivirt image-rebase --unsafe",
            )
        if len(images) == MOST_BELOW:
            return Chain(tuple(images), f"it lies on more than {MOST_BELOW} images")
        try:
            images.append(read_image(real, last.backing_form))
        except TuivirtError as error:
            return Chain(tuple(images), f"{last.path} lies on {real}: {error}", error.advice)
        seen.add(real)
    return Chain(tuple(images))
