"""A client without a screen: ``python -m tests.bench.client bare|backend URI SECONDS ROWS``.

Prints "ready" and goes on until its standard input ends; its processor time is read from outside.
``bare``: six groups of all domains every SECONDS. ``backend``: tuivirt's host with the first
ROWS domains in view.
"""

from __future__ import annotations

import select
import sys
import time

import libvirt

SIX_GROUPS = (
    libvirt.VIR_DOMAIN_STATS_STATE
    | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
    | libvirt.VIR_DOMAIN_STATS_BALLOON
    | libvirt.VIR_DOMAIN_STATS_VCPU
    | libvirt.VIR_DOMAIN_STATS_INTERFACE
    | libvirt.VIR_DOMAIN_STATS_BLOCK
)


def is_over(seconds: float) -> bool:
    """Wait; true as soon as standard input has ended, so that nobody outlives the bench."""
    return bool(select.select([sys.stdin], [], [], max(0.0, seconds))[0])


def bare(uri: str, interval: float) -> None:
    """The loop that anyone would write."""
    conn = libvirt.open(uri)
    due = time.monotonic()
    ready = False
    while True:
        conn.getAllDomainStats(SIX_GROUPS, 0)
        if not ready:
            print("ready", flush=True)
            ready = True
        due += interval
        if is_over(due - time.monotonic()):
            return


def backend(uri: str, interval: float, rows: int) -> None:
    """tuivirt's host, with a view as the domains screen has it."""
    from tuivirt.backend.host import Host
    from tuivirt.backend.view import View

    host = Host("bench", uri, publish=lambda _event: None, interval=interval)
    host.start()
    domains = host.wait_filled(30).domains.values()
    shown = sorted(domains, key=lambda domain: domain.name)[:rows]
    host.watch(View(frozenset(domain.uuid for domain in shown)))
    print("ready", flush=True)
    while not is_over(3600):
        pass


def main(kind: str, uri: str, interval: str, rows: str) -> None:
    if kind == "bare":
        bare(uri, float(interval))
    else:
        backend(uri, float(interval), int(rows))


if __name__ == "__main__":
    main(*sys.argv[1:5])
