"""What this machine does with its network interfaces. Source: /sys/class/net, /proc/net."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from ..model.passthrough import NetUse
from .kernel import place_of, text_of


def net_uses(device_path: str, root: Path = Path("/")) -> tuple[NetUse, ...]:
    """The interfaces that hang on the device at this sysfs path, by name.

    ``root``: where /sys and /proc are looked for; addresses are always this machine's.
    """
    folder = root / "sys/class/net"
    if not folder.is_dir():
        return ()
    names = [
        each.name for each in folder.iterdir() if place_of(each, root).startswith(f"{device_path}/")
    ]
    if not names:
        return ()
    routes = _default_routes(root)
    ours = _session_addresses()
    return tuple(_use(folder, name, routes, ours) for name in sorted(names))


def _use(folder: Path, name: str, routes: frozenset[str], ours: frozenset[str]) -> NetUse:
    above = _above(folder, name)
    addresses = [address for each in (name, *above) for address in _addresses(each)]
    return NetUse(
        name=name,
        addresses=tuple(addresses),
        above=above,
        default_route=not routes.isdisjoint((name, *above)),
        this_session=not ours.isdisjoint(address.partition("%")[0] for address in addresses),
        up=(text_of(folder / name / "operstate") == "up"),
    )


def _above(folder: Path, name: str) -> tuple[str, ...]:
    """Bridges, bonds and VLANs on an interface, and what is on those."""
    found: list[str] = []
    wanted = [name]
    while wanted:
        here = folder / wanted.pop()
        try:
            uppers = sorted(
                each.name.removeprefix("upper_")
                for each in here.iterdir()
                if each.name.startswith("upper_")
            )
        except OSError:
            continue  # It went away while we looked.
        for upper in uppers:
            if upper not in found:
                found.append(upper)
                wanted.append(upper)
    return tuple(found)


def _addresses(name: str) -> tuple[str, ...]:
    """IP addresses of an interface; those that every interface has of itself count for nothing."""
    return tuple(
        each.address
        for each in psutil.net_if_addrs().get(name, ())
        if each.family.name in ("AF_INET", "AF_INET6") and not each.address.startswith("fe80:")
    )


def _default_routes(root: Path) -> frozenset[str]:
    """The interfaces that a default route leads over."""
    found = set()
    for line in text_of(root / "proc/net/route").splitlines()[1:]:
        words = line.split()
        if len(words) > 7 and words[1] == "00000000" and words[7] == "00000000":
            found.add(words[0])
    for line in text_of(root / "proc/net/ipv6_route").splitlines():
        words = line.split()
        if len(words) > 9 and words[0] == "0" * 32 and words[1] == "00" and words[9] != "lo":
            found.add(words[9])
    return frozenset(found)


def _session_addresses() -> frozenset[str]:
    """This machine's end of the SSH session that we run in, if there is one.

    sudo drops SSH_CONNECTION, so the processes above us are asked too, where we may.
    """
    said = [os.environ.get("SSH_CONNECTION", "")]
    for process in psutil.Process().parents():
        try:
            said.append(process.environ().get("SSH_CONNECTION", ""))
        except (psutil.Error, OSError):
            continue  # Another user's process, or one that has ended.
    return frozenset(words[2] for each in said if len(words := each.split()) == 4)
