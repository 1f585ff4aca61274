"""One host with something of everything: for the screens beside the list of domains."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from textual.pilot import Pilot

from tuivirt.actions import lookups
from tuivirt.backend.lanes import Lane
from tuivirt.backend.model.device import Device, Disk, DomainConfig, DomainDetail, Interface
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import HostSnapshot, Link, Sampling
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.resources import (
    DhcpRange,
    HostInterface,
    Lease,
    Network,
    NetworkAddress,
    NodeDevice,
    Pool,
    Volume,
)
from tuivirt.backend.model.stats import DiskStats, DomainStats, NicStats, Point, VcpuStats
from tuivirt.settings import Settings

from .driver import DrivenApp
from .factory import GIB, HOST, domain, fleet, host, stats, uuid_of

HOSTILE = "evil\x1b]0;owned\x07\x1b[2J\u202e名前\n"
"""A name that would set the title, clear the screen, turn the text around, take wide cells."""

TIB = 1024**4


def network(number: int, name: str, **more: Any) -> Network:
    values: dict[str, Any] = {
        "host": HOST,
        "uuid": uuid_of(number),
        "name": name,
        "active": True,
        "autostart": False,
        "persistent": True,
        "mode": "nat",
        "bridge": f"virbr{number}",
    }
    return Network(**(values | more))


def pool(number: int, name: str, **more: Any) -> Pool:
    values: dict[str, Any] = {
        "host": HOST,
        "uuid": uuid_of(number),
        "name": name,
        "state": "running",
        "active": True,
        "autostart": True,
        "persistent": True,
        "type": "dir",
        "path": f"/var/lib/libvirt/{name}",
        "capacity_bytes": TIB,
        "allocation_bytes": TIB // 4,
        "available_bytes": TIB // 4 * 3,
    }
    return Pool(**(values | more))


NETWORKS = (
    network(
        1,
        "default",
        autostart=True,
        addresses=(
            NetworkAddress("192.168.122.1/24", (DhcpRange("192.168.122.2", "192.168.122.254"),)),
        ),
        leases=(
            Lease("default", "52:54:00:00:00:01", "192.168.122.41", 24, "web-01", 0.0),
            Lease("default", "52:54:00:00:00:02", "192.168.122.42", 24, "", 1.0),
        ),
        users=("db-01", "web-01"),
    ),
    network(2, "lab", mode="isolated", active=False, bridge="virbr7"),
    network(3, "uplink", mode="bridge", bridge="br0", users=("web-01",)),
)

POOLS = (
    pool(1, "images"),
    pool(2, "fast", type="logical", path="/dev/fast", allocation_bytes=TIB // 100 * 97),
    pool(3, "backup", state="inactive", active=False, autostart=False, type="netfs"),
    pool(4, "san", state="degraded", type="iscsi", path="/dev/disk/by-path"),
)

VOLUMES = (
    Volume(
        HOST,
        "images",
        "web-01.qcow2",
        "/var/lib/libvirt/images/web-01.qcow2",
        "/var/lib/libvirt/images/web-01.qcow2",
        "file",
        "qcow2",
        40 * 1024**3,
        12 * 1024**3,
        "/var/lib/libvirt/images/base.qcow2",
        ("web-01",),
    ),
    Volume(
        HOST,
        "images",
        "base.qcow2",
        "/var/lib/libvirt/images/base.qcow2",
        "/var/lib/libvirt/images/base.qcow2",
        "file",
        "qcow2",
        20 * 1024**3,
        2 * 1024**3,
    ),
    Volume(
        HOST,
        "images",
        "debian-12.iso",
        "/var/lib/libvirt/images/debian-12.iso",
        "/var/lib/libvirt/images/debian-12.iso",
        "file",
        "iso",
        660 * 1024**2,
        660 * 1024**2,
    ),
)


def device(name: str, parent: str = "", capability: str = "pci", **more: Any) -> NodeDevice:
    return NodeDevice(HOST, name, parent, capability, **more)


DEVICES = (
    device("computer", "", "system", vendor="QEMU", product="Standard PC"),
    device(
        "pci_0000_00_01_0",
        "computer",
        address="0000:00:01.0",
        vendor="Intel",
        product="PCIe Root Port",
        driver="pcieport",
        iommu_group=1,
    ),
    device(
        "pci_0000_04_00_0",
        "pci_0000_00_01_0",
        address="0000:04:00.0",
        vendor="NVIDIA Corporation",
        product="GP104GL [Tesla P4]",
        vendor_id="10de",
        product_id="1bb3",
        pci_class="030200",
        driver="vfio-pci",
        iommu_group=14,
        iommu_siblings=("0000:04:00.0", "0000:04:00.1"),
        numa_node=0,
        users=("gpu-train",),
    ),
    device(
        "pci_0000_04_00_1",
        "pci_0000_00_01_0",
        address="0000:04:00.1",
        vendor="NVIDIA Corporation",
        product="HD Audio",
        vendor_id="10de",
        product_id="10f0",
        pci_class="040300",
        driver="snd_hda_intel",
        iommu_group=14,
        numa_node=0,
    ),
    device(
        "pci_0000_00_02_0",
        "computer",
        address="0000:00:02.0",
        vendor="Intel",
        product="82574L Gigabit",
        pci_class="020000",
        driver="e1000e",
        iommu_group=2,
    ),
    device(
        "net_eth0_52_54_00_12_34_56",
        "pci_0000_00_02_0",
        "net",
        net_name="eth0",
        net_mac="52:54:00:12:34:56",
        net_state="up",
    ),
    device(
        "usb_1_2",
        "computer",
        "usb_device",
        vendor="Yubico",
        product="YubiKey",
        vendor_id="1050",
        product_id="0407",
        address="001:002",
        driver="usb",
    ),
    device("block_sda", "computer", "storage", block_path="/dev/sda", size_bytes=TIB),
    device("scsi_host0", "computer", "scsi_host"),
)

SAVED = DomainConfig(
    name="web-01",
    uuid=uuid_of(1),
    title="The shop's front",
    type="kvm",
    machine="pc-q35-7.2",
    arch="x86_64",
    firmware="UEFI",
    vcpus=4,
    vcpus_max=4,
    memory_kib=4 * GIB,
    memory_max_kib=4 * GIB,
    disks=(
        Disk("vda", "virtio", source="/var/lib/libvirt/images/web-01.qcow2", format="qcow2"),
        Disk("vdb", "virtio", source="/var/lib/libvirt/images/data.qcow2", format="qcow2"),
        Disk("sda", "sata", "cdrom", readonly=True),
    ),
    interfaces=(
        Interface("52:54:00:00:00:01", source="default", model="virtio"),
        Interface("52:54:00:00:00:09", source="lab", model="virtio", link="down"),
    ),
    devices=(
        Device("serial", "pty, isa-serial port 0"),
        Device("graphics", "vnc"),
        Device("watchdog", "i6300esb, reset"),
    ),
)
LIVE = DomainConfig(
    name="web-01",
    uuid=uuid_of(1),
    title="The shop's front",
    type="kvm",
    machine="pc-q35-7.2",
    arch="x86_64",
    firmware="UEFI",
    vcpus=4,
    vcpus_max=4,
    memory_kib=4 * GIB,
    memory_max_kib=4 * GIB,
    disks=(
        Disk(
            "vda",
            "virtio",
            source="/var/lib/libvirt/images/web-01.qcow2",
            format="qcow2",
            cache="none",
            alias="virtio-disk0",
        ),
        Disk("vdc", "virtio", source="/tmp/scratch.img", format="raw", alias="virtio-disk2"),
        Disk("sda", "sata", "cdrom", readonly=True, alias="sata0-0-0"),
    ),
    interfaces=(Interface("52:54:00:00:00:01", source="default", model="virtio", target="vnet0"),),
    devices=(Device("serial", "pty /dev/pts/4, isa-serial port 0"), Device("graphics", "vnc 5900")),
)

LIVE_XML = "<domain type='kvm' id='1'>\n  <name>web-01</name>\n  <memory>1</memory>\n</domain>\n"
SAVED_XML = "<domain type='kvm'>\n  <name>web-01</name>\n  <memory>2</memory>\n</domain>\n"

DETAIL = DomainDetail(LIVE, SAVED, LIVE_XML, SAVED_XML, ("new disk vdb", "disk vdc goes"))
OFF = DomainDetail(None, SAVED, "", SAVED_XML)


def points(count: int = 120) -> tuple[Point, ...]:
    return tuple(
        Point(
            2.0 * n,
            float(n * 37 % 400),
            int((1 + n % 7 / 10) * GIB),
            1e6 * (n % 13),
            2e5 * (n % 5),
            1e5 * (n % 11),
            1e4 * (n % 3),
        )
        for n in range(count)
    )


def web_stats() -> DomainStats:
    """The figures of web-01 while its detail is open."""
    now = time.monotonic()
    return stats(
        332,
        1.9,
        now,
        cpu_guest_percent=83.0,
        memory_available_kib=int(3.9 * GIB),
        vcpus=tuple(VcpuStats(n, p) for n, p in enumerate((91.0, 80.0, 77.0, None))),
        vcpu_at=now,
        read_bytes_per_s=11.8e6,
        write_bytes_per_s=0.3e6,
        disks=(
            DiskStats("vda", "", 11.8e6, 0.3e6, 412.0, 22.0, 0.6, 1.1, 12 * 1024**3, 40 * 1024**3),
            DiskStats("vdc", "", 0.0, 0.0, 0.0, 0.0, None, None, None, 1024**3),
        ),
        rx_bytes_per_s=2.0e6,
        tx_bytes_per_s=0.1e6,
        nics=(NicStats("vnet0", 2.0e6, 0.1e6, 1900.0, 300.0, 0.0, 0.0),),
        history=points(),
    )


def web(**more: Any) -> Domain:
    values: dict[str, Any] = {
        "addresses": ("192.168.122.41",),
        "vcpus": 4,
        "vcpus_max": 4,
        "autostart": True,
        "pending": DETAIL.pending,
    }
    return domain(1, "web-01", **(values | more))


def everything(**more: Any) -> HostSnapshot:
    """srv1 with networks, pools, devices and web-01."""
    return host(
        [web()],
        {uuid_of(1): web_stats()},
        networks={n.uuid: n for n in NETWORKS},
        pools={p.uuid: p for p in POOLS},
        devices={d.name: d for d in DEVICES},
        interfaces={
            "eth0": HostInterface(
                HOST, "eth0", "52:54:00:12:34:56", True, "ethernet", ("10.0.0.7/24",)
            )
        },
        sampling=Sampling(2.0, 2, 0.031, 6.0),
        **more,
    )


def unreachable(name: str = "srv2") -> HostSnapshot:
    return HostSnapshot(
        name,
        f"qemu+ssh://{name}/system",
        Link.FAILED,
        "Cannot recv data: Permission denied (publickey)",
        "add your key to the host's authorized_keys",
        retry_at=time.monotonic() + 55.5,
    )


def full_fleet() -> Fleet:
    return fleet(everything())


WEB = Ref(HOST, Kind.DOMAIN, uuid_of(1))


def answer(monkeypatch: Any, **answers: Any) -> None:
    """Have look-ups answer this: a value is given, an exception raised."""
    for name, value in answers.items():

        def answered(_host: object, *_args: object, value: Any = value) -> Any:
            if isinstance(value, BaseException):
                raise value
            return value

        monkeypatch.setattr(lookups, name, answered)
        if name == "volumes":
            monkeypatch.setattr("tuivirt.actions.volumes.names", answered)


SIZES = [(80, 24), (120, 40), (200, 60)]


def size_name(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def driven(shown: Fleet | None = None, settings: Settings | None = None) -> DrivenApp:
    """The app, its look-ups one after the other so that their end can be awaited."""
    app = DrivenApp(shown if shown is not None else full_fleet(), settings)
    for name, double in app.doubles.items():
        double.lookups = Lane(f"{name} look-ups", 1)
    return app


async def settle(app: DrivenApp, pilot: Pilot[Any]) -> None:
    """Wait until every look-up under way, and the one that follows, was answered and drawn."""
    for _ in range(2):
        for double in app.doubles.values():
            # Its worker runs a call's callbacks before it takes the next call.
            await asyncio.wrap_future(double.lookups.submit(lambda: None))
        await pilot.pause()
    await pilot.pause()


async def go(app: DrivenApp, pilot: Pilot[Any], word: str) -> None:
    """Type ``:word``."""
    await pilot.press("colon", *word, "enter")
    await pilot.pause()
    await settle(app, pilot)


def timeless(text: str) -> str:
    """The text with spans of time that went on meanwhile set back."""
    return re.sub(
        r"\b\d+ s ago", "0 s ago", re.sub(r"next try in +\d+ s", "next try in 55 s", text)
    )


def harmless(text: str) -> bool:
    """Whether nothing in it would be obeyed by a terminal."""
    return not any(
        (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u202d\u2066"
        for c in text
    )
