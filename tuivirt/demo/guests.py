"""Who lives on the demo host: the guests, declared once, and their domain XML."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from tuivirt.backend.xml.labels import NAMESPACE

TEST_NAMESPACE = "http://libvirt.org/schemas/domain/test/1.0"
_NAMESPACE = uuid.UUID("6f0ad4a0-7a3b-5d8e-9c55-0d3a5d0f7e11")
_DAY = 86400.0

RUN_STATES = {"running": 1, "paused": 3, "off": 5, "saved": 5, "crashed": 6, "asleep": 7}


@dataclass(frozen=True, slots=True)
class DiskSpec:
    """A disk: its target, where it lies, how large it is."""

    target: str
    path: str
    gib: float = 20.0
    format: str = "qcow2"
    bus: str = "virtio"
    device: str = "disk"
    next_boot: bool = False
    """In the saved configuration only: it waits for the next boot."""


@dataclass(frozen=True, slots=True)
class GuestSpec:
    """A guest as the demo host starts with it."""

    name: str
    state: str = "running"
    """A key of RUN_STATES."""
    profile: str = "idle"
    vcpus: int = 1
    memory_mib: int = 1024
    disks: tuple[DiskSpec, ...] = ()
    networks: tuple[str, ...] = ("default",)
    hostdevs: tuple[str, ...] = ()
    """PCI addresses of host devices it has."""
    pins: tuple[str, ...] = ()
    """Where its first vCPUs may run, a set of host CPUs each."""
    emulator_pin: str = ""
    iothreads: int = 0
    uptime_s: float = 3600.0
    autostart: bool = False
    transient: bool = False
    machine: str = "q35"
    free_ports: int = 3
    """PCIe root ports that nothing uses: how many devices can be hot-plugged."""
    balloon: bool = True
    """Its kernel has a balloon driver, so its own memory figures are known."""
    balloon_period: int = 5
    agent: bool = False
    unplug: str = "lets go"
    """lets go, never answers or refuses: what its kernel does when a device is to go."""
    obeys_shutdown: bool = True
    title: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    group: str = ""
    note: str = ""
    system: str = "Debian GNU/Linux 12"


def domain_uuid(host: str, name: str) -> str:
    """The same UUID in each run, and another one on each host."""
    return str(uuid.uuid5(_NAMESPACE, f"{host}/{name}"))


def mac_of(host: str, name: str, number: int) -> str:
    """A MAC address in QEMU's range, the same in each run."""
    tail = uuid.uuid5(_NAMESPACE, f"{host}/{name}/{number}").bytes[:3]
    return "52:54:00:" + ":".join(f"{byte:02x}" for byte in tail)


def _images(file: str) -> str:
    return f"/var/lib/libvirt/images/{file}"


def _root(file: str, gib: float = 20.0) -> DiskSpec:
    return DiskSpec("vda", _images(file), gib)


INSTALL_ISO = "/var/lib/libvirt/iso/debian-12.7.0-amd64-netinst.iso"

GUESTS: tuple[GuestSpec, ...] = (
    GuestSpec(
        "web-01",
        profile="web",
        vcpus=4,
        memory_mib=4096,
        disks=(_root("web-01.qcow2"), DiskSpec("sda", INSTALL_ISO, 0.6, "raw", "sata", "cdrom")),
        uptime_s=12 * _DAY + 4 * 3600,
        autostart=True,
        agent=True,
        title="Shop front end",
        tags=("web", "prod"),
        group="shop",
        note="Reboot only after 22:00.",
    ),
    GuestSpec(
        "db-01",
        profile="database",
        vcpus=8,
        memory_mib=16384,
        disks=(_root("db-01.qcow2", 40), DiskSpec("vdb", "/dev/vg0/db-data", 200, "raw")),
        networks=("default", "storage"),
        pins=tuple(map(str, range(8))),
        emulator_pin="8-15",
        iothreads=2,
        uptime_s=40 * _DAY,
        autostart=True,
        agent=True,
        title="PostgreSQL",
        tags=("db", "prod"),
        group="shop",
    ),
    GuestSpec(
        "build-arm64",
        profile="batch",
        vcpus=4,
        memory_mib=8192,
        disks=(
            _root("build-arm64.qcow2", 60),
            DiskSpec("vdb", _images("build-cache.qcow2"), 100, next_boot=True),
        ),
        uptime_s=3 * _DAY,
        balloon_period=0,
        tags=("ci",),
        group="build",
    ),
    GuestSpec(
        "gpu-train",
        profile="training",
        vcpus=12,
        memory_mib=65536,
        disks=(_root("gpu-train.qcow2", 100), DiskSpec("vdb", "/dev/vg0/train-set", 1024, "raw")),
        hostdevs=("0000:04:00.0", "0000:04:00.1"),
        uptime_s=2 * _DAY,
        free_ports=0,
        title="Has a GPU, and no PCIe port left",
    ),
    GuestSpec(
        "vpn-gw",
        profile="bursts",
        memory_mib=512,
        disks=(_root("vpn-gw.qcow2", 8),),
        networks=("default", "dmz"),
        uptime_s=90 * _DAY,
        autostart=True,
        tags=("prod",),
    ),
    GuestSpec(
        "legacy-nt",
        profile="stuck",
        memory_mib=512,
        disks=(
            DiskSpec("hda", _images("legacy-nt.img"), 4, "raw", "ide"),
            DiskSpec("vdb", _images("legacy-data.img"), 2, "raw"),
        ),
        machine="pc",
        balloon=False,
        unplug="never answers",
        obeys_shutdown=False,
        uptime_s=400 * _DAY,
        title="Neither lets go of a device nor shuts down",
        system="NT 4",
    ),
    GuestSpec(
        "日本語サーバー",
        profile="web",
        vcpus=2,
        memory_mib=2048,
        disks=(_root("nihongo.qcow2"),),
        uptime_s=5 * _DAY,
        title="名前は広い",
        tags=("web",),
        group="店",
    ),
    GuestSpec(
        "ci-runner",
        profile="batch",
        vcpus=2,
        memory_mib=2048,
        disks=(_root("ci-runner.qcow2", 30),),
        uptime_s=600.0,
        description="Starts afresh now and then",
        tags=("ci",),
        group="build",
    ),
    GuestSpec("scratch-7f", profile="idle", memory_mib=256, transient=True, uptime_s=120.0),
    GuestSpec(
        "win11",
        state="paused",
        vcpus=4,
        memory_mib=8192,
        disks=(DiskSpec("sda", _images("win11.qcow2"), 80, bus="sata"),),
        balloon=False,
        unplug="refuses",
        system="Windows 11",
    ),
    GuestSpec(
        "kernel-test", state="crashed", memory_mib=1024, disks=(_root("kernel-test.qcow2", 4),)
    ),
    GuestSpec("laptop-image", state="asleep", memory_mib=2048, disks=(_root("laptop.qcow2"),)),
    GuestSpec(
        "backup-02",
        state="saved",
        vcpus=2,
        memory_mib=2048,
        disks=(_root("backup-02.qcow2"),),
        networks=("storage",),
        group="shop",
    ),
    GuestSpec(
        "template-deb12",
        state="off",
        memory_mib=1024,
        disks=(_root("template-deb12.qcow2", 10),),
        title="Cloned, never started",
    ),
    GuestSpec(
        'it\'s "quoted" & <odd>; $(reboot)',
        state="off",
        vcpus=2,
        disks=(_root("odd.qcow2", 10),),
        description="Markup, quotes and a shell's words in a name",
    ),
    GuestSpec("safe\u202eexe.nimda", state="off", disks=(_root("rtl.qcow2", 1),)),
)


def crowd(count: int, seed: int) -> tuple[GuestSpec, ...]:
    """``count`` guests: the declared ones first, then made-up ones, the same for each seed."""
    if count <= len(GUESTS):
        return GUESTS[:count]
    chance = random.Random(seed)
    made = []
    for number in range(len(GUESTS), count):
        profile = chance.choice(("web", "database", "batch", "bursts", "idle", "idle"))
        name = f"{profile}-{number:04d}"
        made.append(
            GuestSpec(
                name,
                state=chance.choice(("running",) * 9 + ("off",)),
                profile=profile,
                vcpus=chance.choice((1, 2, 2, 4)),
                memory_mib=chance.choice((512, 1024, 2048, 4096)),
                disks=(_root(f"{name}.qcow2", chance.choice((8, 20, 40))),),
                uptime_s=chance.uniform(60, 30 * _DAY),
            )
        )
    return (*GUESTS, *made)


def _metadata_xml(spec: GuestSpec) -> str:
    said = [("tag", tag) for tag in spec.tags] + [("group", spec.group), ("note", spec.note)]
    made = "".join(f"<t:{name}>{escape(text)}</t:{name}>" for name, text in said if text)
    ours = f"<t:labels xmlns:t={quoteattr(NAMESPACE)}>{made}</t:labels>"
    return f"<metadata>{ours}</metadata>" if made else ""


def _threads_xml(spec: GuestSpec) -> str:
    pins = [f"<vcpupin vcpu='{n}' cpuset='{cpus}'/>" for n, cpus in enumerate(spec.pins)]
    if spec.emulator_pin:
        pins.append(f"<emulatorpin cpuset='{spec.emulator_pin}'/>")
    threads = f"<iothreads>{spec.iothreads}</iothreads>" if spec.iothreads else ""
    return f"{threads}<cputune>{''.join(pins)}</cputune>" if pins else threads


def domain_xml(host: str, spec: GuestSpec) -> str:
    """The saved configuration of a guest, with what the test driver is to make of it."""
    lines = [
        f"<domain type='test' xmlns:test='{TEST_NAMESPACE}'>",
        f"<name>{escape(spec.name)}</name><uuid>{domain_uuid(host, spec.name)}</uuid>",
        f"<title>{escape(spec.title)}</title>" if spec.title else "",
        f"<description>{escape(spec.description)}</description>" if spec.description else "",
        _metadata_xml(spec),
        f"<memory unit='MiB'>{spec.memory_mib}</memory><vcpu>{spec.vcpus}</vcpu>",
        _threads_xml(spec),
        f"<os><type arch='x86_64' machine='{spec.machine}'>hvm</type></os>",
        "<features><acpi/><apic/></features>",
        f"<on_crash>{'preserve' if spec.state == 'crashed' else 'destroy'}</on_crash>",
        "<devices>",
        *map(_disk_xml, spec.disks),
        *_ports_xml(spec),
        *(
            f"<interface type='network'><mac address='{mac_of(host, spec.name, number)}'/>"
            f"<source network='{network}'/><model type='virtio'/></interface>"
            for number, network in enumerate(spec.networks)
        ),
        "<serial type='pty'><target port='0'/></serial>",
        "<console type='pty'><target type='serial' port='0'/></console>",
        "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
        if spec.agent
        else "",
        "<input type='tablet' bus='usb'/>",
        "<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/>",
        "<video><model type='virtio' heads='1'/></video>",
        *map(_hostdev_xml, spec.hostdevs),
        _balloon_xml(spec),
        "</devices>",
        f"<test:runstate>{RUN_STATES[spec.state]}</test:runstate>",
        "<test:transient/>" if spec.transient else "",
        "<test:hasmanagedsave/>" if spec.state == "saved" else "",
        "</domain>",
    ]
    return "\n".join(line for line in lines if line)


def _disk_xml(disk: DiskSpec) -> str:
    block = disk.path.startswith("/dev/")
    source = f"<source {'dev' if block else 'file'}={quoteattr(disk.path)}/>" if disk.path else ""
    return (
        f"<disk type='{'block' if block else 'file'}' device='{disk.device}'>"
        f"<driver name='qemu' type='{disk.format}'/>{source}"
        f"<target dev='{disk.target}' bus='{disk.bus}'/>"
        f"{'<readonly/>' if disk.device == 'cdrom' else ''}</disk>"
    )


def _ports_xml(spec: GuestSpec) -> list[str]:
    if spec.machine == "pc":
        return [
            "<controller type='pci' index='0' model='pci-root'/>",
            "<controller type='ide' index='0'/>",
        ]
    used = 1 + spec.balloon + len(spec.networks) + len(spec.hostdevs)  # 1: the USB controller
    used += sum(disk.bus == "virtio" for disk in spec.disks)
    used += spec.agent
    return [
        "<controller type='pci' index='0' model='pcie-root'/>",
        *(
            f"<controller type='pci' index='{index}' model='pcie-root-port'/>"
            for index in range(1, used + spec.free_ports + 1)
        ),
        "<controller type='usb' index='0' model='qemu-xhci'/>",
        "<controller type='sata' index='0'/>",
        "<controller type='virtio-serial' index='0'/>" if spec.agent else "",
    ]


def _hostdev_xml(address: str) -> str:
    domain, bus, rest = address.split(":")
    slot, function = rest.split(".")
    return (
        "<hostdev mode='subsystem' type='pci' managed='yes'><source>"
        f"<address domain='0x{domain}' bus='0x{bus}' slot='0x{slot}' function='0x{function}'/>"
        "</source></hostdev>"
    )


def _balloon_xml(spec: GuestSpec) -> str:
    if not spec.balloon:
        return "<memballoon model='none'/>"
    if not spec.balloon_period:
        return "<memballoon model='virtio'/>"
    return f"<memballoon model='virtio'><stats period='{spec.balloon_period}'/></memballoon>"
