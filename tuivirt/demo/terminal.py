"""A demo guest's serial port: boot log, kernel messages, a shell, and whoever looks at it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import failure
from .shell import Shell
from .stats import memory
from .stream import DemoStream

if TYPE_CHECKING:
    from .guest import Guest
    from .machines import Machines

BUFFER = 1 << 20
"""Bytes kept for a reader that is slow; the guest's own output beyond that is lost, as on a
real serial port. What a command makes is made only as fast as it is read."""

FIRMWARE_S = 0.4
"""From power on to the kernel's first line: time to open the console and see it."""

_BOOT = """\
Demo firmware 1.0: {memory} MiB, {vcpus} processors, booting from the first disk
Loading Linux 6.1.0-demo ...
Loading initial ramdisk ...
[    0.000000] Linux version 6.1.0-demo (gcc 12.2.0) #1 SMP
[    0.000000] Command line: console=ttyS0 root=/dev/vda1 ro
[    0.004112] BIOS-provided physical RAM map: {memory} MiB
[    0.102241] smp: Brought up 1 node, {vcpus} CPUs
[    0.381904] PCI: Using configuration type 1 for base access
[    0.644017] virtio_net virtio0 eth0: MAC {mac}
[    0.812450] virtio_blk virtio2: [vda] mounted
[    1.204774] EXT4-fs (vda1): mounted filesystem with ordered data mode
[    1.391180] systemd[1]: Hostname set to <{host}>.
[  \x1b[32mOK\x1b[0m  ] Started Network configuration.
[  \x1b[32mOK\x1b[0m  ] Started OpenSSH server.
[  \x1b[32mOK\x1b[0m  ] Reached target Multi-User System.""".splitlines()


class Terminal:
    """One guest's port. Its public methods take the host's lock, or are called under it; only
    the buffer has a lock of its own, which is held for the moment of a copy."""

    def __init__(self, host: Machines, guest: Guest) -> None:
        self._host = host
        self.guest = guest
        self._buffer = bytearray()
        self._source: Iterator[bytes] | None = None
        self._lock = threading.Lock()
        self._stream: DemoStream | None = None
        self._run = 0
        """Rises with each boot: lines of an older one are dropped."""
        self._booting = False
        self._shell = Shell(self)

    # ------------------------------------------------------------------ the stream's side
    def connect(self, stream: DemoStream, force: bool) -> None:
        """Raises libvirtError when another stream has the port and ``force`` is not given."""
        with self._host.lock:
            old = self._stream
            if old is not None and not force:
                raise failure(
                    libvirt.VIR_ERR_OPERATION_FAILED,
                    "Active console session exists for this domain",
                )
            self._stream = None
            with self._lock:
                self._buffer.clear()
            if old is not None:
                old.take_away()
            stream.open(self)
            self._stream = stream
            if not self._booting and self.guest.running and not self._shell.look():
                # A guest is silent until Enter is pressed; the hint is all that the demo adds.
                self.put(self._greeting() + "Press Enter for a shell, then try: help\n")

    def readable(self) -> bool:
        with self._lock:
            return bool(self._buffer) or self._source is not None

    def read(self, limit: int) -> bytes:
        with self._lock:
            while self._source is not None and len(self._buffer) < limit:
                more = next(self._source, None)
                if more is None:
                    self._source = None
                else:
                    self._buffer += more
            data = bytes(self._buffer[:limit])
            del self._buffer[:limit]
            return data

    def write(self, data: bytes) -> int:
        with self._host.lock:
            if self.guest.running and not self._booting and not self.guest.closing:
                self._shell.feed(data)
        return len(data)

    def closed(self, stream: DemoStream) -> None:
        with self._host.lock:
            if self._stream is stream:
                self._stream = None
                self.interrupt()

    # ------------------------------------------------------------------ the guest's side
    def put(self, text: str) -> None:
        """Write to whoever looks; nobody looking, it is lost, as on a real serial port."""
        self.put_bytes(text.replace("\n", "\r\n").encode())

    def put_bytes(self, data: bytes) -> None:
        """The same with bytes as they are."""
        if self._stream is None:
            return
        with self._lock:
            self._buffer += data[: max(0, BUFFER - len(self._buffer))]
        self._stream.notify()

    def pour(self, source: Iterator[bytes]) -> None:
        """Output without end, or long: made as fast as it is read."""
        if self._stream is None:
            return
        with self._lock:
            self._source = source
        self._stream.notify()

    def interrupt(self) -> bool:
        """Stop what pours; whether there was something."""
        with self._lock:
            source, self._source = self._source, None
        return source is not None

    @property
    def watched(self) -> bool:
        return self._stream is not None

    def _greeting(self) -> str:
        spec = self.guest.spec
        name = self.hostname
        return f"\n{spec.system} {name} ttyS0\n\n{name} login: root (automatic login)\n\n"

    def boot(self) -> None:
        """Tell the boot log line by line, then offer the shell."""
        self._run += 1
        self._booting = True
        self.interrupt()
        self._shell = Shell(self)
        run = self._run
        self._host.clock.after(FIRMWARE_S, lambda: self._boot_line(run, 0))

    def _boot_line(self, run: int, number: int) -> None:
        with self._host.lock:
            if run != self._run or not self.guest.active:
                return
            if not self.guest.running:  # Started paused, or paused while it boots.
                self._host.clock.after(0.2, lambda: self._boot_line(run, number))
                return
            if number == len(_BOOT):
                self._booting = False
                self.put(self._greeting() + self._shell.prompt())
                return
            spec = self.guest.spec
            line = _BOOT[number].format(
                memory=spec.memory_mib, vcpus=spec.vcpus, host=self.hostname, mac=self._mac()
            )
            self.put(("\n" if not number else "") + line + "\n")
            pause = 1.6 / len(_BOOT)
            self._host.clock.after(pause, lambda: self._boot_line(run, number + 1))

    def _mac(self) -> str:
        live = self.guest.live
        mac = live.element.find("interface/mac") if live else None
        return "-" if mac is None else str(mac.get("address"))

    def power_off(self) -> None:
        """The guest is off: the stream ends."""
        self._run += 1
        self._booting = False
        self.interrupt()
        self._shell = Shell(self)
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.end()

    def say_goodbye(self, last: str) -> None:
        self.interrupt()
        self.put(
            "\n[  \x1b[32mOK\x1b[0m  ] Stopped OpenSSH server.\n"
            "[  \x1b[32mOK\x1b[0m  ] Reached target Shutdown.\n"
            f"[{self.uptime():12.6f}] {last}\n"
        )

    def device_came(self, device: Any) -> None:
        """The kernel's word on a device that was plugged in."""
        if device.tag == "disk":
            name = device.find("target").get("dev")
            live = self.guest.live
            size = next((d.capacity for d in live.disks if d.name == name), 0) if live else 0
            self._kernel(f"virtio_blk virtio9: [{name}] {size // 512} 512-byte logical blocks")
        else:
            self._kernel(f"pcieport: {device.tag} found on hot-plugged slot")

    def device_gone(self, device: Any) -> None:
        self._kernel(f"pciehp: Slot(0): {device.tag} removed")

    def _kernel(self, text: str) -> None:
        self.put(f"\n[{self.uptime():12.6f}] {text}\n")

    # ------------------------------------------------------------------ what the shell asks
    @property
    def hostname(self) -> str:
        name = self.guest.name
        return name if name.isascii() and name.replace("-", "").isalnum() else "guest"

    def uptime(self) -> float:
        return self.guest.ran(time.monotonic())

    def cpu_share(self) -> float:
        """Part of its vCPUs in use, 0 to 1."""
        return self.guest.profile.cpu.rate(self.uptime(), self.guest.phase)

    def memory_kib(self) -> tuple[int, int]:
        """(total, used) as the guest sees them."""
        total = self.guest.spec.memory_mib * 1024
        figures = memory(self.guest, total, time.monotonic())
        total = figures.get("available", total)
        return total, total - figures.get("usable", total // 2)

    def partitions(self) -> list[tuple[str, int]]:
        """(name, KiB) of each disk that it has now."""
        live = self.guest.live
        return [(d.name, d.capacity // 1024) for d in live.disks if d.path] if live else []

    def after(self, delay: float, function: Any) -> None:
        """Run it under the host's lock, unless the guest was started afresh by then."""
        shell, run = self._shell, self._run

        def due() -> None:
            with self._host.lock:
                if self._shell is shell and run == self._run:
                    function()

        self._host.clock.after(delay, due)

    def halt(self) -> None:
        self._host.power_off(self.guest, libvirt.VIR_DOMAIN_EVENT_SHUTDOWN_GUEST, 0.5)

    def restart(self) -> None:
        self._host.reboot(self.guest, 0.5)
