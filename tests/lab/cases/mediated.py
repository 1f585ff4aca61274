"""Mediated devices: made by a board, asked for by tuivirt, given to a guest."""

from __future__ import annotations

import contextlib
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from tests.contract.conftest import Heard, started
from tests.e2e.operator import Operator
from tests.lab import sysfs
from tests.lab.case import case
from tests.lab.cases.guest import node_name
from tests.lab.cases.handing_over import run
from tests.lab.forked import tuivirt
from tests.lab.inner import NAME, inner_guest
from tests.support.lab import hardware, mdev
from tests.support.libvirtd import SYSTEM, until
from tests.support.needs import missing, need_programs
from tests.support.tmux import TUIVIRT, Terminal
from tuivirt.backend import mdevs
from tuivirt.backend.errors import BadInput
from tuivirt.backend.host import Host
from tuivirt.backend.model.resources import NodeDevice
from tuivirt.backend.model.when import When
from tuivirt.backend.passthrough.hand_over import Wish, hand_over
from tuivirt.backend.passthrough.take_back import take_back

SMALL, LARGE = "lab_mdev-small", "lab_mdev-large"
SEEN_ID = "1234:4d44"
"""What a guest sees of one."""
UUIDS = ("8e2b8a1e-5d0c-4d6b-9d43-5c1d0f6f0001", "8e2b8a1e-5d0c-4d6b-9d43-5c1d0f6f0002")
MADE = Path("/sys/bus/mdev/devices")
FOLLOWS_S = 30.0


@contextlib.contextmanager
def a_maker() -> Iterator[str]:
    """The node device of a board that makes two mediated devices; none of them is left."""
    release = platform.release()
    reason = mdev.lacking(release)
    if reason:
        missing(reason)
    need_programs("mdevctl")
    run("modprobe", "-a", "mdev", "vfio_iommu_type1")
    run("insmod", str(mdev.module(release)))
    try:
        yield node_name(sysfs.behind(hardware.MAKER))
    finally:
        for uuid in UUIDS:
            for verb in ("stop", "undefine"):
                # What a case has taken away itself is no loss here.
                subprocess.run(["mdevctl", verb, "-u", uuid], capture_output=True)
        run("rmmod", "lab_mdev")


@contextlib.contextmanager
def a_host() -> Iterator[Host]:
    host = started(SYSTEM, Heard())
    try:
        yield host
    finally:
        host.close()


def found(host: Host, uuid: str) -> NodeDevice | None:
    """As the list has it."""
    return next((d for d in host.snapshot.devices.values() if d.mdev_uuid == uuid), None)


def told(host: Host, uuid: str) -> tuple[bool, bool, bool] | None:
    """Whether it is there, is defined, starts by itself; None: it is not listed."""
    device = found(host, uuid)
    return None if device is None else (device.active, device.persistent, device.autostart)


def left(host: Host, board: str) -> dict[str, int | None]:
    """How many more of each type the board makes, as the list has it."""
    return {each.id: each.left for each in host.snapshot.devices[board].mdev_types}


def comes_true(host: Host, uuid: str, wanted: tuple[bool, bool, bool] | None) -> None:
    until(lambda: told(host, uuid) == wanted, f"{wanted} of {uuid}", FOLLOWS_S)


@case(limit_s=240)
def one_is_made_given_seen_in_the_guest_kept_while_it_has_it_taken_back_and_gone() -> None:
    uuid = UUIDS[0]
    with a_maker() as board, inner_guest() as inner:
        address = sysfs.behind(hardware.MAKER)
        made = tuivirt("-c", SYSTEM, "create-mdev", address, SMALL, "--uuid", uuid)
        assert made.status == 0, made.err
        assert (MADE / uuid).exists()
        with a_host() as host:
            assert told(host, uuid) == (True, False, False)
            assert left(host, board) == {SMALL: 1, LARGE: 1}

            hand_over(host, inner.guest.uuid, Wish(uuid, When.NOW))
            inner.wait_for_pci(SEEN_ID)
            kept = tuivirt("-c", SYSTEM, "stop-mdev", uuid)
            assert kept.status == 1
            assert f"{NAME} runs with it" in kept.err
            assert (MADE / uuid).exists()

            outcome = take_back(host, inner.guest.uuid, uuid, timeout_s=60)
            assert not outcome.asked, outcome.text
            inner.wait_for_pci(SEEN_ID, there=False)
            device = found(host, uuid)
            assert device is not None
            mdevs.stop(host, device.name)
            assert not (MADE / uuid).exists()
            comes_true(host, uuid, None)
            until(lambda: left(host, board) == {SMALL: 2, LARGE: 2}, "room again", FOLLOWS_S)


@case(limit_s=120, early=True)
def one_is_defined_started_stopped_and_undefined() -> None:
    uuid = UUIDS[0]
    with a_maker() as board, a_host() as host:
        mdevs.define(host, board, LARGE, uuid)
        comes_true(host, uuid, (False, True, False))
        device = found(host, uuid)
        assert device is not None
        assert not (MADE / uuid).exists()
        mdevs.autostart(host, device.name, True)
        comes_true(host, uuid, (False, True, True))
        mdevs.start(host, device.name)
        comes_true(host, uuid, (True, True, True))
        assert (MADE / uuid / "mdev_type").resolve().name == LARGE
        mdevs.stop(host, device.name)
        comes_true(host, uuid, (False, True, True))
        mdevs.autostart(host, device.name, False)
        comes_true(host, uuid, (False, True, False))
        mdevs.undefine(host, device.name)
        comes_true(host, uuid, None)


@case(limit_s=120, early=True)
def what_cannot_be_made_is_refused_with_the_reason() -> None:
    uuid, other = UUIDS
    with a_maker() as board, a_host() as host:
        spare = node_name(sysfs.behind(hardware.SPARE_CARD))
        mdevs.create(host, board, LARGE, uuid)
        until(lambda: found(host, uuid) is not None, "it is listed", FOLLOWS_S)
        for parent, kind, name, reason in (
            (board, "nvidia-11", "", f"it makes {LARGE}, {SMALL}"),
            (board, SMALL, uuid, "there already"),
            (board, SMALL, "x", "no UUID"),
            (spare, SMALL, "", "makes no mediated devices"),
        ):
            with pytest.raises(BadInput, match=reason):
                mdevs.create(host, parent, kind, name)
        mdevs.create(host, board, SMALL, other)
        with pytest.raises(BadInput, match="can make no more"):
            mdevs.create(host, board, SMALL)
        assert sorted(each.name for each in MADE.iterdir()) == sorted(UUIDS)


@case(limit_s=180, early=True)
def one_is_made_on_the_screen_by_its_keys_and_the_list_follows() -> None:
    board = sysfs.behind(hardware.MAKER)
    with a_maker(), Terminal(80, 24, (*TUIVIRT, "-c", SYSTEM)) as terminal:
        at = Operator(terminal)
        at.sees(NAME)
        at.go_to("dev")
        at.type("8")
        at.sees(f"{board} .*lab_mdev")
        at.press("a")
        at.sees("Make a mediated device")
        at.press("Enter")
        at.sees("which one")
        at.press("Right")
        at.sees(r"lab_mdev-\w+  Lab device, \w+  2 left")
        at.press("Down")
        at.type(UUIDS[0])
        at.press("C-s")
        at.sees(rf"{UUIDS[0][:12]}.* lab_mdev")
        assert (MADE / UUIDS[0]).exists()
        # Somebody else ends it: the list follows, and so does what the board has left.
        conn = libvirt.open(SYSTEM)
        try:
            (made,) = conn.listAllDevices(libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV)
            made.destroy()
        finally:
            conn.close()
        at.sees_no(f"{UUIDS[0][:12]}.* lab_mdev")
        at.press("Enter")
        at.sees(r"can make +lab_mdev-\w+  Lab device, \w+  2 left")
