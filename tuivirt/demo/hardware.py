"""The demo host's own hardware, networks and storage, as XML for libvirt's test driver."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from . import guests

GRAIN = 4096
"""The test driver gives each pool 100 GiB, and takes no new volume into one with more in it: of
what a volume takes it is told a part of so many."""


@dataclass(frozen=True, slots=True)
class Pci:
    """A PCI function of the host."""

    address: str
    pci_class: str
    vendor: tuple[str, str]
    """(four hexadecimal digits, name)"""
    product: tuple[str, str]
    driver: str
    group: int
    numa: int = 0
    parent: str = "computer"
    physical: str = ""
    """The physical function's address, for a virtual one."""
    virtual: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return "pci_" + self.address.replace(":", "_").replace(".", "_")


_NVIDIA, _AMD, _INTEL = ("10de", "NVIDIA Corporation"), ("1002", "AMD"), ("8086", "Intel")
_SAMSUNG, _LSI = ("144d", "Samsung Electronics"), ("1000", "Broadcom / LSI")
_VFS = tuple(f"0000:01:10.{n}" for n in (0, 2, 4, 6))

PCI: tuple[Pci, ...] = (
    Pci("0000:00:00.0", "060000", _INTEL, ("2020", "Sky Lake-E DMI3 Registers"), "", 0),
    Pci("0000:00:1f.2", "010601", _INTEL, ("a182", "SATA Controller [AHCI mode]"), "ahci", 7),
    Pci("0000:00:14.0", "0c0330", _INTEL, ("a1af", "USB 3.0 xHCI Controller"), "xhci_hcd", 5),
    Pci(
        "0000:01:00.0",
        "020000",
        _INTEL,
        ("10fb", "82599ES 10-Gigabit SFI/SFP+"),
        "ixgbe",
        20,
        virtual=_VFS,
    ),
    *(
        Pci(
            address,
            "020000",
            _INTEL,
            ("10ed", "82599 Ethernet Controller Virtual Function"),
            "ixgbevf",
            21 + number,
            physical="0000:01:00.0",
        )
        for number, address in enumerate(_VFS)
    ),
    Pci("0000:02:00.0", "010802", _SAMSUNG, ("a808", "NVMe SSD PM981"), "nvme", 30),
    Pci("0000:03:00.0", "010700", _LSI, ("0097", "SAS3008 Fusion-MPT"), "mpt3sas", 31),
    Pci("0000:04:00.0", "030200", _NVIDIA, ("1bb3", "GP104GL [Tesla P4]"), "vfio-pci", 14),
    Pci("0000:04:00.1", "040300", _NVIDIA, ("10f0", "GP104 HD Audio"), "vfio-pci", 14),
    Pci("0000:65:00.0", "030000", _AMD, ("73bf", "Navi 21 [RX 6800 XT]"), "amdgpu", 15, 1),
    Pci("0000:65:00.1", "040300", _AMD, ("ab28", "Navi 21 HDMI Audio"), "snd_hda_intel", 15, 1),
)


def _address(address: str) -> tuple[str, str, str, str]:
    domain, bus, rest = address.split(":")
    slot, function = rest.split(".")
    return domain, bus, slot, function


def _address_xml(address: str) -> str:
    domain, bus, slot, function = _address(address)
    return f"<address domain='0x{domain}' bus='0x{bus}' slot='0x{slot}' function='0x{function}'/>"


def _device(name: str, parent: str, path: str, capability: str) -> str:
    return (
        f"<device><name>{name}</name><path>{path}</path><parent>{parent}</parent>"
        f"{capability}</device>"
    )


def _pci_xml(device: Pci) -> str:
    domain, bus, slot, function = (int(part, 16) for part in _address(device.address))
    group = "".join(_address_xml(other.address) for other in PCI if other.group == device.group)
    # What sits on the board itself has no link; a GPU that idles has it slow.
    speeds = ("8", "2.5" if device.pci_class.startswith("03") else "8")
    cap, sta = (f"speed='{speed}' width='16'" for speed in speeds)
    link = f"<link validity='cap' port='0' {cap}/><link validity='sta' {sta}/>"
    link = f"<pci-express>{link}</pci-express>" if bus else ""
    extra = ""
    if device.physical:
        extra = f"<capability type='phys_function'>{_address_xml(device.physical)}</capability>"
    if device.virtual:
        functions = "".join(map(_address_xml, device.virtual))
        extra = f"<capability type='virt_functions' maxCount='63'>{functions}</capability>"
    return _device(
        device.name,
        device.parent,
        f"/sys/devices/pci{device.address[:7]}/{device.address}",
        f"<capability type='pci'><class>0x{device.pci_class}</class>"
        f"<domain>{domain}</domain><bus>{bus}</bus><slot>{slot}</slot>"
        f"<function>{function}</function>"
        f"<product id='0x{device.product[0]}'>{escape(device.product[1])}</product>"
        f"<vendor id='0x{device.vendor[0]}'>{escape(device.vendor[1])}</vendor>{extra}"
        f"<iommuGroup number='{device.group}'>{group}</iommuGroup>"
        f"<numa node='{device.numa}'/>{link}</capability>",
    )


def _usb(bus: int, device: int, vendor: tuple[str, str], product: tuple[str, str]) -> str:
    name = f"usb_{bus}_{device}"
    return _device(
        name,
        "pci_0000_00_14_0",
        f"/sys/devices/pci0000:00/0000:00:14.0/usb{bus}/{bus}-{device}",
        f"<capability type='usb_device'><bus>{bus}</bus><device>{device}</device>"
        f"<product id='0x{product[0]}'>{escape(product[1])}</product>"
        f"<vendor id='0x{vendor[0]}'>{escape(vendor[1])}</vendor></capability>",
    )


def _net(interface: str, mac: str, parent: str, state: str = "up") -> str:
    return _device(
        f"net_{interface}_{mac.replace(':', '_')}",
        parent,
        f"/sys/class/net/{interface}",
        f"<capability type='net'><interface>{interface}</interface><address>{mac}</address>"
        f"<link state='{state}'/><capability type='80203'/></capability>",
    )


def _disk(name: str, block: str, parent: str, bus: str, model: str, gib: int) -> str:
    return _device(
        name,
        parent,
        f"/sys/block/{block.rpartition('/')[2]}",
        f"<capability type='storage'><block>{block}</block><bus>{bus}</bus>"
        f"<drive_type>disk</drive_type><model>{escape(model)}</model>"
        f"<size>{gib << 30}</size></capability>",
    )


BLOCK_DEVICES: dict[str, float] = {
    "/dev/sdb": 4000.0,
    "/dev/nvme0n1": 953.0,
    "/dev/mapper/data": 500.0,
    "/dev/vg0/db-data": 200.0,
    "/dev/vg0/train-set": 1024.0,
    "/dev/vg0/free": 64.0,
}
"""The host's block devices a disk may be made of, with their sizes in GiB."""


def devices_xml() -> list[str]:
    """Every node device of the host."""
    yubikey = (("1050", "Yubico.com"), ("0407", "Yubikey 4/5 OTP+U2F+CCID"))
    serial = (("0403", "Future Technology Devices"), ("6001", "FT232 Serial (UART) IC"))
    return [
        (
            "<device><name>computer</name><capability type='system'><hardware>"
            "<vendor>Tuivirt</vendor><uuid>5a3cbb1c-42ce-11e9-b8b6-18037302ff57</uuid></hardware>"
            "<firmware><vendor>Demo</vendor><version>1</version></firmware></capability></device>"
        ),
        *map(_pci_xml, PCI),
        _usb(1, 2, *yubikey),
        _usb(1, 4, *serial),
        _usb(1, 5, *serial),
        _net("eno1", "3c:ec:ef:10:20:30", "pci_0000_01_00_0"),
        *(
            _net(
                f"eno1v{n}",
                f"3c:ec:ef:10:21:0{n}",
                "pci_" + _VFS[n].replace(":", "_").replace(".", "_"),
                "down",
            )
            for n in range(len(_VFS))
        ),
        _device(
            "scsi_host0",
            "pci_0000_03_00_0",
            "/sys/class/scsi_host/host0",
            "<capability type='scsi_host'><host>0</host><unique_id>0</unique_id></capability>",
        ),
        _device(
            "scsi_0_0_1_0",
            "scsi_host0",
            "/sys/class/scsi_device/0:0:1:0",
            "<capability type='scsi'><host>0</host><bus>0</bus><target>1</target><lun>0</lun>"
            "<type>disk</type></capability>",
        ),
        _disk("block_sdb", "/dev/sdb", "scsi_0_0_1_0", "scsi", "ST4000NM0035", 4000),
        _disk("block_nvme0n1", "/dev/nvme0n1", "pci_0000_02_00_0", "nvme", "PM981 1 TB", 953),
    ]


def networks_xml() -> list[str]:
    """The virtual networks; all start active, see INACTIVE_NETWORKS."""

    def network(name: str, forward: str, bridge: str, net: str, dhcp: bool = True) -> str:
        ranges = f"<dhcp><range start='{net}.2' end='{net}.254'/></dhcp>" if dhcp else ""
        mode = f"<forward mode='{forward}'/>" if forward else ""
        return (
            f"<network><name>{name}</name>{mode}<bridge name='{bridge}' stp='on' delay='0'/>"
            f"<ip address='{net}.1' netmask='255.255.255.0'>{ranges}</ip></network>"
        )

    return [
        network("default", "nat", "virbr0", "192.168.122"),
        network("storage", "", "virbr1", "10.44.0"),
        network("dmz", "route", "virbr2", "203.0.113", dhcp=False),
        network("lab-old", "nat", "virbr9", "192.168.200"),
    ]


INACTIVE_NETWORKS = ("lab-old",)
INACTIVE_POOLS = ("usb-stick",)


def interfaces_xml() -> list[str]:
    """The host's network interfaces as netcf would tell."""
    return [
        (
            "<interface type='ethernet' name='lo'><start mode='onboot'/>"
            "<protocol family='ipv4'><ip address='127.0.0.1' prefix='8'/></protocol></interface>"
        ),
        (
            "<interface type='bridge' name='br0'><start mode='onboot'/>"
            "<protocol family='ipv4'><ip address='198.51.100.10' prefix='24'/></protocol>"
            "<bridge><interface type='ethernet' name='eno1'>"
            "<mac address='3c:ec:ef:10:20:30'/></interface></bridge></interface>"
        ),
        (
            "<interface type='ethernet' name='eno2'><start mode='none'/>"
            "<mac address='3c:ec:ef:10:20:31'/></interface>"
        ),
    ]


def pools_xml(specs: tuple[guests.GuestSpec, ...]) -> list[str]:
    """The storage pools, each file-backed disk of the guests as a volume of its pool."""
    volumes: dict[str, list[str]] = {"images": [], "iso": [], "usb-stick": []}
    seen: set[str] = set()
    for spec in specs:
        for disk in spec.disks:
            folder, _, name = disk.path.rpartition("/")
            pool = folder.rpartition("/")[2]
            if pool in volumes and disk.path not in seen:
                seen.add(disk.path)
                volumes[pool].append(_volume(name, disk.path, disk.gib, disk.format))
    for name, gib, form in (("spare-01.qcow2", 20.0, "qcow2"), ("scratch.img", 5.0, "raw")):
        volumes["images"].append(_volume(name, f"/var/lib/libvirt/images/{name}", gib, form))
    iso = "/var/lib/libvirt/iso/memtest86.iso"
    volumes["iso"].append(_volume("memtest86.iso", iso, 0.02, "raw"))
    return [
        *(
            f"<pool type='dir'><name>{name}</name><capacity>{100 << 30}</capacity>"
            f"<available>{40 << 30}</available>"
            f"<target><path>/var/lib/libvirt/{name}</path></target>{''.join(held)}</pool>"
            for name, held in volumes.items()
        ),
        "<pool type='logical'><name>vg0</name><source><name>vg0</name></source>"
        "<target><path>/dev/vg0</path></target>"
        + "".join(
            _volume(path.rpartition("/")[2], path, gib, "", "block")
            for path, gib in BLOCK_DEVICES.items()
            if path.startswith("/dev/vg0/")
        )
        + "</pool>",
    ]


def _volume(name: str, path: str, gib: float, form: str, kind: str = "file") -> str:
    size = int(gib * (1 << 30))
    used = size if form in ("raw", "") else int(size * 0.37)
    shape = f"<format type='{form}'/>" if form else ""
    return (
        f"<volume type='{kind}'><name>{escape(name)}</name><key>{escape(path)}</key>"
        f"<capacity>{size}</capacity><allocation>{used // GRAIN}</allocation>"
        f"<target><path>{escape(path)}</path>{shape}</target></volume>"
    )
