"""vCPUs, their topology, pins, I/O threads and memory of a domain, declared and read.

Format: https://libvirt.org/formatdomain.html#cpu-allocation, #iothreads-allocation,
#cpu-tuning, #cpu-model-and-topology and #memory-allocation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.cpuset import BadCpuset, parse_cpuset
from ..model.processors import Cpus, IoThread, Memory, Processors, Topology, Vcpu
from .declare import Declaration
from .field import Field, FieldType, Value
from .tree import Element, attribute, number, size_of, skim

VCPUS = Declaration(
    "vcpu",
    (
        Field(
            "most",
            "",
            "At most",
            "How many vCPUs it can have.",
            FieldType.INT,
            default=1,
            least=1,
        ),
        Field("current", "@current", "At first", "How many it starts with.", FieldType.INT),
        Field("cpuset", "@cpuset", "Where", "The host CPUs that its threads may run on."),
        Field(
            "placement",
            "@placement",
            "Placement",
            "auto: a service of the host chooses where it runs.",
            choices=("static", "auto"),
            default="static",
        ),
    ),
)
"""The element ``<vcpu>``."""

ONE_VCPU = Declaration(
    "vcpu",
    (
        Field("number", "@id", "vCPU", "Its number.", FieldType.INT),
        Field("enabled", "@enabled", "There", "Whether the guest has it.", FieldType.YES_NO),
        Field(
            "hotpluggable",
            "@hotpluggable",
            "Hot-pluggable",
            "Whether it can come and go while the guest runs.",
            FieldType.YES_NO,
        ),
    ),
)
"""One of the elements in ``<vcpus>``."""

TOPOLOGY = Declaration(
    "cpu",
    tuple(
        Field(
            name, f"topology/@{name}", name.capitalize(), told, FieldType.INT, default=one, least=1
        )
        for name, told, one in (
            ("sockets", "How many sockets the guest sees.", None),
            ("dies", "In each socket.", 1),
            ("clusters", "In each die.", 1),
            ("cores", "In each die, or cluster where there are any.", None),
            ("threads", "In each core.", None),
        )
    ),
)
"""The topology in ``<cpu>``; libvirt wants sockets, cores and threads written, even if one each."""

_CPUS = Field("cpuset", "@cpuset", "Where", "The host CPUs that it may run on.")
VCPU_PIN = Declaration(
    "vcpupin", (Field("number", "@vcpu", "vCPU", "Its number.", FieldType.INT), _CPUS)
)
IOTHREAD_PIN = Declaration(
    "iothreadpin",
    (Field("number", "@iothread", "I/O thread", "Its number.", FieldType.INT), _CPUS),
)
EMULATOR_PIN = Declaration("emulatorpin", (_CPUS,))
IOTHREAD = Declaration(
    "iothread", (Field("number", "@id", "I/O thread", "Its number.", FieldType.INT),)
)


def read_processors(xml: str) -> Processors:
    """What a domain's XML says of processors and memory. Raises MalformedXml.

    What cannot be read (a set of CPUs that a newer libvirt writes in another way) counts as
    silence, as it does for devices.
    """
    root = skim(xml, "domain")
    element = root.find("vcpu")
    said = VCPUS.parse(element) if element is not None else {}
    most = _number(said.get("most")) or 1
    return Processors(
        vcpus=_vcpus(root, most, _number(said.get("current"))),
        topology=_topology(root.find("cpu")),
        placement=str(said.get("placement") or "static"),
        cpuset=_cpus(said),
        emulator=_emulator(root),
        iothreads=_iothreads(root),
        memory=_memory(root),
    )


def _vcpus(root: Element, most: int, current: int | None) -> tuple[Vcpu, ...]:
    told = {}
    for element in root.iterfind("vcpus/vcpu"):
        values = ONE_VCPU.parse(element)
        told[values["number"]] = values
    pins = _pins(root, VCPU_PIN)
    now = most if current is None else current

    def one(at: int) -> Vcpu:
        values = told.get(at, {})
        online = values.get("enabled")
        able = values.get("hotpluggable")
        return Vcpu(
            at,
            # Where the vCPUs are told one by one, those that are not are not there.
            (online is True) if told else at < now,
            able if isinstance(able, bool) else None,
            pins.get(at),
        )

    return tuple(one(at) for at in range(most))


def _topology(cpu: Element | None) -> Topology | None:
    if cpu is None or cpu.find("topology") is None:
        return None
    values = TOPOLOGY.parse(cpu)
    return Topology(**{name: _number(value) or 1 for name, value in values.items()})


def _emulator(root: Element) -> Cpus | None:
    element = root.find("cputune/emulatorpin")
    return None if element is None else _cpus(EMULATOR_PIN.parse(element))


def _iothreads(root: Element) -> tuple[IoThread, ...]:
    """Those that ``<iothreads>`` counts and ``<iothreadids>`` names, as libvirt numbers them."""
    named = [_number(IOTHREAD.parse(e)["number"]) for e in root.iterfind("iothreadids/iothread")]
    numbers = {each for each in named if each}
    count = number(root.findtext("iothreads")) or 0
    free = 1
    while len(numbers) < count:
        numbers.add(free)
        free += 1
    pins = _pins(root, IOTHREAD_PIN)
    users = _users(root)
    return tuple(IoThread(n, pins.get(n), tuple(users.get(n, ()))) for n in sorted(numbers))


def _users(root: Element) -> dict[int, list[str]]:
    """By I/O thread: the disks and controllers that it serves."""
    found: dict[int, list[str]] = {}
    for element in root.iterfind("devices/*"):
        if element.tag == "disk":
            name = f"disk {attribute(element, 'target', 'dev')}"
        elif element.tag == "controller":
            name = f"{element.get('type', '')} controller {element.get('index', '')}".strip()
        else:
            continue
        given = number(attribute(element, "driver", "iothread"))
        served = {given} if given else set()
        served |= {
            at for e in element.iterfind("driver/iothreads/iothread") if (at := number(e.get("id")))
        }
        for each in served:
            found.setdefault(each, []).append(name)
    return found


def _memory(root: Element) -> Memory:
    most = (size_of(root.find("memory"), "KiB") or 0) // 1024
    now = size_of(root.find("currentMemory"), "KiB")
    limit = root.find("maxMemory")
    balloon = root.find("devices/memballoon")
    return Memory(
        now_kib=most if now is None else now // 1024,
        max_kib=most,
        slots=0 if limit is None else number(limit.get("slots")) or 0,
        limit_kib=(size_of(limit, "KiB") or 0) // 1024,
        devices=sum(1 for _ in root.iterfind("devices/memory")),
        balloon="" if balloon is None else balloon.get("model", ""),
        cells=sum(1 for _ in root.iterfind("cpu/numa/cell")),
    )


def _pins(root: Element, declaration: Declaration) -> dict[int, Cpus]:
    found = {}
    for element in root.iterfind(f"cputune/{declaration.tag}"):
        values = declaration.parse(element)
        at, cpus = _number(values["number"]), _cpus(values)
        if at is not None and cpus is not None:
            found[at] = cpus
    return found


def _cpus(values: Mapping[str, Value]) -> Cpus | None:
    text = values.get("cpuset")
    try:
        return parse_cpuset(str(text)) if text else None
    except BadCpuset:
        return None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
