"""The block devices of a host that is not this machine, as libvirt tells of them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tuivirt.backend import blocks
from tuivirt.backend.blocks import block_devices, refuse_in_use
from tuivirt.backend.model.device import Disk, DomainConfig
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.host import HostInfo, HostSnapshot
from tuivirt.backend.model.resources import NodeDevice, Pool, Volume
from tuivirt.backend.passthrough import blocks as kernel

GIB = 1024**3
WEB, DB = "u" * 32, "v" * 32


def storage(path: str, *links: str, size: int | None = 8 * GIB) -> NodeDevice:
    return NodeDevice(
        "far",
        f"block_{path}",
        capability="storage",
        vendor="ACME",
        product="Disk 9",
        block_path=path,
        devnodes=(path, *links),
        size_bytes=size,
    )


def pool(name: str, type: str) -> Pool:
    return Pool("far", name, name, "running", True, True, True, type=type)


@pytest.fixture
def configs(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[DomainConfig, ...]]:
    """The domains' configurations, none at first; one volume in each pool."""
    known: dict[str, tuple[DomainConfig, ...]] = {}
    monkeypatch.setattr(blocks, "configs_of", lambda _host: known)
    monkeypatch.setattr(blocks, "path_of", lambda _host, disk: f"/dev/{disk.pool}/{disk.volume}")

    def volumes(_host: object, name: str) -> tuple[Volume, ...]:
        path = f"/dev/{name}/data"
        return (Volume("far", name, "data", path, path, "block", "raw", 2 * GIB),)

    monkeypatch.setattr(blocks, "volumes", volumes)
    return known


def host(*devices: NodeDevice, pools: tuple[Pool, ...] = (), local: bool = False) -> Any:
    domains = {
        uuid: Domain("far", uuid, name, None, DomainState.SHUTOFF)
        for uuid, name in ((WEB, "web-01"), (DB, "db-01"))
    }
    return SimpleNamespace(
        snapshot=HostSnapshot(
            "far",
            "qemu+ssh://far/system",
            info=HostInfo("qemu+ssh://far/system", local=local),
            devices={device.name: device for device in devices},
            pools={each.uuid: each for each in pools},
            domains=domains,
        )
    )


def disk(source: str, **more: Any) -> Disk:
    return Disk("vdb", source_type="block", source=source, **more)


def test_disks_are_told_by_a_name_that_outlives_a_reboot(
    configs: dict[str, tuple[DomainConfig, ...]],
) -> None:
    there = host(
        storage("/dev/sda", "/dev/disk/by-path/pci-1", "/dev/disk/by-id/ata-Disk_9_S1"),
        storage("/dev/sr0", size=None),
    )
    (found,) = block_devices(there, WEB)
    assert (found.name, found.path) == ("sda", "/dev/disk/by-id/ata-Disk_9_S1")
    assert (found.model, found.size_bytes, found.uses) == ("ACME Disk 9", 8 * GIB, ())


def test_what_domains_have_is_known_by_any_of_its_names_and_comes_last(
    configs: dict[str, tuple[DomainConfig, ...]],
) -> None:
    configs["db-01"] = (DomainConfig("db-01", DB, disks=(disk("/dev/disk/by-id/ata-1"),)),)
    configs["web-01"] = (DomainConfig("web-01", WEB, disks=(disk("/dev/sdb"),)),)
    there = host(
        storage("/dev/sda", "/dev/disk/by-id/ata-1"), storage("/dev/sdb"), storage("/dev/sdc")
    )
    assert [(each.name, each.uses) for each in block_devices(there, WEB)] == [
        ("sdc", ()),
        ("sda", ("vdb of db-01",)),
        ("sdb", ("already vdb here",)),
    ]


def test_what_a_pool_is_made_of_cannot_be_had_nor_the_disk_that_it_is_a_part_of(
    configs: dict[str, tuple[DomainConfig, ...]],
) -> None:
    made = replace(pool("vg0", "dir"), source="/dev/sda /dev/nvme0n1p2 vg0")
    there = host(*map(storage, ("/dev/sda", "/dev/nvme0n1", "/dev/sdaa")), pools=(made,))
    assert {each.name: each.uses for each in block_devices(there, WEB)} == {
        "sda": ("part of pool vg0",),
        "nvme0n1": ("nvme0n1p2: part of pool vg0",),
        "sdaa": (),
    }


def test_volumes_that_are_block_devices_are_told_too(
    configs: dict[str, tuple[DomainConfig, ...]],
) -> None:
    taken = Disk("vda", source_type="volume", source="vg1/data", pool="vg1", volume="data")
    configs["db-01"] = (DomainConfig("db-01", DB, disks=(taken,)),)
    there = host(pools=(pool("vg0", "logical"), pool("vg1", "logical"), pool("files", "dir")))
    assert [(each.name, each.path, each.uses) for each in block_devices(there, WEB)] == [
        ("vg0/data", "/dev/vg0/data", ()),
        ("vg1/data", "/dev/vg1/data", ("vda of db-01",)),
    ]


def test_of_another_machines_paths_nothing_is_known_here(
    configs: dict[str, tuple[DomainConfig, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "name_of", lambda _path: "sda")
    refuse_in_use(host(), WEB, "/dev/sda")
