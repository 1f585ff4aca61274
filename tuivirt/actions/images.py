"""Disk images on this machine, worked on with qemu-img.

Declared when somebody asks for what can be done to a host, as none of it has a key. Each is for
the host that is this machine: the command line takes that one where none is named with -c.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

from tuivirt.backend.model.host import HostSnapshot

from .plans import FORCE
from .registry import Option, Run, action

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.model.finding import Planned

FORMATS = ("raw", "qcow2", "qed", "vdi", "vmdk", "vpc", "vhdx")
"""What qemu-img writes, of what a guest's disk can be."""

_PATH = Annotated[
    str,
    Option("the image: a file or a block device of this machine", label="Image", positional=True),
]
_FORMAT = Annotated[
    str | None,
    Option(
        "the image's format, as in raw; unless said, as the domains have it, else what it looks "
        "like",
    ),
]
_ALLOCATION = Annotated[
    str | None,
    Option(
        "whether its space is taken at once; as it is needed unless said",
        choices=("off", "metadata", "falloc", "full"),
        label="Space",
    ),
]
_OPTIONS = Annotated[
    str | None, Option("of the format, with commas between, as in cluster_size=2M,compat=1.1")
]


def _of(module: str) -> Any:
    return import_module(f"tuivirt.backend.images.{module}")


def _plan(module: str) -> Callable[[Host, str, Mapping[str, Any]], Planned]:
    """Its plan, from the module that carries it out."""

    def plan(host: Host, _key: str, values: Mapping[str, Any]) -> Planned:
        planned: Planned = _of(module).plan_for(host, values)
        return planned

    return plan


def _check(module: str) -> Callable[[Mapping[str, Any]], None]:
    def check(values: Mapping[str, Any]) -> None:
        _of(module).check(values)

    return check


def _elsewhere(host: HostSnapshot) -> str:
    return str(_of("here").not_here(host.name, host.info))


def _done(verb: Callable[..., str], run: Run, values: Mapping[str, Any], *, force: bool) -> str:
    return verb(run.host, values, force=force, aborted=run.aborted, progress=run.progress)


_image = partial(action, "host", virsh="", api="", bulk=False, unavailable=_elsewhere, lane="moves")


@_image(title="Look at an image", changes=False)
def image_info(run: Run, _host: HostSnapshot, *, path: _PATH, format: _FORMAT = None) -> str:
    """Tell what an image is, what it lies on, and who has it."""
    return str(_of("listing").as_text(run.host, path, format or ""))


@_image(title="Check an image", changes=False, plan=_plan("check"))
def image_check(
    run: Run,
    _host: HostSnapshot,
    *,
    path: _PATH,
    format: _FORMAT = None,
    repair: Annotated[
        str | None,
        Option("mend lost clusters (leaks), or whatever is wrong", choices=("leaks", "all")),
    ] = None,
    force: FORCE = False,
) -> str:
    """Look an image's own records through, and mend them where that is asked for."""
    values = {"path": path, "format": format, "repair": repair}
    return _done(_of("check").check, run, values, force=force)


@_image(
    title="Convert an image", plan=_plan("conversion"), check=_check("conversion"),
    destructive=True,
    confirm="Convert an image on {name}? What is there already under the new name is lost.",
)  # fmt: skip
def image_convert(
    run: Run,
    _host: HostSnapshot,
    *,
    path: _PATH,
    target: Annotated[
        str | None,
        Option("what it becomes: another file, or a block device", label="Into", positional=True),
    ] = None,
    format: Annotated[
        str | None,
        Option(
            "of what it becomes; by its name's ending unless said, else as it is now",
            choices=FORMATS,
        ),
    ] = None,
    source_format: Annotated[
        str | None,
        Option("the format it has; unless said, as the domains have it, else what it looks like"),
    ] = None,
    compress: Annotated[bool, Option("compress it: smaller, and slower to read")] = False,
    preallocation: _ALLOCATION = None,
    options: _OPTIONS = None,
    in_place: Annotated[
        bool, Option("it is written anew beside and takes its own place, without what is empty")
    ] = False,
    drop_original: Annotated[
        bool, Option("in place: keep nothing of what it was; PATH.orig unless said")
    ] = False,
    verify: Annotated[bool, Option("compare the result with it, from end to end")] = False,
    force: FORCE = False,
) -> str:
    """Convert an image into another file or format; --in-place makes it smaller where it is.

    What is empty in it takes no space. It is written beside and put in place once it is whole,
    so that an abort, or a power failure, leaves what there was.
    """
    values = {
        "path": path,
        "target": target,
        "format": format,
        "source_format": source_format,
        "compress": compress,
        "preallocation": preallocation,
        "options": options,
        "in_place": in_place,
        "drop_original": drop_original,
        "verify": verify,
    }
    return _done(_of("convert").convert, run, values, force=force)


@_image(
    title="Resize an image", plan=_plan("resize"), destructive=True,
    confirm="Resize an image on {name}? Made smaller, it loses its end.",
)  # fmt: skip
def image_resize(
    run: Run,
    _host: HostSnapshot,
    *,
    path: _PATH,
    size: Annotated[str, Option("as in 20GiB; +5GiB: so much more", positional=True)],
    format: _FORMAT = None,
    preallocation: _ALLOCATION = None,
    shrink: Annotated[bool, Option("it may become smaller, and lose its end")] = False,
    force: FORCE = False,
) -> str:
    """Make an image larger or, where that is said, smaller; what is in it stays as it is."""
    values = {
        "path": path,
        "size": size,
        "format": format,
        "preallocation": preallocation,
        "shrink": shrink,
    }
    return _done(_of("resize").resize, run, values, force=force)


@_image(
    title="Lay an image on another", plan=_plan("rebase"), check=_check("rebase"), destructive=True,
    confirm="Change what an image on {name} lies on?",
)  # fmt: skip
def image_rebase(
    run: Run,
    _host: HostSnapshot,
    *,
    path: _PATH,
    backing: Annotated[
        str | None,
        Option("the image that it lies on from now on; a relative path is looked for beside it"),
    ] = None,
    backing_format: Annotated[str | None, Option("the format of that one")] = None,
    flatten: Annotated[bool, Option("it lies on nothing from now on")] = False,
    unsafe: Annotated[
        bool, Option("only the name is changed: for one that was moved and holds the same")
    ] = False,
    format: _FORMAT = None,
    force: FORCE = False,
) -> str:
    """Lay an image on another one, or on none; what it holds stays the same."""
    values = {
        "path": path,
        "backing": backing,
        "backing_format": backing_format,
        "flatten": flatten,
        "unsafe": unsafe,
        "format": format,
    }
    return _done(_of("rebase").rebase, run, values, force=force)


@_image(
    title="Write an image into its base", plan=_plan("commit"), destructive=True,
    confirm="Write an image on {name} into the one that it lies on? What that holds now is lost.",
)  # fmt: skip
def image_commit(
    run: Run,
    _host: HostSnapshot,
    *,
    path: _PATH,
    base: Annotated[
        str | None, Option("the image below to write into; the next one unless given")
    ] = None,
    keep: Annotated[bool, Option("it is not emptied afterwards")] = False,
    format: _FORMAT = None,
    force: FORCE = False,
) -> str:
    """Write what an image holds into the one that it lies on."""
    values = {"path": path, "base": base, "keep": keep, "format": format}
    return _done(_of("commit").commit, run, values, force=force)


@_image(title="Measure an image", changes=False)
def image_measure(
    run: Run,
    _host: HostSnapshot,
    *,
    path: _PATH,
    format: Annotated[
        str, Option("the format it would become", choices=("raw", "qcow2"))
    ] = "qcow2",
    source_format: _FORMAT = None,
    options: _OPTIONS = None,
) -> str:
    """Tell how much space an image would take if it were converted."""
    listing = _of("listing")
    return str(listing.measured(run.host, path, format, source_format or "", options or ""))


@_image(title="Make an image", check=_check("create"))
def image_create(
    run: Run,
    _host: HostSnapshot,
    *,
    path: _PATH,
    size: Annotated[
        str | None,
        Option("as in 20GiB; that of the image it lies on unless given", positional=True),
    ] = None,
    format: Annotated[str, Option("its format", choices=FORMATS)] = "qcow2",
    preallocation: _ALLOCATION = None,
    options: _OPTIONS = None,
    backing: Annotated[
        str | None,
        Option("the image that it lies on; a relative path is looked for beside it"),
    ] = None,
    backing_format: Annotated[str | None, Option("the format of that one")] = None,
) -> str:
    """Make an empty image, or one that lies on another; nothing that is there is touched."""
    values = {
        "path": path,
        "size": size,
        "format": format,
        "preallocation": preallocation,
        "options": options,
        "backing": backing,
        "backing_format": backing_format,
    }
    return str(_of("create").create(run.host, values))
