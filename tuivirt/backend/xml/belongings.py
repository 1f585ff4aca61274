"""What belongs to a domain besides its devices' sources, and where it can be talked to."""

from __future__ import annotations

from ..model.record import record
from .tree import skim, text_of


@record(frozen=True, slots=True)
class ConsolePort:
    """A character device that a console stream can be opened on."""

    name: str
    """Its alias (``serial0``, ``console1``): what ``--devname`` takes."""
    kind: str
    """serial, console or parallel."""
    backend: str
    """pty, tcp, unix, file …: libvirt opens a console only on those with a pty."""
    model: str = ""
    """Its target's type: isa-serial, virtio, sclp …"""


def console_ports(xml: str) -> tuple[ConsolePort, ...]:
    """The consoles of a domain, libvirt's default first.

    Aliases exist only while it runs; before, the name that libvirt is going to give is told.
    The first ``<console>`` that merely repeats ``<serial>`` 0 is left out.
    """
    devices = skim(xml).find("devices")
    if devices is None:
        return ()
    found: list[ConsolePort] = []
    for kind in ("serial", "console", "parallel"):
        for number, element in enumerate(devices.findall(kind)):
            target = element.find("target")
            model = target.get("type", "") if target is not None else ""
            alias = element.find("alias")
            name = alias.get("name", "") if alias is not None else ""
            name = name or f"{kind}{number}"
            if kind == "console" and (
                (number == 0 and model == "serial") or any(known.name == name for known in found)
            ):
                continue
            found.append(ConsolePort(name, kind, element.get("type", ""), model))
    return tuple(found)


def nvram_path(xml: str) -> str:
    """The file that holds the UEFI variables, or '' when the XML names none."""
    element = skim(xml).find("os/nvram")
    if element is None:
        return ""
    source = element.find("source")
    if source is not None:
        return str(source.get("file") or source.get("dev") or source.get("name") or "")
    return (element.text or "").strip()


def has_emulated_tpm(xml: str) -> bool:
    """Whether a TPM is emulated, so that its state lies on the host."""
    return skim(xml).find("devices/tpm/backend[@type='emulator']") is not None


def port_owner(xml: str) -> str:
    """The name of the domain that owns a ``<networkport>``, or ''."""
    return text_of(skim(xml), "owner/name")


def balloon_period(xml: str) -> int | None:
    """Every how many seconds the balloon refreshes its figures; 0: never; None: no balloon."""
    balloon = skim(xml).find("devices/memballoon")
    if balloon is None or balloon.get("model") == "none":
        return None
    stats = balloon.find("stats")
    return int(stats.get("period", "0")) if stats is not None else 0
