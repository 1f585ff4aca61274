"""The overview of a domain: charts and figures, as lines for a width and a height."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tuivirt.backend.model.device import DomainDetail
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.stats import DiskStats, DomainStats, NicStats, Point
from tuivirt.widgets.chart import beside, chart, nice_top, spark
from tuivirt.widgets.facts import facts
from tuivirt.widgets.page import PageLine
from tuivirt.widgets.sparkline import bars_shown
from tuivirt.widgets.text import NONE, UNKNOWN, fit, per_second, percent, rate, share, size
from tuivirt.widgets.tones import Toned

CHARTS_FROM = (100, 24)
"""Width and height from which charts of several lines are drawn."""

Series = list[float | None]

_STANDS = "It stands still as a disk failed or is full: see :events, then resume it."


def overview(
    domain: Domain,
    stats: DomainStats | None,
    detail: DomainDetail | None,
    width: int,
    height: int,
) -> list[PageLine]:
    """What the overview tab shows."""
    lines: list[PageLine] = []
    below: list[PageLine] = [*_waits(domain, detail, width)]
    if domain.stands_still:
        lines += [(), (Toned(f"  {_STANDS}", "warn"),)]
    if domain.active and stats is not None:
        below += _vcpus(stats, width)
        below += [_disk(disk, width) for disk in stats.disks]
        below += [_nic(nic, width) for nic in stats.nics]
    below += _config(domain, detail, width)
    if not domain.active:
        lines += [(), (Toned("  " + _why_off(domain)),)]
    elif stats is None:
        lines += [(), (Toned("  No figures yet.", "dim"),)]
    elif bars_shown() and width >= CHARTS_FROM[0] and height >= CHARTS_FROM[1]:
        lines += _charts(domain, stats, width, max(5, min(9, (height - len(below)) // 2)))
    else:
        lines += _sparks(domain, stats, width)
    return lines + below


def _why_off(domain: Domain) -> str:
    if domain.managed_save:
        return "It is off, and its memory is saved: starting it goes on where it was."
    if domain.state is DomainState.CRASHED:
        return "It crashed. The tab of its events may say why; starting it boots afresh."
    return "It is off, so there are no figures."


def _series(stats: DomainStats) -> dict[str, Series]:
    """The history by figure; the short one of the list stands in while there is no long one."""
    points: Sequence[Point] = stats.history
    if len(points) < 2:
        return {"cpu": [float(v) for v in stats.cpu_history]}

    def of(name: str) -> Series:
        return [getattr(point, name) for point in points]

    return {
        "cpu": of("cpu_percent"),
        "memory": of("memory_used_kib"),
        "read": of("read_bytes_per_s"),
        "write": of("write_bytes_per_s"),
        "rx": of("rx_bytes_per_s"),
        "tx": of("tx_bytes_per_s"),
    }


def _seconds(stats: DomainStats) -> float:
    return stats.history[-1].at - stats.history[0].at if len(stats.history) > 1 else 0.0


def _cpu_top(domain: Domain, stats: DomainStats) -> float:
    """The CPU axis: all of its vCPUs; the short history is a share of them already."""
    return 100.0 if len(stats.history) < 2 else 100.0 * (domain.vcpus or 1)


def _cpu_words(domain: Domain, stats: DomainStats) -> str:
    text = f"{percent(stats.cpu_percent)} %"
    if stats.cpu_guest_percent is not None and (domain.vcpus or 1) > 1:
        text += f"  {percent(stats.cpu_guest_percent)} % of its {domain.vcpus} vCPUs"
    return text


def _memory_words(domain: Domain, stats: DomainStats) -> str:
    text = share(stats.memory_used_kib, domain.memory_kib or stats.memory_available_kib)
    if stats.memory_available_kib is not None and stats.memory_used_kib is not None:
        text += f"  free {size(max(stats.memory_available_kib - stats.memory_used_kib, 0))}"
    if stats.memory_rss_kib is not None:
        text += f"  on host {size(stats.memory_rss_kib)}"
    if stats.memory_stale:
        text += "  (old: the guest does not report)"
    elif stats.memory_used_kib is None:
        text += "  (not reported)"
    return text


def _sum(one: Series, two: Series) -> Series:
    """Both together; not known only where neither is."""
    both = zip(one, two, strict=True)
    return [None if a is None and b is None else (a or 0.0) + (b or 0.0) for a, b in both]


def _sparks(domain: Domain, stats: DomainStats, width: int) -> list[PageLine]:
    series = _series(stats)
    room = max(10, min(60, width - 52))
    disk = _sum(series.get("read", []), series.get("write", []))
    net = _sum(series.get("rx", []), series.get("tx", []))
    memory_top = float(domain.memory_kib or stats.memory_available_kib or 1)
    rows: list[tuple[str, Series, float, str, str]] = [
        ("CPU", series["cpu"], _cpu_top(domain, stats), _cpu_words(domain, stats), "good"),
        ("MEM", series.get("memory", []), memory_top, _memory_words(domain, stats), "info"),
        (
            "DISK",
            disk,
            nice_top(disk, least=1e5),
            f"read {rate(stats.read_bytes_per_s)}  write {rate(stats.write_bytes_per_s)}",
            "warn",
        ),
        (
            "NET",
            net,
            nice_top(net, least=1e4),
            f"rx {rate(stats.rx_bytes_per_s)}  tx {rate(stats.tx_bytes_per_s)}",
            "accent",
        ),
    ]
    return [
        (
            Toned(f" {name:<5}", "title"),
            Toned(spark(values, room, top) if bars_shown() else "", tone),
            Toned(f"  {words}"),
        )
        for name, values, top, words, tone in rows
    ] + [()]


def _charts(domain: Domain, stats: DomainStats, width: int, height: int) -> list[PageLine]:
    series = _series(stats)
    seconds = _seconds(stats)
    half = (width - 3) // 2

    def drawn(
        title: str, words: str, values: Series, top: float, label: Callable[[float], str], tone: str
    ) -> list[PageLine]:
        lines = chart(title, values, half, height, label=label, tone=tone, top=top, seconds=seconds)
        # The newest point of the chart can be older than the figures: these are told instead.
        lines[0] = (Toned(f" {title:<5}", "title"), Toned(words))
        return lines

    read, write = series.get("read", []), series.get("write", [])
    rx, tx = series.get("rx", []), series.get("tx", [])
    disk, net = _sum(read, write), _sum(rx, tx)
    memory_top = float(domain.memory_kib or stats.memory_available_kib or 1)
    cpu = drawn(
        "CPU",
        _cpu_words(domain, stats),
        series["cpu"],
        _cpu_top(domain, stats),
        lambda v: f"{v:.0f} %",
        "good",
    )
    memory = drawn(
        "MEM", _memory_words(domain, stats), series.get("memory", []), memory_top, size, "info"
    )
    disks = drawn(
        "DISK",
        f"read {rate(stats.read_bytes_per_s)}  write {rate(stats.write_bytes_per_s)}",
        disk,
        nice_top(disk, least=1e5),
        _axis_rate,
        "warn",
    )
    nets = drawn(
        "NET",
        f"rx {rate(stats.rx_bytes_per_s)}  tx {rate(stats.tx_bytes_per_s)}",
        net,
        nice_top(net, least=1e4),
        _axis_rate,
        "accent",
    )
    return [*beside(cpu, memory, half + 3), *beside(disks, nets, half + 3), ()]


def _axis_rate(value: float) -> str:
    return rate(value) if value else "0"


def _waits(domain: Domain, detail: DomainDetail | None, width: int) -> list[PageLine]:
    """What waits for the next boot, and what waits for the guest."""
    lines: list[PageLine] = []
    pending = detail.pending if detail is not None else domain.pending
    if pending:
        said = f"↯ Waits for the next boot: {', '.join(pending)}"
        lines.append((Toned(f" {fit(said, width - 2, pad=False)}", "warn"),))
    lines += [
        (Toned(f" ↯ {name}: detaching … the guest has not let go yet", "warn"),)
        for name in domain.detaching
    ]
    return [*lines, ()] if lines else []


def _vcpus(stats: DomainStats, width: int) -> list[PageLine]:
    """All vCPUs, as many on a line as fit."""
    cell = 11
    per_line = max(1, (width - 8) // cell)
    lines: list[PageLine] = []
    for first in range(0, len(stats.vcpus), per_line):
        pieces = [Toned(" vCPU  " if first == 0 else "       ", "dim")]
        for vcpu in stats.vcpus[first : first + per_line]:
            tone = "warn" if (vcpu.percent or 0) >= 90 else ""
            pieces.append(Toned(f"{vcpu.number:>3} ", "dim"))
            pieces.append(Toned(f"{percent(vcpu.percent):>3} %  ", tone))
        lines.append(tuple(pieces))
    return lines


def _count(per_s: float | None) -> str:
    """Events per second; none at all is –, as it is for bytes."""
    return NONE if per_s is not None and per_s < 0.05 else per_second(per_s)


def _latency(ms: float | None) -> str:
    return "" if ms is None else f"{ms:.1f} ms"


def _disk(disk: DiskStats, width: int) -> PageLine:
    def half(word: str, rate_: float | None, requests: float | None, ms: float | None) -> str:
        return f"{word} {rate(rate_):>8} {_count(requests):>8} {_latency(ms):>8}"

    left = half("read", disk.read_bytes_per_s, disk.read_requests_per_s, disk.read_latency_ms)
    right = half("write", disk.write_bytes_per_s, disk.write_requests_per_s, disk.write_latency_ms)
    return (Toned(f" {fit(disk.name, 9)}", "bold"), Toned(f" {left}   {right}"))


def _nic(nic: NicStats, width: int) -> PageLine:
    lost = [
        f"{per_second(value)} {word}"
        for value, word in ((nic.drops_per_s, "dropped"), (nic.errors_per_s, "errors"))
        if value
    ]
    known = nic.drops_per_s is not None
    said = Toned("   " + ", ".join(lost), "bad") if lost else Toned("   no drops" if known else "")
    return (
        Toned(f" {fit(nic.name, 9)}", "bold"),
        Toned(f" rx   {rate(nic.rx_bytes_per_s):>8} {_count(nic.rx_packets_per_s):>8}"),
        Toned(f"            tx    {rate(nic.tx_bytes_per_s):>8} {_count(nic.tx_packets_per_s):>8}"),
        said,
    )


def _config(domain: Domain, detail: DomainDetail | None, width: int) -> list[PageLine]:
    """What it is made of: short, for the tabs hold the rest."""
    config = detail.current if detail is not None else None
    memory = size(domain.memory_kib or (config.memory_kib if config else None))
    most = domain.memory_max_kib or (config.memory_max_kib if config else None)
    if most and domain.memory_kib and most != domain.memory_kib:
        memory += f", at most {size(most)}"
    vcpus = domain.vcpus or (config.vcpus if config else None)
    cpus = UNKNOWN if vcpus is None else str(vcpus)
    if domain.vcpus_max and domain.vcpus_max != domain.vcpus:
        cpus += f", at most {domain.vcpus_max}"
    machine = ""
    if config is not None:
        machine = " ".join(x for x in (config.type, config.machine, config.arch) if x)
    return [
        (),
        *facts(
            (
                ("title", config.title if config else ""),
                ("description", config.description.split("\n") if config else ""),
                ("group", domain.group),
                ("note", domain.note.split("\n")),
                ("vCPUs", cpus),
                ("memory", memory),
                ("machine", machine),
                ("firmware", config.firmware if config else ""),
                ("addresses", " ".join(domain.addresses)),
                ("UUID", domain.uuid),
            ),
            width,
        ),
    ]
