"""A SCSI disk of the host goes to a guest as it is, unless the host uses it itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import libvirt

from tests.lab.case import case
from tests.lab.cases.handing_over import attach, detach, nothing_changes, refused, run
from tests.lab.forked import tuivirt
from tests.lab.inner import NAME, inner_guest
from tests.support.libvirtd import SYSTEM, until


def _found() -> list[tuple[str, str]]:
    """The addresses and names of the kernel's make-believe disks, as in 2:0:0:0 and sdc."""
    return [
        (disk.parent.parent.name, disk.name)
        for disk in Path("/sys/bus/scsi/devices").glob("*:*/block/*")
        if (disk.parent.parent / "model").read_text().strip() == "scsi_debug"
    ]


def _disk() -> tuple[str, str]:
    run("modprobe", "-a", "sg", "sd_mod")
    run("modprobe", "scsi_debug", "dev_size_mb=8")
    until(lambda: bool(_found()), "a SCSI disk")
    (found,) = _found()
    return found


@case(limit_s=120)
def a_scsi_disk_that_is_mounted_is_refused_and_one_that_is_not_goes_and_comes_back() -> None:
    address, name = _disk()
    place = Path("/run/lab scsi")
    place.mkdir(exist_ok=True)
    with nothing_changes():
        run("mkfs.ext4", "-q", "-F", f"/dev/{name}")
        run("mount", f"/dev/{name}", str(place))
        try:
            refused(attach(address, "--force"), name, f"mounted at {place}")
        finally:
            run("umount", str(place))
    with inner_guest() as inner:
        domain = inner.guest.domain
        model = ("--type", "scsi", "--model", "virtio-scsi")
        made = tuivirt("-c", SYSTEM, "attach-controller", NAME, *model)
        assert made.status == 0, made.err
        given = attach(address)
        assert given.status == 0, given.err
        for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE):
            assert domain.XMLDesc(flags).count("<hostdev ") == 1
        seen = "cat /sys/bus/scsi/devices/*:*/model /dev/null 2>/dev/null"
        inner.shell.run(f"until {seen} | grep -q scsi_debug; do sleep 0.2; done", 60)
        refused(attach(address), "already")
        taken = detach(address, "--timeout", "40")
        assert taken.status == 0, taken.err
        inner.shell.run(f"while {seen} | grep -q scsi_debug; do sleep 0.2; done", 60)
        gone = tuivirt("-c", SYSTEM, "detach-controller", NAME, "scsi:0", "--timeout", "40")
        assert gone.status == 0, gone.err
        for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE):
            assert "<hostdev " not in domain.XMLDesc(flags)
    # The host has gone on seeing it.
    subprocess.run(["blockdev", "--getsize64", f"/dev/{name}"], check=True, capture_output=True)
