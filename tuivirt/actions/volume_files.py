"""A volume's bytes, moved to and from files of this machine.

Declared with the other actions on volumes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from tuivirt.backend.model.resources import Pool

from .plans import FORCE
from .pools import is_inactive
from .registry import Option, Run, action

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.model.finding import Planned

VOLUME = Annotated[str, Option("the volume's name, or its path", label="Volume", positional=True)]
FILE = Annotated[str, Option("a path on this machine", label="File", positional=True)]
OFFSET = Annotated[str | None, Option("where in the volume to begin, as in 1M")]
LENGTH = Annotated[str | None, Option("how much, as in 512M; all of it unless given")]


def _plan_upload(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.storage import upload

    return upload.plan_for(host, key, values)


def _checked_file(values: Mapping[str, Any]) -> None:
    from tuivirt.backend.storage import download

    download.check(values)


@action(
    "pool",
    title="Upload a file into a volume",
    virsh="virsh vol-upload {vol} {file} --pool {name}[ --offset {offset}][ --length {length}]",
    api="virStorageVolUpload",
    bulk=False,
    unavailable=is_inactive,
    plan=_plan_upload,
    check=_checked_file,
    lane="moves",
)
def vol_upload(
    run: Run,
    pool: Pool,
    *,
    vol: VOLUME,
    file: FILE,
    offset: OFFSET = None,
    length: LENGTH = None,
    force: FORCE = False,
) -> str:
    """Write a file of this machine into a volume that nobody uses.

    What is in the volume is overwritten. An upload that fails cannot be gone on with.
    """
    from tuivirt.backend.storage import upload

    values = {"vol": vol, "file": file, "offset": offset, "length": length}
    return upload.upload(
        run.host, pool.uuid, values, force=force, aborted=run.aborted, progress=run.progress
    )


def _plan_download(host: Host, key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend.storage import download

    return download.plan_for(host, key, values)


@action(
    "pool",
    title="Download a volume to a file",
    virsh="virsh vol-download {vol} {file} --pool {name} --sparse[ --offset {offset}]"
    "[ --length {length}]",
    api="virStorageVolDownload",
    changes=False,
    bulk=False,
    unavailable=is_inactive,
    plan=_plan_download,
    check=_checked_file,
    lane="moves",
)
def vol_download(
    run: Run,
    pool: Pool,
    *,
    vol: VOLUME,
    file: FILE,
    offset: OFFSET = None,
    length: LENGTH = None,
    force: FORCE = False,
) -> str:
    """Write a volume to a file of this machine, as it is.

    It is written beside and put in place when it is whole; what is there is overwritten with
    --force only. The same again goes on where one that failed has ended.
    """
    from tuivirt.backend.storage import download

    values = {"vol": vol, "file": file, "offset": offset, "length": length}
    return download.download(
        run.host, pool.uuid, values, force=force, aborted=run.aborted, progress=run.progress
    )
