"""Every event family that libvirt-python offers for domains, networks, pools and node devices.

Each is declared once: its word, the constant that libvirt knows it by, the names of what its
callback is given, and how the happening is put into words. A family that this libvirt does
not know is left out; one that a driver refuses is told to the caller.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

import libvirt

from .errors import code_of
from .events import DomainEvent, LibvirtEvent, NetworkEvent, NodeDeviceEvent, PoolEvent
from .inventory import Together, in_turn
from .model.record import record

Detail = dict[str, str | int | bool | None]


@record(frozen=True, slots=True)
class Family:
    """One kind of event of one kind of object."""

    word: str
    constant: str
    fields: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """The happening's words, by the value of the first field."""
    reasons: tuple[tuple[str, ...], ...] = ()
    """For life cycles: by event, the words of the second field."""
    say: str = ""
    """How the happening is told when no word is; may name fields in braces."""
    quiet: bool = False
    """Nothing that the lists show can be different after it."""

    def describe(self, values: tuple[Any, ...]) -> tuple[str, Detail]:
        """What happened in words, and the detail by field name."""
        detail: Detail = {}
        for field, value in zip(self.fields, values, strict=False):
            if isinstance(value, (str, int, bool)) or value is None:
                detail[field] = value
            elif isinstance(value, dict):
                detail.update({str(k): _plain(v) for k, v in value.items()})
            else:
                detail[field] = str(value)
        what = self.say.format_map(_Blank(detail)) if self.say else self.word.replace("-", " ")
        if self.words and values and isinstance(values[0], int):
            what = _word(self.words, values[0])
            if self.reasons and len(values) > 1:
                known = self.reasons[values[0]] if 0 <= values[0] < len(self.reasons) else ()
                reason = _word(known, values[1]) if known else ""
                detail["reason"] = reason
                what = f"{what} ({reason})" if reason else what
        return what, detail


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def _plain(value: Any) -> str | int | bool | None:
    return value if isinstance(value, (str, int, bool)) or value is None else str(value)


def _word(words: tuple[str, ...], number: int) -> str:
    return words[number] if 0 <= number < len(words) else f"unknown ({number})"


_DOMAIN_LIFECYCLE = Family(
    "lifecycle",
    "VIR_DOMAIN_EVENT_ID_LIFECYCLE",
    ("event", "detail"),
    ("defined", "undefined", "started", "suspended", "resumed", "stopped", "shutdown",
     "pmsuspended", "crashed"),
    (
        ("added", "updated", "renamed", "from snapshot"),
        ("removed", "renamed"),
        ("booted", "migrated", "restored", "from snapshot", "wakeup", "recovered"),
        ("paused", "migrated", "I/O error", "watchdog", "restored", "from snapshot", "API error",
         "post-copy", "post-copy failed"),
        ("unpaused", "migrated", "from snapshot", "post-copy", "post-copy failed"),
        ("shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "from snapshot",
         "recreated"),
        ("finished", "guest", "host"),
        ("memory", "disk"),
        ("panicked", "crash loaded"),
    ),
)  # fmt: skip

DOMAIN_FAMILIES: tuple[Family, ...] = (
    _DOMAIN_LIFECYCLE,
    Family("reboot", "VIR_DOMAIN_EVENT_ID_REBOOT", say="rebooted"),
    Family("rtc-change", "VIR_DOMAIN_EVENT_ID_RTC_CHANGE", ("offset_s",),
           say="clock set, {offset_s} s from UTC", quiet=True),
    Family("watchdog", "VIR_DOMAIN_EVENT_ID_WATCHDOG", ("action",),
           ("watchdog fired: none", "watchdog fired: pause", "watchdog fired: reset",
            "watchdog fired: poweroff", "watchdog fired: shutdown", "watchdog fired: debug",
            "watchdog fired: inject NMI"), quiet=True),
    Family("io-error", "VIR_DOMAIN_EVENT_ID_IO_ERROR", ("path", "device", "action"),
           say="I/O error on {device}"),
    Family("graphics", "VIR_DOMAIN_EVENT_ID_GRAPHICS",
           ("phase", "local", "remote", "auth_scheme", "subject"),
           ("graphics client connected", "graphics client initialized",
            "graphics client disconnected"), quiet=True),
    Family("io-error-reason", "VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON",
           ("path", "device", "action", "reason"), say="I/O error on {device}: {reason}"),
    Family("control-error", "VIR_DOMAIN_EVENT_ID_CONTROL_ERROR",
           say="the hypervisor's monitor failed"),
    Family("block-job", "VIR_DOMAIN_EVENT_ID_BLOCK_JOB", ("path", "type", "status"),
           say="block job on {path}"),
    Family("disk-change", "VIR_DOMAIN_EVENT_ID_DISK_CHANGE",
           ("old_path", "new_path", "device", "reason"), say="medium of {device} changed"),
    Family("tray-change", "VIR_DOMAIN_EVENT_ID_TRAY_CHANGE", ("device", "reason"),
           say="tray of {device} moved"),
    Family("pmwakeup", "VIR_DOMAIN_EVENT_ID_PMWAKEUP", ("reason",), say="woke up"),
    Family("pmsuspend", "VIR_DOMAIN_EVENT_ID_PMSUSPEND", ("reason",), say="suspended to memory"),
    Family("balloon-change", "VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE", ("actual_kib",),
           say="memory is now {actual_kib} KiB"),
    Family("pmsuspend-disk", "VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK", ("reason",),
           say="suspended to disk"),
    Family("device-removed", "VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED", ("device",),
           say="device {device} removed"),
    Family("block-job-2", "VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2", ("disk", "type", "status"),
           say="block job on {disk}"),
    Family("tunable", "VIR_DOMAIN_EVENT_ID_TUNABLE", ("parameters",), say="tuning changed"),
    Family("agent-lifecycle", "VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE", ("state", "reason"),
           ("guest agent: unknown", "guest agent connected", "guest agent disconnected"),
           quiet=True),
    Family("device-added", "VIR_DOMAIN_EVENT_ID_DEVICE_ADDED", ("device",),
           say="device {device} added"),
    Family("migration-iteration", "VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION", ("iteration",),
           say="migration: iteration {iteration}", quiet=True),
    Family("job-completed", "VIR_DOMAIN_EVENT_ID_JOB_COMPLETED", ("parameters",),
           say="job completed", quiet=True),
    Family("device-removal-failed", "VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED", ("device",),
           say="the guest refused to let go of {device}"),
    Family("metadata-change", "VIR_DOMAIN_EVENT_ID_METADATA_CHANGE", ("type", "namespace"),
           say="metadata changed"),
    Family("block-threshold", "VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD",
           ("device", "path", "threshold_bytes", "excess_bytes"),
           say="{device} wrote past its threshold", quiet=True),
    Family("memory-failure", "VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE",
           ("recipient", "action", "flags"), say="memory failure", quiet=True),
    Family("memory-device-size-change", "VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE",
           ("device", "size_kib"), say="{device} is now {size_kib} KiB"),
    Family("nic-mac-change", "VIR_DOMAIN_EVENT_ID_NIC_MAC_CHANGE",
           ("device", "old_mac", "new_mac"), say="{device} has a new MAC"),
)  # fmt: skip

NETWORK_FAMILIES: tuple[Family, ...] = (
    Family("lifecycle", "VIR_NETWORK_EVENT_ID_LIFECYCLE", ("event", "detail"),
           ("defined", "undefined", "started", "stopped")),
    Family("metadata-change", "VIR_NETWORK_EVENT_ID_METADATA_CHANGE", ("type", "namespace"),
           say="metadata changed"),
)  # fmt: skip

POOL_FAMILIES: tuple[Family, ...] = (
    Family("lifecycle", "VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE", ("event", "detail"),
           ("defined", "undefined", "started", "stopped", "created", "deleted")),
    Family("refresh", "VIR_STORAGE_POOL_EVENT_ID_REFRESH", say="refreshed"),
)  # fmt: skip

NODE_DEVICE_FAMILIES: tuple[Family, ...] = (
    Family("lifecycle", "VIR_NODE_DEVICE_EVENT_ID_LIFECYCLE", ("event", "detail"),
           ("created", "deleted", "defined", "undefined")),
    Family("update", "VIR_NODE_DEVICE_EVENT_ID_UPDATE", say="changed"),
)  # fmt: skip


@record(frozen=True, slots=True)
class Source:
    """One kind of object whose events a connection can tell."""

    object: str
    register: str
    deregister: str
    families: tuple[Family, ...]
    event: type[LibvirtEvent]
    keyed_by_uuid: bool = True


SOURCES: tuple[Source, ...] = (
    Source("domain", "domainEventRegisterAny", "domainEventDeregisterAny",
           DOMAIN_FAMILIES, DomainEvent),
    Source("network", "networkEventRegisterAny", "networkEventDeregisterAny",
           NETWORK_FAMILIES, NetworkEvent),
    Source("storage pool", "storagePoolEventRegisterAny", "storagePoolEventDeregisterAny",
           POOL_FAMILIES, PoolEvent),
    Source("node device", "nodeDeviceEventRegisterAny", "nodeDeviceEventDeregisterAny",
           NODE_DEVICE_FAMILIES, NodeDeviceEvent, keyed_by_uuid=False),
)  # fmt: skip

QUIET = frozenset(
    (source.event, family.word) for source in SOURCES for family in source.families if family.quiet
)
"""The event and word of each family after which the lists need no second look."""


class Registrations:
    """The event registrations of one connection."""

    def __init__(self, conn: Any, host: str, publish: Callable[[LibvirtEvent], None]) -> None:
        self._conn = conn
        self._host = host
        self._publish = publish
        self._ids: list[tuple[str, int]] = []
        self._without: set[str] = set()
        """Objects of which this driver tells nothing at all."""
        self.refused: list[str] = []
        """Objects of which this driver tells no life cycle, with libvirt's reason."""

    def register_all(
        self, sources: tuple[Source, ...] = SOURCES, together: Together = in_turn
    ) -> None:
        """Ask for every family. Source: virConnectDomainEventRegisterAny and its siblings."""
        known = [
            (source, family, number)
            for source in sources
            for family in source.families
            if (number := getattr(libvirt, family.constant, None)) is not None
        ]
        answers = together([partial(self._register, *each) for each in known])
        for (source, family, _number), error in zip(known, answers, strict=True):
            # Old daemons and small drivers know fewer families; only the loss of a whole
            # object's life cycle matters to the operator.
            if error is not None and family.word == "lifecycle":
                self.refused.append(f"{source.object} events ({error})")

    def _register(self, source: Source, family: Family, number: int) -> libvirt.libvirtError | None:
        if source.object in self._without:
            return None
        try:
            register = getattr(self._conn, source.register)
            found = register(None, number, self._callback(source, family), None)
        except libvirt.libvirtError as error:
            if family.word == "lifecycle" and code_of(error) == libvirt.VIR_ERR_NO_SUPPORT:
                self._without.add(source.object)
            return error
        self._ids.append((source.deregister, found))
        return None

    def _callback(self, source: Source, family: Family) -> Callable[..., None]:
        make, host, publish = source.event, self._host, self._publish
        uuid = source.keyed_by_uuid

        def called(_conn: Any, thing: Any, *rest: Any) -> None:
            what, detail = family.describe(rest[:-1])
            name = thing.name()
            publish(
                make(
                    host=host,
                    family=family.word,
                    what=what,
                    name=name,
                    key=thing.UUIDString() if uuid else name,
                    detail=detail,
                )
            )

        return called

    def deregister_all(self) -> None:
        """Give them all back; each holds its connection open on our side, even a dead one."""
        ids, self._ids = self._ids, []
        for deregister, number in ids:
            # A daemon that is gone cannot be told, but our side of it is given back first.
            with contextlib.suppress(libvirt.libvirtError):
                getattr(self._conn, deregister)(number)
