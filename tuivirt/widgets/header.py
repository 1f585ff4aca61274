"""The first line: which host, what it runs, how it fares, and how the line to it is."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tuivirt.backend.model.host import HostSnapshot, Link

from .line import Line
from .text import age, fit, percent, share, width_of
from .tones import Toned

_SPACE = Toned("   ")
SHORT_URI = 20
"""Cells that a URI keeps beside the figures, which are cut before it is shorter."""
WIDE = 100
"""From this width on libvirt's version stands there too, where other hosts are closed."""


class Header(Line):
    """One host in full, or several in short."""

    DEFAULT_CSS = "Header { width: 1fr; height: 1; }"

    def show_hosts(
        self, hosts: Sequence[HostSnapshot], now: float | None = None, *, closed: int = 0
    ) -> None:
        """``closed``: how many others there are, of which nothing is shown."""
        now = time.monotonic() if now is None else now
        if len(hosts) == 1:
            self.show(*_one(hosts[0], now, self.size.width, closed))
        else:
            self.show(*_several(hosts, now, closed))


def link_words(host: HostSnapshot, now: float) -> Toned:
    """The state of the line in words, with the age of what is shown where it is old."""
    if host.link is Link.CONNECTED:
        return Toned(f"↻ {host.sampling.interval_s:g} s", "dim")
    if host.link is Link.STALLED:
        old = age(now - host.data_at) if host.data_at is not None else "?"
        return Toned(f"stalled, no answer for {old}", "bad")
    if host.link in (Link.LOST, Link.FAILED):
        word = "connection lost" if host.link is Link.LOST else "not connected"
        if host.retry_at is None:
            return Toned(word, "bad")
        return Toned(f"{word}, next try in {age(max(0.0, host.retry_at - now))}", "bad")
    if host.link is Link.CONNECTING:
        return Toned("connecting, no answer yet …" if host.reason else "connecting …", "warn")
    return Toned("closed", "warn")


def _one(
    host: HostSnapshot, now: float, width: int, closed: int = 0
) -> tuple[list[Toned], list[Toned]]:
    info, stats = host.info, host.stats
    name = [Toned(" "), Toned(host.name, f"bold {host.colour}".strip())]
    marks: list[Toned] = []
    left: list[Toned] = []
    if info is not None:
        if info.demo:
            marks.append(Toned("  DEMO", "warn"))
        if info.readonly:
            marks.append(Toned("  READ-ONLY", "warn"))
        if info.libvirt_version and width >= (WIDE if closed else 70):
            left += [_SPACE, Toned(f"libvirt {info.libvirt_version}")]
        busy = percent(stats.cpu_percent if stats else None)
        total = stats.memory_total_kib if stats and stats.memory_total_kib else info.memory_kib
        used = stats.memory_used_kib if stats else None
        left += [_SPACE, Toned(f"{info.cpus} CPU {busy:>2} %")]
        left += [_SPACE, Toned(f"mem {share(used, total or None)}")]
        if stats is not None and stats.load is not None and width >= 120:
            left += [_SPACE, Toned("load " + " ".join(f"{x:.1f}" for x in stats.load))]
    right = [link_words(host, now), Toned(" ")]
    if closed:
        others = "1 other closed" if closed == 1 else f"{closed} others closed"
        least = min(SHORT_URI, width_of(host.uri)) + 1
        taken = sum(width_of(piece.text) for piece in (*name, *marks, *left, *right))
        # How this one fares comes first.
        if taken + least + width_of(others) + 3 <= width:
            right = [Toned(f"{others}  ", "warn"), *right]
    if host.uri != host.name:
        # It gives way: what is shown must not be taken for more than it is.
        taken = sum(width_of(piece.text) for piece in (*name, *marks, *left, *right))
        room = max(width - taken - 2, SHORT_URI)
        name.append(Toned(f" {fit(host.uri, room, pad=False)}"))
    return [*name, *marks, *left], right


def _several(
    hosts: Sequence[HostSnapshot], now: float, closed: int
) -> tuple[list[Toned], list[Toned]]:
    well = sum(host.link is Link.CONNECTED for host in hosts)
    left = [Toned(f" {len(hosts)} hosts", "bold")]
    if any(host.info is not None and host.info.readonly for host in hosts):
        left.append(Toned("  READ-ONLY", "warn"))
    for host in hosts:
        left.append(_SPACE)
        left.append(Toned(host.name, host.colour))
        if host.link is not Link.CONNECTED:
            left += [Toned(" "), link_words(host, now)]
        elif host.stats is not None:
            left.append(Toned(f" {percent(host.stats.cpu_percent)} %", "dim"))
    others = [Toned(f"{closed} closed ", "warn")] if closed else []
    return left, [Toned(f"{well} of {len(hosts)} connected "), *others]
