"""Which demo host a URI asks for, and libvirt's test driver opened on it."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import libvirt

from . import guests, hardware
from .errors import failure

MOST_DOMAINS = 5000


@dataclass(frozen=True, slots=True)
class World:
    """A demo host as its URI describes it."""

    name: str
    specs: tuple[guests.GuestSpec, ...]
    seed: int
    life: bool
    """Things happen by themselves: a guest restarts, a balloon changes."""

    @property
    def cpus(self) -> int:
        """Enough for its guests: 16, and more where there is a crowd."""
        busy = sum(spec.vcpus for spec in self.specs)
        return max(16, (busy // 3 + 15) // 16 * 16)

    @property
    def memory_kib(self) -> int:
        need = sum(spec.memory_mib for spec in self.specs) * 1024
        return max(128, (need // (1 << 20) * 5 // 4 + 31) // 32 * 32) << 20

    def sizes(self) -> dict[str, int]:
        """Bytes of every disk source that the host knows, by path."""
        found = dict(hardware.BLOCK_DEVICES)
        for spec in self.specs:
            found |= {disk.path: disk.gib for disk in spec.disks}
        return {path: int(gib * (1 << 30)) for path, gib in found.items()}

    def node_xml(self) -> str:
        """The file which libvirt's test driver is opened with."""
        cores = self.cpus // 2
        parts = [
            "<node>",
            (
                f"<cpu><mhz>3100</mhz><model>x86_64</model><active>{self.cpus}</active>"
                f"<nodes>1</nodes><sockets>1</sockets><cores>{cores}</cores><threads>2</threads></cpu>"
            ),
            f"<memory>{self.memory_kib}</memory>",
            *(guests.domain_xml(self.name, spec) for spec in self.specs),
            *hardware.networks_xml(),
            *hardware.interfaces_xml(),
            *hardware.pools_xml(self.specs),
            *hardware.devices_xml(),
            "</node>",
        ]
        return "\n".join(parts)

    def _cpus_xml(self) -> str:
        """Two threads in each core, the second ones after all first ones, as Linux counts."""
        cores = self.cpus // 2
        return "".join(
            f"            <cpu id='{cpu}' socket_id='0' die_id='0' core_id='{cpu % cores}'"
            f" siblings='{cpu % cores},{cpu % cores + cores}'/>\n"
            for cpu in range(self.cpus)
        )

    def capabilities(self) -> str:
        """As virConnectGetCapabilities: the host's CPU and what its guests may be."""
        return (
            "<capabilities>\n  <host>\n"
            f"    <uuid>{guests.domain_uuid(self.name, '')}</uuid>\n"
            "    <cpu>\n      <arch>x86_64</arch>\n      <model>Skylake-Server</model>\n"
            "      <vendor>Intel</vendor>\n"
            f"      <topology sockets='1' dies='1' cores='{self.cpus // 2}' threads='2'/>\n"
            "      <pages unit='KiB' size='4'/>\n    </cpu>\n"
            "    <iommu support='yes'/>\n"
            "    <topology>\n      <cells num='1'>\n        <cell id='0'>\n"
            f"          <memory unit='KiB'>{self.memory_kib}</memory>\n"
            f"          <cpus num='{self.cpus}'>\n{self._cpus_xml()}          </cpus>\n"
            "        </cell>\n      </cells>\n    </topology>\n  </host>\n"
            "  <guest>\n    <os_type>hvm</os_type>\n    <arch name='x86_64'>\n"
            "      <wordsize>64</wordsize>\n      <machine>q35</machine>\n"
            "      <machine>pc</machine>\n      <domain type='test'/>\n    </arch>\n"
            "  </guest>\n</capabilities>\n"
        )


def _bad_uri(text: str) -> libvirt.libvirtError:
    return failure(libvirt.VIR_ERR_INVALID_ARG, text, libvirt.VIR_FROM_CONF)


def read_uri(uri: str) -> World:
    """Raises libvirtError when the URI names no demo host, or has a senseless parameter."""
    parts = urlsplit(uri)
    if parts.scheme != "demo" or parts.netloc:
        raise _bad_uri(f"a demo host is named as demo:///NAME, not {uri}")
    name = unquote(parts.path.strip("/")) or "demo"
    if "/" in name:
        raise _bad_uri(f"a demo host's name holds no slash: {name}")
    values = {key: found[-1] for key, found in parse_qs(parts.query).items()}
    numbers = {"domains": len(guests.GUESTS), "seed": 1, "life": 1}
    for key, text in values.items():
        if key not in numbers or not text.isdecimal():
            raise _bad_uri(
                f"demo URI: {key}={text}: known are domains, seed and life, each a number"
            )
        numbers[key] = int(text)
    if numbers["domains"] > MOST_DOMAINS:
        raise _bad_uri(f"demo URI: at most {MOST_DOMAINS} domains")
    specs = guests.crowd(numbers["domains"], numbers["seed"])
    hostname = name if name.startswith("demo") else f"demo-{name}"
    return World(hostname, specs, numbers["seed"], bool(numbers["life"]))


def open_driver(world: World, readonly: bool) -> Any:
    """libvirt's test driver with this host in it.

    What starts inactive must be stopped on a connection that may; the driver keeps each
    connection's host apart, so a read-only one shows all its networks and pools as active.
    """
    handle, path = tempfile.mkstemp(prefix="tuivirt-demo-", suffix=".xml")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(world.node_xml())
        uri = f"test://{path}"
        real = libvirt.openReadOnly(uri) if readonly else libvirt.open(uri)
    finally:
        os.unlink(path)
    if not readonly:
        for name in hardware.INACTIVE_NETWORKS:
            real.networkLookupByName(name).destroy()
        for name in hardware.INACTIVE_POOLS:
            real.storagePoolLookupByName(name).destroy()
        for name in ("default", "storage"):
            real.networkLookupByName(name).setAutostart(1)
        real.storagePoolLookupByName("images").setAutostart(1)
        for spec in world.specs:
            if spec.autostart:
                real.lookupByName(spec.name).setAutostart(1)
    return real
