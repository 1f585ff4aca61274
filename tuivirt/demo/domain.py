"""A domain of the demo: libvirt's test driver's, with the manners of a QEMU guest."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import libvirt
from lxml import etree

from ..backend.turns import turn
from . import hotplug, processors, stats
from .errors import failure, not_running
from .proxy import Proxy

if TYPE_CHECKING:
    from .guest import Guest

SHUTDOWN_S = 1.5
"""How long an obedient guest takes to shut down."""


class DemoDomain(Proxy):
    """Stands where a libvirt.virDomain stands."""

    @property
    def guest(self) -> Guest:
        """What the demo holds of it, brought up to date."""
        return self._host.guest(self._real)

    def _write(self, function: str) -> None:
        self._host.require_write(function)

    def _require_active(self) -> Guest:
        guest = self.guest
        if not guest.active:
            raise not_running()
        return guest

    # ------------------------------------------------------------------ what it is
    def XMLDesc(self, flags: int = 0) -> str:
        xml = str(self._real.XMLDesc(flags))
        with self._host.lock, turn:
            root: Any = etree.fromstring(xml)
            live = self.guest.live
            if live is not None and not flags & libvirt.VIR_DOMAIN_XML_INACTIVE:
                old = root.find("devices")
                root.replace(old, etree.fromstring(etree.tostring(live.element)))
                processors.show_pins(root, self.guest.pins)
                etree.indent(root)
                return etree.tostring(root, encoding="unicode") + "\n"
        # The test driver makes up names for interfaces, which QEMU's saves nowhere.
        made_up = [t for t in root.iterfind("devices/interface/target") if _made_up(t)]
        if not made_up:
            return xml
        for target in made_up:
            target.getparent().remove(target)
        etree.indent(root)
        return etree.tostring(root, encoding="unicode") + "\n"

    def info(self) -> list[int]:
        info = list(self._real.info())
        guest, now = self._host.guest(self._real, state=info[0]), time.monotonic()
        info[4] = 0
        if guest.active:
            seconds = stats.cpu_total(guest, guest.cpu_seconds(now, info[3]), now)
            info[4] = int(seconds * 1_000_000_000)
        return info

    def memoryStats(self) -> dict[str, int]:
        guest = self._require_active()
        current = int(self._real.info()[2])
        figures = stats.memory(guest, current, time.monotonic())
        return {"actual": current} | {k.replace("-", "_"): v for k, v in figures.items()}

    def getCPUStats(self, total: bool, flags: int = 0) -> list[dict[str, int]]:
        self._require_active()
        used = self.info()[4]
        if total:
            return [{"cpu_time": used, "user_time": used * 4 // 5, "system_time": used // 5}]
        cpus = self._host.world.cpus
        return [{"cpu_time": used // cpus} for _ in range(cpus)]

    def interfaceStats(self, path: str) -> tuple[int, ...]:
        guest, now = self._require_active(), time.monotonic()
        figures = stats.record(guest, self.info(), 0, libvirt.VIR_DOMAIN_STATS_INTERFACE, now)
        for number in range(figures["net.count"]):
            if figures[f"net.{number}.name"] == path:
                return tuple(
                    figures[f"net.{number}.{way}.{key}"]
                    for way in ("rx", "tx")
                    for key in ("bytes", "pkts", "errs", "drop")
                )
        raise failure(
            libvirt.VIR_ERR_INVALID_ARG, f"invalid path, '{path}' is not a known interface"
        )

    def blockStats(self, path: str) -> tuple[int, ...]:
        guest, now = self._require_active(), time.monotonic()
        figures = stats.record(guest, self.info(), 0, libvirt.VIR_DOMAIN_STATS_BLOCK, now)
        for number in range(figures["block.count"]):
            stem = f"block.{number}"
            if path in (figures[f"{stem}.name"], figures[f"{stem}.path"]):
                keys = ("rd.reqs", "rd.bytes", "wr.reqs", "wr.bytes")
                return (*(figures[f"{stem}.{key}"] for key in keys), -1)
        raise failure(libvirt.VIR_ERR_INVALID_ARG, f"invalid path: {path}")

    def blockInfo(self, path: str, flags: int = 0) -> list[int]:
        live = self.guest.live
        for disk in live.disks if live else ():
            if path in (disk.name, disk.path):
                held = disk.capacity if disk.format == "raw" else int(disk.capacity * 0.37)
                return [disk.capacity, held, held]
        if live is None:
            return list(self._real.blockInfo(path, flags))
        raise failure(libvirt.VIR_ERR_INVALID_ARG, f"invalid path {path} not assigned to domain")

    def blockResize(self, disk: str, size: int, flags: int = 0) -> int:
        self._write("virDomainBlockResize")
        live = self._require_active().live
        rows = live.disks if live else ()
        row = next((row for row in rows if disk in (row.name, row.path)), None)
        if live is None or row is None:
            raise failure(libvirt.VIR_ERR_INVALID_ARG, f"invalid path: {disk}")
        in_bytes = flags & libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES
        self._host.set_size(row.path, size if in_bytes else size * 1024)
        live.resized()
        return 0

    def interfaceAddresses(self, source: int, flags: int = 0) -> dict[str, Any]:
        guest = self._require_active()
        agent = source == libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT
        if agent and not guest.spec.agent:
            raise failure(
                libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, "QEMU guest agent is not configured"
            )
        return self._host.addresses(guest, agent)

    # ------------------------------------------------------------------ life cycle
    def create(self) -> int:
        return self.createWithFlags(0)

    def createWithFlags(self, flags: int = 0) -> int:
        self._write("virDomainCreateWithFlags")
        if self.guest.active:
            raise failure(libvirt.VIR_ERR_OPERATION_INVALID, "domain is already running")
        known = (
            libvirt.VIR_DOMAIN_START_PAUSED
            | libvirt.VIR_DOMAIN_START_BYPASS_CACHE
            | libvirt.VIR_DOMAIN_START_FORCE_BOOT
        )
        with self._host.lock:
            if flags & libvirt.VIR_DOMAIN_START_FORCE_BOOT and self._real.hasManagedSaveImage():
                self._real.managedSaveRemove()
                self.guest.forget()
            resumed = self._real.hasManagedSaveImage()
            self._host.check_passthrough(self._real)
            self._real.createWithFlags(flags & ~known)
            guest = self.guest
            if flags & libvirt.VIR_DOMAIN_START_PAUSED:
                self._real.suspend()
                guest = self.guest
            self._host.started(guest, resumed=bool(resumed))
        return 0

    def destroy(self) -> int:
        return self.destroyFlags(0)

    def destroyFlags(self, flags: int = 0) -> int:
        self._write("virDomainDestroyFlags")
        self._require_active()
        with self._host.lock:
            result = int(self._real.destroyFlags(flags & ~libvirt.VIR_DOMAIN_DESTROY_GRACEFUL))
            self._host.stopped(self._real)
        return result

    def suspend(self) -> int:
        self._write("virDomainSuspend")
        if self._require_active().state == libvirt.VIR_DOMAIN_PAUSED:
            return 0
        result = int(self._real.suspend())
        self._host.guest(self._real)
        return result

    def resume(self) -> int:
        self._write("virDomainResume")
        if self._require_active().running:
            raise failure(libvirt.VIR_ERR_OPERATION_INVALID, "domain is already running")
        result = int(self._real.resume())
        self._host.guest(self._real)
        return result

    def shutdown(self) -> int:
        return self.shutdownFlags(0)

    def shutdownFlags(self, flags: int = 0) -> int:
        """Asks the guest; one that obeys is off a moment later."""
        self._write("virDomainShutdownFlags")
        guest = self.guest
        if not guest.running:
            raise not_running()
        if flags == libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT and not guest.spec.agent:
            raise failure(
                libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, "QEMU guest agent is not configured"
            )
        if guest.spec.obeys_shutdown and not guest.closing:
            self._host.power_off(guest, libvirt.VIR_DOMAIN_EVENT_SHUTDOWN_HOST, SHUTDOWN_S)
        return 0

    def reboot(self, flags: int = 0) -> int:
        self._write("virDomainReboot")
        guest = self._require_active()
        if guest.spec.obeys_shutdown:
            self._host.reboot(guest, SHUTDOWN_S)
        return 0

    def reset(self, flags: int = 0) -> int:
        self._write("virDomainReset")
        self._host.reboot(self._require_active(), 0.0)
        return 0

    def managedSaveRemove(self, flags: int = 0) -> int:
        self._write("virDomainManagedSaveRemove")
        result = int(self._real.managedSaveRemove(flags))
        self.guest.forget()
        return result

    def managedSave(self, flags: int = 0) -> int:
        self._write("virDomainManagedSave")
        self._require_active()
        known = (
            libvirt.VIR_DOMAIN_SAVE_RUNNING
            | libvirt.VIR_DOMAIN_SAVE_PAUSED
            | libvirt.VIR_DOMAIN_SAVE_BYPASS_CACHE
        )
        with self._host.lock:
            result = int(self._real.managedSave(flags & ~known))
            self._host.stopped(self._real, saved=True)
        return result

    # ------------------------------------------------------------------ jobs
    def migrate3(self, dconn: Any, params: dict[str, Any], flags: int = 0) -> Any:
        from .migrating import migrate  # Most demos move nothing.

        self._write("virDomainMigrate3")
        return migrate(self, dconn, params, flags)

    def jobStats(self, flags: int = 0) -> dict[str, int]:
        from .migrating import job_stats

        return job_stats(self, flags)

    def abortJob(self) -> int:
        from .migrating import abort_job

        self._write("virDomainAbortJob")
        return abort_job(self)

    def migrateSetMaxSpeed(self, bandwidth: int, flags: int = 0) -> int:
        self._write("virDomainMigrateSetMaxSpeed")
        guest = self.guest
        guest.speed_mib_s = bandwidth
        if guest.move is not None:
            guest.move.mib_per_s = bandwidth
        return 0

    def migrateGetMaxSpeed(self, flags: int = 0) -> int:
        return self.guest.speed_mib_s or 8796093022207  # libvirt's own default.

    # ------------------------------------------------------------------ devices
    def attachDevice(self, xml: str) -> int:
        return self.attachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def attachDeviceFlags(self, xml: str, flags: int = 0) -> int:
        self._write("virDomainAttachDeviceFlags")
        return hotplug.attach(self._host, self, xml, flags)

    def detachDevice(self, xml: str) -> int:
        return self.detachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def detachDeviceFlags(self, xml: str, flags: int = 0) -> int:
        self._write("virDomainDetachDeviceFlags")
        return hotplug.detach(self._host, self, xml, flags)

    def detachDeviceAlias(self, alias: str, flags: int = 0) -> int:
        self._write("virDomainDetachDeviceAlias")
        return hotplug.detach_alias(self._host, self, alias, flags)

    def updateDeviceFlags(self, xml: str, flags: int = 0) -> int:
        self._write("virDomainUpdateDeviceFlags")
        return hotplug.update(self._host, self, xml, flags)

    # ------------------------------------------------------------------ processors and memory
    def vcpus(self) -> tuple[list[tuple[int, ...]], list[tuple[bool, ...]]]:
        self._require_active()
        return processors.vcpus(self._host, self._real)

    def setVcpusFlags(self, nvcpus: int, flags: int = 0) -> int:
        self._write("virDomainSetVcpusFlags")
        return processors.in_each(self, flags, lambda one: self._real.setVcpusFlags(nvcpus, one))

    def setMemoryFlags(self, memory: int, flags: int = 0) -> int:
        self._write("virDomainSetMemoryFlags")
        return processors.set_memory(self._host, self, self._real, memory, flags)

    def pinVcpuFlags(self, vcpu: int, cpumap: Sequence[bool], flags: int = 0) -> int:
        self._write("virDomainPinVcpuFlags")
        return processors.pin(self._host, self, self._real, ("vcpupin", vcpu), cpumap, flags)

    def pinEmulator(self, cpumap: Sequence[bool], flags: int = 0) -> int:
        self._write("virDomainPinEmulator")
        return processors.pin(self._host, self, self._real, ("emulatorpin", None), cpumap, flags)

    def pinIOThread(self, iothread_id: int, cpumap: Sequence[bool], flags: int = 0) -> int:
        self._write("virDomainPinIOThread")
        thread = ("iothreadpin", iothread_id)
        return processors.pin(self._host, self, self._real, thread, cpumap, flags)

    def addIOThread(self, iothread_id: int, flags: int = 0) -> int:
        self._write("virDomainAddIOThread")
        return processors.in_each(self, flags, lambda one: self._real.addIOThread(iothread_id, one))

    def delIOThread(self, iothread_id: int, flags: int = 0) -> int:
        self._write("virDomainDelIOThread")
        self.guest.pins.pop(("iothreadpin", iothread_id), None)
        return processors.in_each(self, flags, lambda one: self._real.delIOThread(iothread_id, one))

    def setMemoryStatsPeriod(self, period: int, flags: int = 0) -> int:
        self._write("virDomainSetMemoryStatsPeriod")
        return hotplug.set_period(self._host, self, period, flags)

    def openConsole(self, dev_name: str | None, st: Any, flags: int = 0) -> int:
        self._write("virDomainOpenConsole")
        self._host.open_console(self._require_active(), dev_name, st, flags)
        return 0


def _made_up(target: Any) -> bool:
    return str(target.get("dev", "")).startswith("testnet")
