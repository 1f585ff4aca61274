"""A backup that another program pulls: a guest's disks as they were at one moment, over NBD."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import libvirt

from ..errors import TuivirtError, from_libvirt, with_rest
from ..here import is_here
from ..lifecycle import Progress, domain_to_change, touch
from ..lookups import domain_detail
from ..xml.backup import Backup, Server
from . import folder, job
from .before import under_way
from .order import Order
from .push import advice_for, backup_xml, checkpoint_xml, take_back

if TYPE_CHECKING:
    from ..host import Host

PREFIX = "tuivirt-backup-"
"""What folders of our own sockets are called."""
_PLACES = ("/run/libvirt/qemu", "/run", "/tmp")


def pull(
    host: Host,
    uuid: str,
    order: Order,
    *,
    detached: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
    tell: Callable[[str], None] | None = None,
) -> str:
    """Offer the disks until somebody ends it; where they were to be had, and what is removed.

    ``detached``: return at once, and leave it to `end`. Raises TuivirtError. Source:
    virDomainBackupBegin, virDomainAbortJob.
    """
    what = f"cannot offer the disks of {order.name}"
    own: Path | None = None
    if order.server is None:
        own = _private_folder(folder.hypervisor_user(domain_detail(host, uuid).live_xml), what)
        order = replace(order, server=Server(socket=str(own / "nbd")))

    def goes_on(text: str, _fraction: float | None) -> None:
        if progress is not None:
            progress(text, None)  # How much is pulled is known to who pulls it alone.

    with job.waiter_for(host, uuid) as waiter:
        try:
            host.domain(uuid).backupBegin(backup_xml(order), checkpoint_xml(order), 0)
        except libvirt.libvirtError as error:
            if job.is_away(host):
                said = f"it may have begun: tuivirt backup-info {order.name}"
                raise from_libvirt(error, what, said) from error
            left = take_back(host, uuid, order)
            if own is not None and not _is_offered(host, uuid):
                shutil.rmtree(own, ignore_errors=True)
            raise with_rest(from_libvirt(error, what, advice_for(error, order)), left) from error
        where = _addresses(order.server, tuple(order.files), order.incremental)
        touch(host, uuid)
        if tell is not None and not detached:
            tell(f"{order.name} is offered as it is now: {where}")
        if detached:
            return f"{order.name} is offered as it is now: {where}. backup-end {order.name} ends it"
        ended = job.follow(
            host,
            uuid,
            waiter,
            saying=f"offered at {where}",
            aborted=aborted,
            progress=goes_on,
        )
    touch(host, uuid)
    left = _left(order.files.values(), order.server, here=is_here(host))
    if ended.how in ("failed", "unknown"):
        raise TuivirtError(f"offering the disks of {order.name} has failed", f"{ended.why}; {left}")
    return f"the disks of {order.name} are offered no more; {left}"


def _is_offered(host: Host, uuid: str) -> bool:
    """Whether a backup runs, or may: what it listens at is then left alone."""
    try:
        return under_way(host, uuid) is not None
    except TuivirtError:
        return True


def _private_folder(user: tuple[int, int] | None, what: str) -> Path:
    """A new folder that QEMU's user and root alone may enter. Raises TuivirtError."""
    place = next((each for each in _PLACES if os.access(each, os.W_OK | os.X_OK)), None)
    try:
        made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        try:
            if user is not None and user[0] != os.geteuid():
                os.chown(made, *user)
        except OSError:
            made.rmdir()
            raise
    except OSError as error:
        raise TuivirtError(
            what,
            f"no folder for the socket can be made for QEMU's user: {error.strerror}",
            "--listen localhost:10809, or a socket's path where QEMU may make one",
        ) from error
    return made


def _addresses(server: Server | None, targets: Sequence[str], incremental: str) -> str:
    """Where each disk is to be had, as NBD's URIs."""
    if server is None:
        return "an address that libvirt does not tell"
    host = f"[{server.host}]" if ":" in server.host else server.host
    said = [
        f"nbd+unix:///{quote(each, safe='')}?socket={quote(server.socket)}"
        if server.socket
        else f"nbd://{host}:{server.port}/{quote(each, safe='')}"
        for each in targets
    ]
    text = ", ".join(said)
    if incremental:
        first = targets[0] if targets else "DISK"
        text += f" (what was written since {incremental}: qemu:dirty-bitmap:backup-{first})"
    return text


def addresses_of(running: Backup) -> str:
    """Where the disks of a backup that is pulled are to be had."""
    exports = [disk.export for disk in running.disks]
    return _addresses(running.server, exports, running.incremental)


def _left(files: Iterable[str], server: Server | None, *, here: bool) -> str:
    """What is there still of scratch files; the folder of a socket of ours is removed."""
    if not here:
        return "libvirt removes its scratch files"
    there = [path for path in files if os.path.lexists(path)]
    socket = Path(server.socket) if server is not None and server.socket else None
    if socket is not None and socket.parent.name.startswith(PREFIX):
        shutil.rmtree(socket.parent, ignore_errors=True)
        if socket.parent.exists():
            there.append(str(socket.parent))
    if there:
        return f"these are left, and may be removed: {', '.join(there)}"
    return "its scratch files are removed"


def info(host: Host, uuid: str) -> str:
    """The backup that runs now, as lines. Source: virDomainBackupGetXMLDesc and job statistics."""
    name = host.domain(uuid).name()
    running = under_way(host, uuid)
    if running is None:
        return f"no backup of {name} is under way"
    said = [f"mode          {running.mode}"]
    if running.incremental:
        said.append(f"since         {running.incremental}")
    said += [f"{disk.target:<14}{disk.file}" for disk in running.disks]
    if running.mode == "pull":
        said.append(f"offered at    {addresses_of(running)}")
    else:
        from ..migration.changes import job_info

        said += job_info(host, uuid).splitlines()
    return "\n".join(said)


def end(host: Host, uuid: str, *, force: bool = False) -> str:
    """End the backup that runs; what is left. Source: virDomainAbortJob.

    One that is pushed is a part then, and is ended with ``force`` alone. Raises TuivirtError.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    running = under_way(host, uuid)
    if running is None:
        raise TuivirtError(f"no backup of {name} is under way")
    if running.mode == "push" and not force:
        raise TuivirtError(
            f"the backup of {name} is not done",
            f"what {', '.join(disk.file for disk in running.disks)} holds would be a part",
            "--force ends it all the same",
        )
    with job.waiter_for(host, uuid) as waiter:
        if not job.end(host, uuid):
            raise TuivirtError(f"the backup of {name} cannot be ended now", "try again")
        job.follow(host, uuid, waiter, saying="", aborted=None, progress=None)
    touch(host, uuid)
    return _ended(host, name, running)


def _ended(host: Host, name: str, running: Backup) -> str:
    here = is_here(host)
    files = [disk.file for disk in running.disks if disk.file]
    if running.mode == "pull":
        return f"the disks of {name} are offered no more; {_left(files, running.server, here=here)}"
    there = [path for path in files if not here or os.path.lexists(path)]
    rest = f"what it wrote is a part: remove {', '.join(there)}" if there else "nothing is left"
    return f"the backup of {name} is ended; {rest}"
