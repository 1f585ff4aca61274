"""``<domain>`` → DomainConfig. Format: https://libvirt.org/formatdomain.html."""

from __future__ import annotations

from ..model.device import Device, Disk, DomainConfig, Interface
from ..model.domain import UNLABELLED, Labels
from .devices import read_device
from .disk import read_disk
from .interface import read_interface
from .threads import thread_facts
from .tree import Element, number, parse, size_of, skim

_NOT_DEVICES = frozenset({"emulator"})


def parse_domain(xml: str) -> DomainConfig:
    """The configuration that ``xml`` (virDomainGetXMLDesc) describes. Raises MalformedXml."""
    return _read(parse(xml, "domain"), told=True, compared=True)


def skim_domain(xml: str, *, compared: bool = False) -> DomainConfig:
    """As `parse_domain`, but without its devices' XML and summaries.

    Where it is not to be ``compared`` with another, without their facts too.
    """
    return _read(skim(xml, "domain"), told=False, compared=compared)


def _read(root: Element, *, told: bool, compared: bool) -> DomainConfig:
    os = root.find("os")
    system = None if os is None else os.find("type")
    vcpu = root.find("vcpu")
    vcpus_max = (None if vcpu is None else number(vcpu.text)) or 1
    memory_max = size_of(root.find("memory"), "KiB") or 0
    memory = size_of(root.find("currentMemory"), "KiB")
    disks, interfaces, devices = _devices(root.find("devices"), told, compared)
    return DomainConfig(
        name=root.findtext("name") or "",
        uuid=(root.findtext("uuid") or "").strip(),
        title=root.findtext("title") or "",
        description=root.findtext("description") or "",
        type=root.get("type", ""),
        machine="" if system is None else system.get("machine", ""),
        arch="" if system is None else system.get("arch", ""),
        firmware=_firmware(os),
        emulator=root.findtext("devices/emulator") or "",
        shared_memory=_shares_memory(root),
        vcpus=(None if vcpu is None else number(vcpu.get("current"))) or vcpus_max,
        vcpus_max=vcpus_max,
        memory_kib=(memory_max if memory is None else memory) // 1024,
        memory_max_kib=memory_max // 1024,
        labels=_labels(root.find("metadata")),
        threads=thread_facts(root) if compared else (),
        disks=disks,
        interfaces=interfaces,
        devices=devices,
    )


def _labels(metadata: Element | None) -> Labels:
    if metadata is None:
        return UNLABELLED
    from .labels import read_labels  # Few domains of few hosts have any.

    return read_labels(metadata)


def _firmware(os: Element | None) -> str:
    if os is None:
        return ""
    if os.get("firmware") == "efi":
        return "UEFI"
    loader = os.find("loader")
    if loader is not None and loader.get("type") == "pflash":
        return "UEFI"
    return "BIOS"


def _shares_memory(root: Element) -> bool:
    cells = root.findall("cpu/numa/cell")
    access = root.find("memoryBacking/access")
    default = "" if access is None else access.get("mode", "")
    return {cell.get("memAccess", default) for cell in cells} == {"shared"} or (
        not cells and default == "shared"
    )


def _devices(
    parent: Element | None, told: bool, compared: bool
) -> tuple[tuple[Disk, ...], tuple[Interface, ...], tuple[Device, ...]]:
    disks: list[Disk] = []
    interfaces: list[Interface] = []
    devices: list[Device] = []
    for element in () if parent is None else parent.iterfind("*"):
        tag = element.tag
        if tag == "disk":
            disks.append(read_disk(element, compared=compared))
        elif tag == "interface":
            interfaces.append(read_interface(element, compared=compared))
        elif tag not in _NOT_DEVICES:
            devices.append(read_device(element, told=told, compared=compared))
    return tuple(disks), tuple(interfaces), tuple(devices)
