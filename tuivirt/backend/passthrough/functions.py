"""The number of virtual functions (SR-IOV) of a device of this machine.

libvirt has no call for it: it is the kernel's file ``sriov_numvfs``. Source: the kernel's
Documentation/PCI/pci-iov-howto.rst.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInput, TuivirtError
from ..lifecycle import Progress
from ..lookups import configs_of, users_of_devices
from ..model.passthrough import Finding, Weight
from ..model.ref import Kind, Ref
from ..model.resources import NodeDevice
from .facts import gather
from .judge import called, judge
from .kernel import text_of

if TYPE_CHECKING:
    from ..host import Host

_SEEN_S = 10.0
"""How long libvirt may take to tell of functions that were made."""


def set_functions(
    host: Host,
    name: str,
    count: int,
    *,
    force: bool = False,
    progress: Progress | None = None,
    root: Path = Path("/"),
) -> str:
    """Have the device ``name`` show ``count`` virtual functions; 0 takes all away.

    The kernel makes them anew from none, so all that there are go first. Raises BadInput with
    nothing changed, TuivirtError when the kernel refused, with what there was made again.
    """
    host.require_write()
    device = host.snapshot.devices.get(name)
    if device is None:
        raise BadInput(f"there is no host device {name!r}", advice="See: tuivirt list devices")
    what = f"cannot set the virtual functions of {called(device)}"
    folder = root / device.path.lstrip("/")
    _refuse(host, device, folder, count, what)
    before = int(text_of(folder / "sriov_numvfs") or 0)
    if before == count:
        return f"{called(device)} has {_counted(count)} already"
    against = list(_against(host, device, root))
    refused = [each for each in against if each.weight is Weight.REFUSED]
    if refused or (against and not force):
        worst = (refused or against)[0]
        advice = [worst.advice, "" if refused else "With --force it is done all the same"]
        raise BadInput(
            what, "; ".join(each.text for each in against), ". ".join(filter(None, advice))
        )
    if progress is not None:
        progress(f"{called(device)}: {before} → {count} virtual functions", None)
    try:
        _write(folder, 0 if before else None)
        _write(folder, count or None)
    except OSError as error:
        raise _undone(folder, before, what, error) from error
    finally:
        host.touch(Ref(host.name, Kind.DEVICE, name))
        host.refresh()
    now = int(text_of(folder / "sriov_numvfs") or 0)
    if now != count:
        raise TuivirtError(what, f"the kernel made {now} of {count}, and told no error")
    _await(folder, count)
    return f"{called(device)} has {_counted(count)}"


def _refuse(host: Host, device: NodeDevice, folder: Path, count: int, what: str) -> None:
    info = host.snapshot.info
    if device.virtual_most is None:
        raise BadInput(f"{called(device)} has no virtual functions")
    if info is None or not info.local:
        raise BadInput(
            what,
            "libvirt cannot do it from afar",
            f"On {host.name}, as root: echo {count} > {device.path}/sriov_numvfs",
        )
    most = int(text_of(folder / "sriov_totalvfs") or device.virtual_most)
    if not 0 <= count <= most:
        raise BadInput(what, f"{count} is not between 0 and {most}")
    if not os.access(folder / "sriov_numvfs", os.W_OK):
        raise BadInput(what, "only root may", "Run tuivirt as root for it")


def _against(host: Host, device: NodeDevice, root: Path) -> Iterator[Finding]:
    """What speaks against taking away the functions that there are."""
    known = host.snapshot.devices
    there = [each for each in known.values() if each.address in device.virtual_functions]
    if not there:
        return
    users = users_of_devices(configs_of(host), known)
    facts = gather(host.snapshot, there, root)
    active = {domain.name: domain.active for domain in host.snapshot.domains.values()}
    for each in there:
        for user in users.get(each.name, ()):
            yield Finding(
                Weight.REFUSED if active.get(user) else Weight.RISK,
                f"{user} {'runs' if active.get(user) else 'is defined'} with {called(each)}",
                f"Take it away first: tuivirt detach-hostdev {user} {each.name}",
            )
        yield from (
            finding
            for finding in judge("", each, facts, active, given=False)
            if finding.weight is not Weight.NOTE
        )


def _write(folder: Path, count: int | None) -> None:
    if count is not None:
        # One write, without a newline: the kernel reads a number.
        (folder / "sriov_numvfs").write_text(str(count))


def _undone(folder: Path, before: int, what: str, error: OSError) -> TuivirtError:
    why = f"the kernel says: {error.strerror}"
    if int(text_of(folder / "sriov_numvfs") or 0) == before:
        return TuivirtError(what, why, "Nothing has changed")
    try:
        _write(folder, before)
    except OSError as again:
        return TuivirtError(
            what,
            why,
            f"As root: echo {before} > {folder}/sriov_numvfs",
            done=f"its {_counted(before)} are gone, and could not be made again ({again.strerror})",
        )
    return TuivirtError(
        what, why, f"Its {_counted(before)} were made again, with new names perhaps"
    )


def _await(folder: Path, count: int) -> None:
    """Until the kernel has linked them all: its own answer comes sooner."""
    until = time.monotonic() + _SEEN_S
    while len(list(folder.glob("virtfn*"))) < count and time.monotonic() < until:
        time.sleep(0.05)


def _counted(count: int) -> str:
    if count == 0:
        return "no virtual functions"
    return f"{count} virtual function{'s' * (count != 1)}"
