"""One host: the line to it, what runs there, what watching it costs."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.backend.model.ref import Kind
from tuivirt.backend.model.resources import HostInterface
from tuivirt.widgets.bar import bar, bar_tone
from tuivirt.widgets.facts import facts, heading
from tuivirt.widgets.header import link_words
from tuivirt.widgets.page import PageLine
from tuivirt.widgets.sparkline import bars, bars_shown
from tuivirt.widgets.text import age, natural, percent, share, size
from tuivirt.widgets.tones import Toned

from .host_rows import link_word, summary_of
from .paged import FactsScreen


class HostScreen(FactsScreen):
    """One host."""

    HELP = (
        "A host: the line to it, what runs there, and what watching it costs. tuivirt keeps its "
        "part of the daemon's time within a budget by asking less often for what is out of view."
    )
    KIND = Kind.HOST

    def title_of(self, fleet: Fleet) -> Sequence[Toned]:
        host = fleet.hosts.get(self.ref.host)
        if host is None:
            return ()
        return (
            Toned(" "),
            Toned(host.name, f"bold {host.colour}".strip()),
            Toned("   "),
            link_word(host),
            Toned("   "),
            link_words(host, time.monotonic()),
        )

    def lines(self, fleet: Fleet, width: int) -> Sequence[PageLine]:
        host = fleet.hosts[self.ref.host]
        return [
            *_line(host, width),
            *_figures(host, width),
            *_what(host, width),
            *_sampling(host, width),
        ]


def _line(host: HostSnapshot, width: int) -> list[PageLine]:
    now = time.monotonic()
    entry = host.entry
    return facts(
        (
            ("URI", host.uri),
            ("group", entry.group if entry is not None else ""),
            ("tags", " ".join(entry.tags) if entry is not None else ""),
            ("at the start", _at_the_start(host)),
            ("reason", Toned(host.reason, "bad")),
            ("what to try", Toned(host.advice, "bold")),
            ("last answer", _last_answer(host, now)),
            ("next try in", age(host.retry_at - now) if host.retry_at else ""),
        ),
        width,
    )


def _last_answer(host: HostSnapshot, now: float) -> str:
    """Of this connection alone: what was answered before is not known any more."""
    if host.data_at is not None:
        return f"{age(now - host.data_at)} ago"
    return "not connected" if host.link is Link.CLOSED else "none since it began to connect"


def _at_the_start(host: HostSnapshot) -> str:
    if host.entry is None:
        return "not kept in the settings: e keeps it"
    return "connected" if host.entry.connect else "not connected: c connects"


def _figures(host: HostSnapshot, width: int) -> list[PageLine]:
    stats = host.stats
    if stats is None:
        return []
    load = " ".join(f"{value:.2f}" for value in stats.load) if stats.load else ""
    used, total = stats.memory_used_kib, stats.memory_total_kib
    cpu: PageLine = (
        Toned(f" {'CPU':<16}  ", "dim"),
        Toned(f"{percent(stats.cpu_percent):>3} %  "),
    )
    if bars_shown():
        cpu = (*cpu, Toned(bars(stats.cpu_history, min(40, max(width - 30, 5))), "good"))
    memory = (
        Toned(f" {'memory':<16}  ", "dim"),
        Toned(bar(used, total, min(30, max(width - 40, 5))), bar_tone(used, total)),
        Toned(f"  {share(used, total)}"),
    )
    return [(), cpu, memory, *facts((("load", load),), width)]


def _what(host: HostSnapshot, width: int) -> list[PageLine]:
    info = host.info
    if info is None:
        return []
    found = summary_of(host)
    given = f"{found.vcpus} vCPU, {size(found.memory_kib)}"
    if not found.whole:
        given = f"at least {given}"
    return [
        *heading("What it is"),
        *facts(
            (
                ("host name", info.hostname),
                ("hypervisor", f"{info.hypervisor} {info.hypervisor_version}".strip()),
                ("libvirt", info.libvirt_version),
                ("CPUs", f"{info.cpus} {info.arch} {info.cpu_model}".strip()),
                ("memory", size(info.memory_kib)),
                ("access", "read-only" if info.readonly else "read and write"),
                ("not offered", list(info.missing)),
            ),
            width,
        ),
        *heading("What it has"),
        *facts(
            (
                ("domains", ", ".join(f"{n} {word}" for word, n in found.states) or "none"),
                ("given to guests", given),
                ("networks", str(len(host.networks))),
                ("storage pools", str(len(host.pools))),
                ("devices", str(len(host.devices))),
                (
                    "interfaces",
                    [
                        _interface(i)
                        for i in sorted(host.interfaces.values(), key=lambda i: natural(i.name))
                    ],
                ),
            ),
            width,
        ),
    ]


def _interface(interface: HostInterface) -> str:
    state = "up" if interface.active else "down"
    return "  ".join(x for x in (interface.name, state, interface.type, *interface.addresses) if x)


def _milliseconds(seconds: float | None) -> str:
    """Two digits of it: of a line of 52 ms no more is of use, of one in this machine no less."""
    return "" if seconds is None else f"{float(f'{seconds * 1000:.2g}'):g} ms"


def _sampling(host: HostSnapshot, width: int) -> list[PageLine]:
    sampling = host.sampling
    return [
        *heading("What watching it costs"),
        *facts(
            (
                ("every", f"{sampling.interval_s:g} s"),
                ("there and back", _milliseconds(sampling.round_trip_s)),
                ("calls in a tick", str(sampling.calls)),
                ("daemon's time", f"{sampling.daemon_share * 100:.1f} %"),
                ("out of view", f"at most {sampling.background_age_s:.0f} s old"),
            ),
            width,
        ),
    ]
