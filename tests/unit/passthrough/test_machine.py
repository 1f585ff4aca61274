"""What this machine does with its devices, read from made-up /sys and /proc."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from tests.unit.passthrough.things import Machine
from tuivirt.backend.model.passthrough import DiskUse
from tuivirt.backend.passthrough.diskuse import disk_uses, disks_of
from tuivirt.backend.passthrough.netuse import net_uses
from tuivirt.backend.passthrough.platform import has_vfio, iommu_advice

CARD = "/sys/devices/pci0000:00/0000:03:00.0"
OTHER = "/sys/devices/pci0000:00/0000:04:00.0"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_mounted_partition_is_told_with_its_place(machine: Machine) -> None:
    machine.disk("sda", CARD, "8", "sda1", "sda2")
    machine.disk("sdb", OTHER, "9")
    machine.mounts(
        "22 1 8:2 / /srv/with\\040blank rw - ext4 /dev/sda2 rw",
        "23 1 9:0 / /elsewhere rw - ext4 /dev/sdb rw",
    )
    assert disk_uses(CARD, machine.root) == (DiskUse("sda2", "mounted at /srv/with blank"),)
    assert disks_of(CARD, machine.root) == ("sda",)


def test_swap_and_what_is_built_on_a_disk_are_told(machine: Machine) -> None:
    machine.disk("sda", CARD, "8", "sda1", "sda2")
    machine.write("/sys/devices/virtual/block/dm-0/dm/name", "vg0-root\n")
    machine.write("/sys/devices/virtual/block/dm-0/dev", "253:0\n")
    machine.link("/sys/class/block/dm-0", "/sys/devices/virtual/block/dm-0")
    machine.link("/sys/class/block/sda2/holders/dm-0", "/sys/devices/virtual/block/dm-0")
    machine.write("/proc/swaps", "Filename Type Size Used Priority\n/dev/sda1 partition 1 0 -2\n")
    machine.mounts("22 1 253:0 / / rw - ext4 /dev/mapper/vg0-root rw")
    assert disk_uses(CARD, machine.root) == (
        DiskUse("sda1", "swap"),
        DiskUse("sda2", "part of vg0-root, mounted at /"),
    )


def test_btrfs_is_found_by_its_source(machine: Machine) -> None:
    machine.disk("sda", CARD, "8")
    machine.mounts("22 1 0:31 /@ /data rw - btrfs /dev/sda rw")
    assert disk_uses(CARD, machine.root) == (DiskUse("sda", "mounted at /data"),)


def test_a_namespace_belongs_to_the_controller_of_its_subsystem(machine: Machine) -> None:
    subsystem = "/sys/devices/virtual/nvme-subsystem/nvme-subsys0"
    machine.disk("nvme0n1", subsystem, "259")
    (machine.root / subsystem.lstrip("/") / "block/nvme0n1").rename(
        machine.root / subsystem.lstrip("/") / "nvme0n1"
    )
    (machine.root / "sys/class/block/nvme0n1").unlink()
    machine.link("/sys/class/block/nvme0n1", f"{subsystem}/nvme0n1")
    machine.link(f"{subsystem}/nvme0", f"{CARD}/nvme/nvme0")
    machine.mounts("22 1 259:0 / /fast rw - xfs /dev/nvme0n1 rw")
    assert disk_uses(CARD, machine.root) == (DiskUse("nvme0n1", "mounted at /fast"),)
    assert disks_of(OTHER, machine.root) == ()


def test_a_disk_that_nobody_uses_is_not_told(machine: Machine) -> None:
    machine.disk("sda", CARD, "8", "sda1")
    assert disk_uses(CARD, machine.root) == ()


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """By interface: this machine's IP addresses."""
    known: dict[str, list[str]] = {}

    def all_of_them() -> dict[str, list[SimpleNamespace]]:
        return {
            name: [
                SimpleNamespace(family=SimpleNamespace(name="AF_INET"), address=each)
                for each in found
            ]
            for name, found in known.items()
        }

    monkeypatch.setattr(psutil, "net_if_addrs", all_of_them)
    monkeypatch.setattr(psutil.Process, "parents", lambda _self: [])
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    return known


def test_an_interface_in_a_bridge_has_the_bridges_addresses_and_route(
    machine: Machine, addresses: dict[str, list[str]]
) -> None:
    machine.net("eth0", CARD, "br0")
    machine.net("eth1", OTHER)
    addresses["br0"] = ["192.0.2.7"]
    machine.write(
        "/proc/net/route",
        "Iface Destination Gateway Flags\nbr0 00000000 010200C0 3 0 0 0 00000000\n",
    )
    (use,) = net_uses(CARD, machine.root)
    assert (use.name, use.above, use.addresses) == ("eth0", ("br0",), ("192.0.2.7",))
    assert use.default_route
    assert not use.this_session


def test_the_interface_that_this_session_comes_by_is_known(
    machine: Machine, addresses: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.net("eth0", CARD)
    addresses["eth0"] = ["192.0.2.7"]
    monkeypatch.setitem(os.environ, "SSH_CONNECTION", "198.51.100.9 50022 192.0.2.7 22")
    (use,) = net_uses(CARD, machine.root)
    assert use.this_session


def test_it_is_known_behind_sudo_too(
    machine: Machine, addresses: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.net("eth0", CARD)
    addresses["eth0"] = ["192.0.2.7"]
    login = SimpleNamespace(environ=lambda: {"SSH_CONNECTION": "198.51.100.9 50022 192.0.2.7 22"})

    def stranger() -> dict[str, str]:
        raise psutil.AccessDenied(1)

    above = [SimpleNamespace(environ=stranger), login]
    monkeypatch.setattr(psutil.Process, "parents", lambda _self: above)
    (use,) = net_uses(CARD, machine.root)
    assert use.this_session


def test_an_iommu_that_is_on_needs_no_advice(machine: Machine) -> None:
    machine.write("/sys/class/iommu/dmar0/type", "")
    assert iommu_advice(machine.root) == ""


@pytest.mark.parametrize(
    ("cpu", "table", "cmdline", "words", "not_words"),
    [
        ("GenuineIntel", "", "quiet", ["VT-d", "intel_iommu=on iommu=pt"], ["AMD"]),
        ("GenuineIntel", "DMAR", "quiet", ["intel_iommu=on iommu=pt"], ["VT-d"]),
        ("GenuineIntel", "", "quiet intel_iommu=on", ["VT-d"], ["command line"]),
        ("AuthenticAMD", "", "quiet", ["AMD-Vi"], ["intel_iommu", "VT-d"]),
        ("AuthenticAMD", "IVRS", "amd_iommu=off", ["amd_iommu=off"], ["firmware"]),
    ],
)
def test_what_an_iommu_lacks_is_told_ready_to_copy(
    machine: Machine, cpu: str, table: str, cmdline: str, words: list[str], not_words: list[str]
) -> None:
    machine.write("/proc/cpuinfo", f"vendor_id\t: {cpu}\n")
    machine.write("/proc/cmdline", f"{cmdline}\n")
    if table:
        machine.write(f"/sys/firmware/acpi/tables/{table}")
    advice = iommu_advice(machine.root)
    assert all(word in advice for word in words)
    assert not any(word in advice for word in not_words)


def test_vfio_is_known_as_a_module_too(machine: Machine) -> None:
    assert not has_vfio(machine.root)
    release = os.uname().release
    machine.write(f"/lib/modules/{release}/modules.dep", "kernel/drivers/vfio/pci/vfio-pci.ko: x\n")
    assert has_vfio(machine.root)
