"""The block devices of this machine as one chooses among them, read from made-up /sys and /dev."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.passthrough.things import Machine
from tuivirt.backend.model.blocks import BlockDevice
from tuivirt.backend.passthrough.blocks import block_devices, name_of
from tuivirt.backend.passthrough.diskuse import Uses

CARD = "/sys/devices/pci0000:00/0000:03:00.0"
OTHER = "/sys/devices/pci0000:00/0000:04:00.0"
GIB_SECTORS = 1024**3 // 512


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.disk("sda", CARD, "8", "sda1", "sda2")
    made.disk("sdb", OTHER, "9", "sdb1")
    for name, size in (("sda", 4), ("sda1", 1), ("sda2", 3), ("sdb", 2), ("sdb1", 2)):
        made.write(f"/sys/class/block/{name}/size", f"{size * GIB_SECTORS}\n")
        made.write(f"/dev/{name}")
    made.write("/sys/class/block/sdb/device/vendor", "ATA     \n")
    made.write("/sys/class/block/sdb/device/model", "Fine Disk 2000\n")
    made.write("/sys/class/block/sdb/device/serial", "S123\n")
    return made


def by_id(machine: Machine, name: str, *links: str) -> None:
    for link in links:
        place = machine.root / "dev/disk/by-id" / link
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(f"../../{name}")


def found(machine: Machine, **taken: tuple[str, ...]) -> dict[str, BlockDevice]:
    return {device.name: device for device in block_devices(taken, machine.root)}


def test_a_disk_is_told_with_its_size_model_and_serial_number(machine: Machine) -> None:
    disk = found(machine)["sdb"]
    assert (disk.size_bytes, disk.model, disk.serial) == (2 * 1024**3, "Fine Disk 2000", "S123")
    assert disk.note == "1 partition"
    assert found(machine)["sdb1"].model == "Fine Disk 2000", "a partition is of its disk's make"


def test_the_name_that_outlives_a_reboot_is_taken_and_rather_one_that_says_something(
    machine: Machine,
) -> None:
    assert found(machine)["sdb"].path == "/dev/sdb"
    by_id(machine, "sdb", "wwn-0x5", "scsi-35000", "ata-Fine_Disk_2000_S123")
    by_id(machine, "sda", "wwn-0x6")
    devices = found(machine)
    assert devices["sdb"].path == "/dev/disk/by-id/ata-Fine_Disk_2000_S123"
    assert devices["sda"].path == "/dev/disk/by-id/wwn-0x6"


def test_what_is_mounted_cannot_be_had_nor_the_disk_that_it_is_on(machine: Machine) -> None:
    machine.mounts("22 1 8:2 / /srv rw - ext4 /dev/sda2 rw")
    devices = found(machine)
    assert devices["sda2"].uses == ("mounted at /srv",)
    assert devices["sda"].uses == ("sda2: mounted at /srv",)
    assert devices["sda1"].uses == (), "its neighbour can"


def test_of_a_disk_that_is_mounted_as_a_whole_no_partition_can_be_had(machine: Machine) -> None:
    machine.mounts("22 1 9:0 / /srv rw - ext4 /dev/sdb rw")
    assert found(machine)["sdb1"].uses == ("sdb: mounted at /srv",)


def test_swap_and_parts_of_volume_groups_cannot_be_had(machine: Machine) -> None:
    machine.write("/proc/swaps", "Filename Type Size Used Priority\n/dev/sda1 partition 1 0 -2\n")
    machine.write("/sys/devices/virtual/block/dm-0/dm/name", "vg0-data\n")
    machine.write("/sys/devices/virtual/block/dm-0/size", f"{GIB_SECTORS}\n")
    machine.link("/sys/class/block/dm-0", "/sys/devices/virtual/block/dm-0")
    machine.link("/sys/class/block/sdb1/holders/dm-0", "/sys/devices/virtual/block/dm-0")
    devices = found(machine)
    assert devices["sda"].uses == ("sda1: swap",)
    assert devices["sdb1"].uses == ("part of vg0-data",)
    volume = devices["vg0-data"]
    assert (volume.path, volume.uses) == ("/dev/mapper/vg0-data", ())


def test_what_another_domain_has_cannot_be_had_in_whole_or_part(machine: Machine) -> None:
    devices = found(machine, sdb1=("vdb of web-01",))
    assert devices["sdb1"].uses == ("vdb of web-01",)
    assert devices["sdb"].uses == ("sdb1: vdb of web-01",)


def test_what_is_free_comes_first(machine: Machine) -> None:
    machine.mounts("22 1 8:1 / / rw - ext4 /dev/sda1 rw")
    names = [device.name for device in block_devices({}, machine.root)]
    assert names == ["sda2", "sdb", "sdb1", "sda", "sda1"]


def test_what_holds_nothing_is_left_out(machine: Machine) -> None:
    for name, size in (("loop0", 0), ("ram0", 8), ("zram0", 8)):
        machine.disk(name, "/sys/devices/virtual", "7")
        machine.write(f"/sys/class/block/{name}/size", f"{size}\n")
    machine.write("/sys/class/block/sdb/hidden", "1\n")
    assert sorted(found(machine)) == ["sda", "sda1", "sda2", "sdb1"]


def test_a_device_is_known_by_any_link_to_it(machine: Machine) -> None:
    by_id(machine, "sdb", "wwn-0x5")
    assert name_of("/dev/disk/by-id/wwn-0x5", machine.root) == "sdb"
    assert name_of("/dev/sdb1", machine.root) == "sdb1"
    assert name_of("/dev/null", machine.root) == ""
    assert name_of("", machine.root) == ""


def test_what_the_kernel_holds_itself_is_told(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tuivirt.backend.passthrough import diskuse

    monkeypatch.setattr(diskuse, "_is_held", lambda _root, name: name == "sdb")
    assert Uses(machine.root).of("sdb") == ("in use by the kernel",)
