"""The lab host's hardware, declared once: what QEMU is told, and where the host finds it.

Each thing to give away sits behind a PCIe port of its own, as on a real board, so that it has an
IOMMU group of its own. Behind a port the bus number is the firmware's choice: the host looks a
device up by its port.
"""

from __future__ import annotations

from pathlib import Path

GPU = 0x10
"""The port of the GPU (function 0) with its sound (function 1): one slot, one group."""
NVME = 0x11
"""The port of the NVMe drive whose functions can be multiplied (SR-IOV)."""
SPARE_CARD = 0x12
"""The port of a network card that nothing uses."""
UPLINK = 0x13
"""The port of the network card that carries the host's own address."""
USB = 0x14
"""The port of the USB controller."""
MAKER = 0x15
"""The port of the board that makes mediated devices, once its driver is there."""
OLD_BUS = 0x16
"""The port of a bridge to conventional PCI, behind which two network cards share one group."""

BOOT_DISPLAY = "0000:00:02.0"
"""The second GPU: the one that the firmware drew on."""

UPLINK_MAC = "52:54:00:1a:b0:01"
SPARE_MAC = "52:54:00:1a:b0:02"
ADDRESS = "10.0.2.15/24"
"""The host's own, by the uplink."""
ECHO = ("10.0.2.100", 7)
"""What is sent there comes back: somebody to hold a connection with."""

TWINS = ("1", "2")
"""The ports of the USB controller that hold two devices of one vendor, product and serial."""
TWIN_ID = "0403:6001"
STICK_PORT = "3"
"""The USB controller's port with a disk in it."""
VIRTUAL_FUNCTIONS = 2

OLD_CARDS = ("52:54:00:1a:b0:03", "52:54:00:1a:b0:04")
"""What the two are known by."""
OLD_CARD_ID = "8086:100e"

_PORTS = (GPU, NVME, SPARE_CARD, UPLINK, USB, MAKER, OLD_BUS)


def arguments(folder: Path) -> list[str]:
    """QEMU's arguments for all of it; its disks are sparse files in ``folder``."""
    argv: list[str] = []

    def device(text: str) -> None:
        argv.extend(("-device", text))

    def disk(name: str, size_mib: int) -> None:
        file = folder / f"{name}.img"
        with file.open("wb") as image:
            image.truncate(size_mib << 20)
        argv.extend(("-drive", f"if=none,id={name},format=raw,file={file}"))

    device(f"VGA,bus=pcie.0,addr={BOOT_DISPLAY[-4:-2]}")
    for number, port in enumerate(_PORTS, start=1):
        device(f"pcie-root-port,id=port{port:x},bus=pcie.0,addr={port:#x},chassis={number}")

    device(f"bochs-display,bus=port{GPU:x},addr=0.0,multifunction=on")
    device(f"intel-hda,id=sound,bus=port{GPU:x},addr=0.1")
    argv.extend(("-audiodev", "none,id=silence"))
    device("hda-output,bus=sound.0,audiodev=silence")

    disk("nvme", 64)
    device("nvme-subsys,id=subsystem,nqn=lab")
    queues = 2 * VIRTUAL_FUNCTIONS
    device(
        f"nvme,id=nvme,serial=lab-nvme,subsys=subsystem,bus=port{NVME:x},max_ioqpairs={queues + 2},"
        f"msix_qsize={VIRTUAL_FUNCTIONS + 2},sriov_max_vfs={VIRTUAL_FUNCTIONS},"
        f"sriov_vq_flexible={queues},sriov_vi_flexible={VIRTUAL_FUNCTIONS}"
    )
    device("nvme-ns,drive=nvme,bus=nvme,nsid=1")

    # Nothing gets out of it, and nothing in, but an echo.
    echo = f"guestfwd=tcp:{ECHO[0]}:{ECHO[1]}-cmd:cat"
    argv.extend(("-netdev", f"user,id=uplink,restrict=on,{echo}"))
    device(f"e1000e,netdev=uplink,mac={UPLINK_MAC},bus=port{UPLINK:x}")
    argv.extend(("-netdev", "user,id=spare,restrict=on"))
    device(f"e1000e,netdev=spare,mac={SPARE_MAC},bus=port{SPARE_CARD:x}")

    device(f"pci-testdev,bus=port{MAKER:x}")
    device(f"pcie-pci-bridge,id=oldbus,bus=port{OLD_BUS:x}")
    for slot, mac in enumerate(OLD_CARDS, start=1):
        device(f"e1000,mac={mac},bus=oldbus,addr={slot:#x}")

    device(f"qemu-xhci,id=usb,bus=port{USB:x}")
    for twin in TWINS:
        argv.extend(("-chardev", f"null,id=twin{twin}"))
        serial = f"usb-serial,bus=usb.0,port={twin},chardev=twin{twin},serial=twin"
        device(f"{serial},always-plugged=on")
    disk("stick", 32)
    device(f"usb-storage,bus=usb.0,port={STICK_PORT},drive=stick,serial=lab-stick")
    device("usb-kbd,bus=usb.0,port=4")

    disk("scsi", 32)
    device("virtio-scsi-pci,id=scsi,bus=pcie.0,addr=3")
    device("scsi-hd,bus=scsi.0,drive=scsi,serial=lab-scsi")
    return argv
