"""Every kind of device comes to a real guest: plugged in and out live, or for the next boot.

A guest of Debian's full kernel tells by its serial console what it sees. What needs hardware of
the host, or its kernel's help, is shown in the lab (``tests/lab``); what no machine of ours can
have is shown as far as libvirt takes it, and named in `NOT_TO_BE_HAD`.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import Heard, Place, started
from tests.lab.case import load
from tests.support import guests, initramfs
from tests.support.redirection import Peer, free_port
from tests.support.serial import Serial
from tuivirt.backend import lifecycle, lookups
from tuivirt.backend.devices import attach_device, detach_device, update_device
from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.when import When
from tuivirt.backend.sides import read_sides
from tuivirt.backend.xml.catalog import kinds
from tuivirt.backend.xml.found import Found, found

MIB = 1024**2
PCI = "/sys/bus/pci/devices/*"
USB = "/sys/bus/usb/devices/*/idVendor"
PORTS = "/sys/class/virtio-ports/*"
MEMORY = "/sys/devices/system/memory/memory*"


def of_class(number: str) -> str:
    """Files of the PCI devices of a class."""
    return f"$(grep -l ^0x{number} /sys/bus/pci/devices/*/class)"


@dataclass(frozen=True)
class Plugged:
    """A device that comes and goes while the guest runs."""

    kind: str
    values: Mapping[str, Any]
    seen: str
    """Files of the guest of which there are more while it is there."""


@dataclass(frozen=True)
class Booted:
    """A device that comes with the next boot."""

    kind: str
    values: Mapping[str, Any]
    seen: str
    """Files of the guest that are there after it, more of them than before; '' where a guest
    sees nothing of it."""


# {folder} is one that the hypervisor's user may read.
PLUGGED: dict[str, Plugged] = {
    "disk on virtio": Plugged(
        "disk",
        {"source": "{folder}/one.img", "target": "vda", "bus": "virtio"},
        "/sys/block/vda",
    ),
    "disk on scsi": Plugged(
        "disk", {"source": "{folder}/one.img", "target": "sda", "bus": "scsi"}, "/sys/block/sd*"
    ),
    "disk on usb": Plugged(
        "disk", {"source": "{folder}/one.img", "target": "sdb", "bus": "usb"}, "/sys/block/sd*"
    ),
    "interface": Plugged(
        "interface", {"type": "user"}, "/sys/bus/virtio/drivers/virtio_net/virtio*"
    ),
    "USB serial port": Plugged(
        "serial", {"target_type": "usb-serial", "type": "file", "path": "{folder}/usb"}, USB
    ),
    "PCI serial port": Plugged("serial", {"target_type": "pci-serial", "type": "null"}, PCI),
    "console": Plugged("console", {"target_type": "virtio"}, PORTS),
    "channel": Plugged("channel", {"target_name": "org.example.mine"}, PORTS),
    "SCSI controller": Plugged(
        "controller", {"type": "scsi", "model": "virtio-scsi"}, "/sys/class/scsi_host/*"
    ),
    "shared file system": Plugged(
        "filesystem",
        {"driver": "virtiofs", "source": "{folder}", "target": "t", "accessmode": "passthrough"},
        "/sys/bus/virtio/drivers/virtiofs/virtio*",
    ),
    "USB tablet": Plugged("input", {}, USB),
    "USB keyboard": Plugged("input", {"type": "keyboard", "bus": "usb"}, USB),
    "virtio mouse": Plugged("input", {"type": "mouse", "bus": "virtio"}, PCI),
    "random number generator": Plugged("rng", {}, PCI),
    "watchdog": Plugged("watchdog", {"model": "i6300esb", "action": "none"}, PCI),
    "memory module": Plugged(
        "memory", {"model": "dimm", "size": 128 * MIB, "node": 0}, MEMORY
    ),
    "persistent memory": Plugged(
        "memory",
        {
            "model": "nvdimm", "size": 128 * MIB, "node": 0, "path": "{folder}/nvdimm2",
            "access": "shared",
        },
        "/sys/bus/nd/devices/nmem*",
    ),
    "virtio memory": Plugged(
        "memory",
        {
            "model": "virtio-mem", "size": 128 * MIB, "block": 2 * MIB, "requested": 0, "node": 0,
        },
        "/sys/bus/virtio/drivers/virtio_mem/virtio*",
    ),
    "virtio persistent memory": Plugged(
        "memory",
        {"model": "virtio-pmem", "size": 128 * MIB, "path": "{folder}/pmem", "access": "shared"},
        PCI,
    ),
    "shared memory": Plugged("shmem", {"region": "tuivirt-shm", "size": MIB}, f"{PCI}/resource2"),
}  # fmt: skip

BOOTED: dict[str, Booted] = {
    "ISA serial port": Booted(
        "serial", {"target_type": "isa-serial", "type": "null"}, "/sys/bus/acpi/devices/PNP0501:*"
    ),
    "parallel port": Booted("parallel", {"type": "null"}, "/sys/bus/acpi/devices/PNP0400:*"),
    "SATA controller": Booted("controller", {"type": "sata"}, of_class("0106")),
    "9p file system": Booted(
        "filesystem", {"driver": "path", "source": "{folder}", "target": "nine"}, PCI
    ),
    # Before graphics: with those libvirt adds a card of its own choice, unless there is one.
    "video card": Booted("video", {"type": "bochs"}, of_class("03")),
    "graphics": Booted("graphics", {"type": "vnc"}, ""),
    "sound card": Booted("sound", {"model": "ich9"}, of_class("0403")),
    "audio device": Booted("audio", {"id": 2, "type": "none"}, ""),
    "PS/2 mouse": Booted("input", {"type": "mouse", "bus": "ps2"}, ""),
    "TPM": Booted("tpm", {}, "/sys/class/tpm/tpm0"),
    "watchdog of ISA": Booted("watchdog", {"model": "ib700", "action": "none"}, ""),
    "smart card reader": Booted(
        "smartcard",
        {
            "reader": "passthrough", "type": "tcp", "mode": "bind", "host": "127.0.0.1",
            "service": "47124", "protocol": "raw",
        },
        USB,
    ),
    "panic notifier": Booted("panic", {"model": "isa"}, "/sys/bus/acpi/devices/QEMU0001:*"),
}  # fmt: skip

IN_THE_LAB = {
    "hostdev": "handing_over.a_gpu_goes_with_its_sound_by_one_command_and_comes_back_by_another",
    "vsock": "sockets.a_socket_to_the_host_comes_and_goes_under_a_running_guest",
}
"""What needs the host's hardware or its kernel: the case that shows it."""

ELSEWHERE = {
    "redirdev": "test_a_redirected_usb_device_is_seen_as_soon_as_the_viewer_plugs_it_in",
    "iommu": "test_what_was_removed_is_gone_with_the_next_boot_and_an_iommu_comes",
    "memballoon": "test_a_guest_without_a_balloon_gets_one_with_the_next_boot",
}
"""What has a test of its own here."""

NOT_TO_BE_HAD = {
    "memory": "sgx-epc, all that cannot be plugged in, needs a processor with SGX",
    "console": "that of a serial port is the first serial port: libvirt adds and removes it",
}
"""Why of these nothing comes with a boot alone. That libvirt takes them is shown by the golden
pairs (test_device_xml)."""


def test_each_kind_of_the_catalogue_is_shown_somewhere() -> None:
    plugged = {case.kind for case in PLUGGED.values()}
    booted = {case.kind for case in BOOTED.values()}
    for kind in kinds().values():
        shown = plugged if kind.plug else booted
        assert kind.name in shown | IN_THE_LAB.keys() | ELSEWHERE.keys(), kind.name
        if kind.plug_only is not None:
            # Both what can be plugged in and what can only be booted with.
            name, can = kind.plug_only
            field = kind.declaration[name]
            values = {
                case.values.get(name, field.initial)
                for case in PLUGGED.values()
                if case.kind == kind.name
            }
            assert values >= set(can), kind.name
            assert kind.name in booted | NOT_TO_BE_HAD.keys(), kind.name
    cases = load()
    assert all(name in cases for name in IN_THE_LAB.values())
    assert all(name in globals() for name in ELSEWHERE.values())


# The guest.

ROOM = (
    "<controller type='pci' model='pcie-to-pci-bridge'/>"
    "<controller type='virtio-serial' index='0'/>"
    "<controller type='scsi' model='virtio-scsi'/>"
    "<console type='pty'><target type='serial' port='0'/></console>"
)
"""What libvirt cannot add while the guest runs."""
MEMORY_ROOM = (
    "<maxMemory slots='8' unit='MiB'>4096</maxMemory>"
    "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"
    "<cpu><numa><cell id='0' cpus='0' memory='256' unit='MiB'/></numa></cpu>"
)
MODULES = (*initramfs.MODULES, "virtiofs", "virtio_mem", "nfit")


@dataclass
class Roomy:
    """A booted guest with room for everything, and a folder that it may be given files of."""

    place: Place
    guest: guests.Guest
    folder: Path
    shell: Serial

    def filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """With the folder's name."""
        return {
            name: value.format(folder=self.folder) if isinstance(value, str) else value
            for name, value in values.items()
        }

    def found(self, kind: str, *, saved: bool = False) -> tuple[Found, ...]:
        sides = read_sides(self.place.host.domain(self.place.uuid), "cannot look")
        return found(sides.saved if saved else sides.live, kinds()[kind])

    def pending(self) -> tuple[str, ...]:
        """What is said to wait for the next boot."""
        return lookups.domain_detail(self.place.host, self.place.uuid).pending

    def count(self, files: str, wanted: int | None = None) -> int:
        """How many of these the guest has; it is given a while to see as many as ``wanted``."""
        # Of nothing at all, ls would tell of the folder that it is in.
        number = f"$(ls -d {files} /none 2>/dev/null | wc -l)"
        wait = f"until [ {number} = {wanted} ] || [ $i = 100 ]; do i=$((i+1)); sleep 0.1; done; "
        return int(self.shell.run(f"i=0; {wait if wanted is not None else ''}echo {number}"))

    def boot_anew(self) -> None:
        """Its next boot."""
        lifecycle.force_off(self.place.host, self.place.uuid)
        self.shell.close()
        self.shell = self.guest.boot("serial1")


@pytest.fixture(scope="module")
def roomy(qemu_uri: str) -> Iterator[Roomy]:
    with ExitStack() as stack:
        folder = stack.enter_context(guests.image_folder())
        for name in ("one.img", "nvdimm", "nvdimm2", "pmem"):
            guests.make_image(folder / name, "128M")
        xml = guests.domain_xml(
            guests.unique_name("roomy"),
            memory_mib=256,
            serials=2,
            ports=12,
            # The cloud's kernel sees no USB.
            boots=initramfs.build(cloud=False, wanted=MODULES),
            extra_memory=MEMORY_ROOM,
            extra_devices=ROOM
            # A machine has slots for persistent memory only where it starts with some.
            + "<memory model='nvdimm' access='shared'>"
            f"<source><path>{folder}/nvdimm</path></source>"
            "<target><size unit='MiB'>128</size><node>0</node></target></memory>",
            usb="qemu-xhci",
        ).replace("<memballoon model='virtio'/>", "<memballoon model='none'/>")
        guest = stack.enter_context(guests.Guest.define(qemu_uri, xml))
        shell = guest.boot("serial1")
        heard = Heard()
        host = started(qemu_uri, heard)
        stack.callback(host.close)
        yield Roomy(Place("qemu", host, guest.uuid, heard), guest, folder, shell)


# Live.


@pytest.mark.parametrize("name", PLUGGED)
def test_a_device_added_now_is_seen_in_the_guest_and_a_removed_one_no_more(
    roomy: Roomy, name: str
) -> None:
    case = PLUGGED[name]
    place, kind = roomy.place, case.kind
    before = roomy.count(case.seen)
    saved = len(roomy.found(kind, saved=True))
    known = {each.alias for each in roomy.found(kind)}
    text = place.run(attach_device, kind, roomy.filled(case.values))
    assert "from the next boot on" in text
    (added,) = (each for each in roomy.found(kind) if each.alias not in known)
    declared = kinds()[kind]
    info = place.host.snapshot.info
    version = info.hypervisor_version if info is not None else ""
    assert len(roomy.found(kind, saved=True)) == saved + 1
    assert roomy.count(case.seen, before + 1) == before + 1
    # Both configurations have it, whatever address and path the running one was given.
    assert roomy.pending() == ()
    if declared.leave_refusal(added.values, version):
        with pytest.raises(BadInput, match="cannot be taken from a running guest") as caught:
            place.run(detach_device, kind, added.alias)
        assert caught.value.advice == "do it for the next boot"
        assert len(roomy.found(kind, saved=True)) == saved + 1
        return
    assert "is removed" in place.run(detach_device, kind, added.alias)
    assert added.alias not in [each.alias for each in roomy.found(kind)]
    assert len(roomy.found(kind, saved=True)) == saved
    assert roomy.count(case.seen, before) == before
    assert roomy.pending() == ()


def test_a_redirected_usb_device_is_seen_as_soon_as_the_viewer_plugs_it_in(roomy: Roomy) -> None:
    place = roomy.place
    port = free_port()
    wish = {"type": "tcp", "mode": "bind", "host": "127.0.0.1", "protocol": "raw"}
    before = roomy.count(USB)
    place.run(attach_device, "redirdev", {**wish, "service": str(port)})
    with Peer(port):
        assert roomy.count(USB, before + 1) == before + 1
    assert roomy.count(USB, before) == before
    assert "is removed" in place.run(detach_device, "redirdev")
    assert roomy.found("redirdev") == roomy.found("redirdev", saved=True) == ()


# With the next boot.


@dataclass
class Rebooted:
    """The guest after its next boot, and what was so before it."""

    roomy: Roomy
    seen: dict[str, int]
    """By case: how many of its files the guest had."""
    waited: tuple[str, ...]
    """What was said to wait for the boot."""
    unchanged: bool
    """The running configuration stayed as it was while the devices were added."""


@pytest.fixture(scope="module")
def rebooted(roomy: Roomy) -> Rebooted:
    """One boot with all that cannot be plugged in."""
    place = roomy.place
    running = place.xml()
    seen = {name: roomy.count(case.seen) for name, case in BOOTED.items() if case.seen}
    for case in BOOTED.values():
        text = place.run(attach_device, case.kind, roomy.filled(case.values), When.NEXT_BOOT)
        assert "from the next boot on" in text
    place.run(update_device, "memballoon", "", {"model": "virtio"}, When.NEXT_BOOT)
    for memory in roomy.found("memory", saved=True):
        # libvirt 9.0 starts no guest with it: "device info is not handled yet".
        if memory.values["model"] == "virtio-pmem":
            place.run(detach_device, "memory", memory.label, When.NEXT_BOOT)
    after = Rebooted(roomy, seen, roomy.pending(), place.xml() == running)
    roomy.boot_anew()
    return after


@pytest.mark.parametrize("name", BOOTED)
def test_a_device_that_cannot_be_plugged_in_is_there_after_the_next_boot(
    rebooted: Rebooted, name: str
) -> None:
    case, roomy = BOOTED[name], rebooted.roomy
    assert rebooted.unchanged
    what = {"hostdev": "host device"}.get(case.kind, case.kind)
    if case.kind != "controller":  # Those libvirt adds by itself; nobody is told of them.
        assert any(re.fullmatch(f"new (\\d+ )?{what}", said) for said in rebooted.waited)
    values = kinds()[case.kind].declaration.check(roomy.filled(case.values))
    has = [each.values for each in roomy.found(case.kind)]
    assert [each for each in has if values.items() <= each.items()], has
    if case.seen:
        assert roomy.count(case.seen) > rebooted.seen[name]


def test_nothing_waits_for_the_next_boot_once_it_has_come(rebooted: Rebooted) -> None:
    assert rebooted.roomy.pending() == ()


def test_a_guest_without_a_balloon_gets_one_with_the_next_boot(rebooted: Rebooted) -> None:
    assert "memory balloon: model none → virtio" in rebooted.waited
    assert rebooted.roomy.count("/sys/bus/virtio/drivers/virtio_balloon/virtio*") == 1


def test_the_screen_of_a_guest_is_served_after_the_next_boot(rebooted: Rebooted) -> None:
    (graphics,) = rebooted.roomy.found("graphics")
    with socket.create_connection(("127.0.0.1", int(str(graphics.values["port"]))), 10) as line:
        assert line.recv(12).startswith(b"RFB 003.")


@pytest.mark.parametrize("name", [*reversed(BOOTED)])
def test_what_came_with_a_boot_is_refused_live_and_goes_with_another(
    rebooted: Rebooted, name: str
) -> None:
    case, roomy = BOOTED[name], rebooted.roomy
    values = kinds()[case.kind].declaration.check(roomy.filled(case.values))
    saved = roomy.found(case.kind, saved=True)
    one = next(each for each in reversed(saved) if values.items() <= each.values.items())
    live = next(
        each for each in reversed(roomy.found(case.kind)) if values.items() <= each.values.items()
    )
    with pytest.raises(BadInput, match="plugged into a running guest"):
        roomy.place.run(detach_device, case.kind, live.alias or live.label, When.BOTH)
    assert roomy.found(case.kind, saved=True) == saved
    roomy.place.run(detach_device, case.kind, one.label, When.NEXT_BOOT)
    assert len(roomy.found(case.kind, saved=True)) == len(saved) - 1


def test_what_was_removed_is_gone_with_the_next_boot_and_an_iommu_comes(rebooted: Rebooted) -> None:
    """It boots without a TPM: beside one, SeaBIOS drops the tables that tell of an IOMMU."""
    roomy, place = rebooted.roomy, rebooted.roomy.place
    text = place.run(attach_device, "iommu", {"model": "intel"}, When.NEXT_BOOT)
    assert "from the next boot on" in text
    roomy.boot_anew()
    assert roomy.count("/sys/firmware/acpi/tables/DMAR") == 1
    for name in ("TPM", "panic notifier", "parallel port", "sound card", "video card"):
        assert roomy.count(BOOTED[name].seen) == rebooted.seen[name]
    assert roomy.pending() == ()
    with pytest.raises(BadInput, match="plugged into a running guest"):
        place.run(detach_device, "iommu", "", When.BOTH)
    place.run(detach_device, "iommu", "", When.NEXT_BOOT)
    assert roomy.pending() == ("iommu goes",)
