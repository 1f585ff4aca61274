"""Which hosts there are: the URIs that were given, libvirt's default, or the demo."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.events import Event, EventHub, SnapshotChanged
from tuivirt.backend.host import Host
from tuivirt.backend.model.host import Link

SYSTEM_URI = "qemu:///system"
DEMO_URI = "demo:///"
CLOSE_S = 2.0
"""How long the hosts may take to close, all together; each promises less."""
SETTLE_S = 2.0
"""How long the default host may take to open or fail; one that hangs is shown as it is."""


@dataclass
class Wiring:
    """The hosts of this run, connecting already, and the hub where their events meet."""

    hub: EventHub
    hosts: list[Host] = field(default_factory=list)
    notice: str = ""
    """Why this is the demo though nobody asked for it."""
    given: bool = True
    """The operator said which hosts."""

    def close(self) -> None:
        """End all connections, at once: a host that takes its time costs no other any."""
        closing = [
            threading.Thread(target=host.close, name=f"{host.name}-closing", daemon=True)
            for host in self.hosts
        ]
        for thread in closing:
            thread.start()
        deadline = time.monotonic() + CLOSE_S
        for thread in closing:
            thread.join(max(0.0, deadline - time.monotonic()))


def connect(
    hub: EventHub,
    uris: Sequence[str] = (),
    *,
    demo: bool = False,
    readonly: bool = False,
    sampling: bool = True,
    interval: float = 2.0,
) -> Wiring:
    """Begin to connect, in the background. No URI: the default one, see ``default_uri``."""
    wiring = Wiring(hub, given=bool(uris) or demo or "LIBVIRT_DEFAULT_URI" in os.environ)
    chosen = [DEMO_URI, *uris] if demo else list(uris) or [default_uri()]
    if any(uri.startswith("demo:") for uri in chosen):
        from tuivirt.demo import register

        register()
    for name, uri in named(chosen):
        host = Host(
            name,
            uri,
            readonly=readonly,
            publish=hub.publish,
            interval=interval,
            sampling=sampling,
        )
        wiring.hosts.append(host)
    for host in wiring.hosts:
        host.start()
    return wiring


def or_demo(wiring: Wiring, *, sampling: bool = True, interval: float = 2.0) -> Wiring:
    """The demo in place of a default host that could not be opened, where none was asked for.

    Waits until that is known, at most SETTLE_S; a host that hangs is kept.
    """
    if wiring.given:
        return wiring
    (host,) = wiring.hosts
    settled = threading.Event()

    def heard(event: Event) -> None:
        if isinstance(event, SnapshotChanged) and _known(event.snapshot.link, event.snapshot.info):
            settled.set()

    forget = wiring.hub.subscribe(heard)
    try:
        if not _known(host.snapshot.link, host.snapshot.info):
            settled.wait(SETTLE_S)
    finally:
        forget()
    if host.snapshot.link is not Link.FAILED:
        return wiring
    reason, readonly = host.snapshot.reason, host.readonly
    host.close()
    shown = connect(wiring.hub, demo=True, readonly=readonly, sampling=sampling, interval=interval)
    shown.notice = f"no libvirt answers at {host.uri} ({reason}): this is the demo"
    return shown


def _known(link: Link, info: object) -> bool:
    return link is not Link.CONNECTING or info is not None


def default_uri() -> str:
    """LIBVIRT_DEFAULT_URI, else ``uri_default`` of libvirt.conf, else the system's QEMU.

    Unlike libvirt, an ordinary user gets the system's daemon too: that is where a server's
    guests are.
    """
    given = os.environ.get("LIBVIRT_DEFAULT_URI", "")
    if given:
        return given
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    for path in (Path(config, "libvirt/libvirt.conf"), Path("/etc/libvirt/libvirt.conf")):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # Absent, or not ours to read: libvirt goes on without it as well.
        found = re.search(r"^\s*uri_default\s*=\s*[\"']([^\"']+)[\"']", text, re.MULTILINE)
        if found:
            return found[1]
    return SYSTEM_URI


def named(uris: Sequence[str]) -> list[tuple[str, str]]:
    """(name, URI) of each, the names unique: the URI's host, ``local``, or ``demo``.

    Of two with one host the later is told apart by its driver, then by a number.
    """
    found: dict[str, str] = {}
    for uri in dict.fromkeys(uris):
        driver, host = _parts(uri)
        name = host or ("demo" if driver == "demo" else "local")
        if name in found:
            name = f"{name}-{driver}"
        base, number = name, 2
        while name in found:
            name = f"{base}-{number}"
            number += 1
        found[name] = uri
    return list(found.items())


def _parts(uri: str) -> tuple[str, str]:
    """(driver without its transport, host) of a URI; an alias of libvirt.conf is its own host."""
    match = re.match(r"([\w.-]+)(?:\+\w+)?://(?:[^@/?]*@)?(\[[^\]]*\]|[^:/?]*)", uri)
    if match is None:
        return uri, uri
    return match[1], match[2]


def fill(
    hosts: Sequence[Host], timeout: float
) -> tuple[list[Host], list[tuple[Host, TuivirtError]]]:
    """Wait until the hosts' lists are read: those that are, and why the others are not."""
    ready: list[Host] = []
    failed: list[tuple[Host, TuivirtError]] = []
    for host in hosts:
        try:
            host.wait_filled(timeout)
        except TuivirtError as error:
            failed.append((host, error))
        else:
            ready.append(host)
    return ready, failed
