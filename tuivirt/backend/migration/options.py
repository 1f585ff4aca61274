"""What can be asked of a migration, declared once: virsh's word, libvirt's flag or parameter.

The actions' parameters, the virsh command and what libvirt is given derive from it. Source:
virDomainMigrate3, https://libvirt.org/migration.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import libvirt

from ..errors import BadInput
from ..model.record import record

MOST_MIB_PER_S = (1 << 63) // (1 << 20) - 1
"""libvirt counts it as bytes in 64 bits with a sign."""
MOST_DOWNTIME_MS = 2_000_000
"""QEMU takes no longer one."""
IMAGES = "Images copied: "
"""Three options are one choice of a form: this is its label, and theirs begin so."""


@record(frozen=True, slots=True)
class Choice:
    """One option."""

    name: str
    help: str
    label: str = ""
    type: type = bool
    flag: int = 0
    """libvirt's flag, VIR_MIGRATE_*."""
    param: str = ""
    """libvirt's typed parameter; its value is the option's."""
    rare: bool = True
    """A form shows it among those that few need."""
    cli_only: bool = False
    """A form asks for it in its own way, or it follows from the domain."""
    minimum: int | None = None
    maximum: int | None = None
    ours: bool = False
    """virsh has no such option."""


CHOICES: tuple[Choice, ...] = (
    Choice("live", "while it runs; so it is for a guest that runs", flag=libvirt.VIR_MIGRATE_LIVE,
           cli_only=True),
    Choice("offline", "its configuration, while it is off; so it is for a guest that is off",
           flag=libvirt.VIR_MIGRATE_OFFLINE, cli_only=True),
    Choice("persistent", "define it on the target; so it is for a domain that is defined here",
           flag=libvirt.VIR_MIGRATE_PERSIST_DEST, cli_only=True),
    Choice("undefinesource", "undefine it here afterwards; so it is unless --keep is given",
           flag=libvirt.VIR_MIGRATE_UNDEFINE_SOURCE, cli_only=True),
    Choice("migrateuri", "where the memory is sent, as in tcp://10.0.0.2; the target says it else",
           "Memory goes to", str, param=libvirt.VIR_MIGRATE_PARAM_URI),
    Choice("keep", "leave its configuration here as well: see to it that only one is started",
           "Keep it defined here", ours=True),
    Choice("transient", "do not define it on the target: it is gone when it stops there",
           "Not defined there", ours=True),
    Choice("copy_storage_all", "copy the disks' images whole, over what may be there",
           IMAGES + "all, over what is there", flag=libvirt.VIR_MIGRATE_NON_SHARED_DISK,
           cli_only=True),
    Choice("copy_storage_inc", "copy what differs from the backing files, which are there already",
           IMAGES + "what differs from backing files", flag=libvirt.VIR_MIGRATE_NON_SHARED_INC,
           cli_only=True),
    Choice("shared_storage", "copy no image: the target has the same storage",
           IMAGES + "none, it is shared", cli_only=True, ours=True),
    Choice("bandwidth", "MiB/s at most", "Bandwidth, MiB/s", int,
           param=libvirt.VIR_MIGRATE_PARAM_BANDWIDTH, rare=False, minimum=1,
           maximum=MOST_MIB_PER_S),
    Choice("auto_converge", "slow the guest down when it changes memory faster than it is moved",
           "Auto-converge", flag=libvirt.VIR_MIGRATE_AUTO_CONVERGE, rare=False),
    Choice("max_downtime", "milliseconds for which the guest may stand still at the end",
           "Downtime at most, ms", int, minimum=1, maximum=MOST_DOWNTIME_MS, ours=True),
    Choice("postcopy", "allow it to be switched to post-copy: migrate-postcopy, or --timeout with"
           " --timeout-postcopy", "Allow post-copy", flag=libvirt.VIR_MIGRATE_POSTCOPY),
    Choice("timeout", "seconds after which the guest is paused, so that it comes to an end",
           "Pause it after, s", int, minimum=1),
    Choice("timeout_postcopy", "switch to post-copy after --timeout instead",
           "Post-copy after that"),
    Choice("timeout_suspend", "pause the guest after --timeout, as without it", cli_only=True),
    Choice("p2p", "let this host's daemon talk to the target's, not this program to both",
           "Peer to peer", flag=libvirt.VIR_MIGRATE_PEER2PEER),
    Choice("tunnelled", "through the daemons' own connection; peer to peer, and no image is copied",
           flag=libvirt.VIR_MIGRATE_TUNNELLED),
    Choice("desturi", "the target's URI as this host's daemon has to open it, for peer to peer",
           "Target's URI from here", str),
    Choice("listen_address", "the address on which the target listens", "Target listens on", str,
           param=libvirt.VIR_MIGRATE_PARAM_LISTEN_ADDRESS),
    Choice("dname", "its name on the target, where it is to be another", "Name there", str,
           param=libvirt.VIR_MIGRATE_PARAM_DEST_NAME),
    Choice("suspend", "leave it paused on the target", "Paused there",
           flag=libvirt.VIR_MIGRATE_PAUSED),
    Choice("compressed", "compress pages that repeat", flag=libvirt.VIR_MIGRATE_COMPRESSED),
    Choice("parallel", "over several connections", flag=libvirt.VIR_MIGRATE_PARALLEL),
    Choice("parallel_connections", "over how many", "Connections", int,
           param=libvirt.VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS, minimum=1, maximum=255),
    Choice("tls", "encrypted with TLS", "TLS", flag=libvirt.VIR_MIGRATE_TLS),
    Choice("abort_on_error", "give up at an error that could be gone on after",
           flag=libvirt.VIR_MIGRATE_ABORT_ON_ERROR),
    Choice("unsafe", "though libvirt calls it unsafe", "Though unsafe",
           flag=libvirt.VIR_MIGRATE_UNSAFE),
)  # fmt: skip
"""In the order of forms and help. ``dest`` is not among them: each action has its own."""

VIRSH = "".join(
    f"[{each.name}? --{each.name.replace('_', '-')}"
    + (" {" + each.name + "}" if each.type is not bool else "")
    + "]"
    for each in CHOICES
    if not each.ours and each.name not in ("desturi", "migrateuri")
)
"""The options in a template of the equivalent command."""

_EXCLUDING = (
    ("live", "offline"),
    ("persistent", "transient"),
    ("undefinesource", "keep"),
    ("copy_storage_all", "copy_storage_inc"),
    ("copy_storage_all", "shared_storage"),
    ("copy_storage_inc", "shared_storage"),
    ("timeout_suspend", "timeout_postcopy"),
    ("tunnelled", "copy_storage_all"),
    ("tunnelled", "copy_storage_inc"),
    ("tunnelled", "parallel"),
    ("tunnelled", "migrateuri"),
    ("tunnelled", "postcopy"),
    ("offline", "postcopy"),
)
_NEEDING = (
    ("timeout_suspend", "timeout"),
    ("timeout_postcopy", "timeout"),
    ("timeout_postcopy", "postcopy"),
    ("parallel_connections", "parallel"),
)


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where options cannot be right together."""

    def word(name: str) -> str:
        return "--" + name.replace("_", "-")

    for one, other in _EXCLUDING:
        if values.get(one) and values.get(other):
            raise BadInput(f"{word(one)} excludes {word(other)}")
    for one, other in _NEEDING:
        if values.get(one) and not values.get(other):
            raise BadInput(f"{word(one)} needs {word(other)}")
    for each in CHOICES:
        if each.maximum is not None:
            check_most(word(each.name), values.get(each.name), each.maximum)
    for name in ("migrateuri", "desturi"):
        uri = values.get(name)
        if uri and "://" not in uri:
            raise BadInput(f"{word(name)} cannot be {uri!r}", "it is a URI, as in tcp://10.0.0.2")


def check_most(what: str, value: int | str | None, most: int) -> None:
    """Raise BadInput for more than libvirt, or the hypervisor, can be told.

    A form's plan is made of what was typed: a number's text, or none.
    """
    if value and int(value) > most:
        raise BadInput(f"{what} cannot be {value}", f"the most is {most}")


def flags_of(values: Mapping[str, Any]) -> int:
    """libvirt's flags for what is switched on among ``values``."""
    flags = 0
    for each in CHOICES:
        if each.flag and values.get(each.name):
            flags |= each.flag
    return flags


def params_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """libvirt's typed parameters for what is given among ``values``."""
    return {
        each.param: values[each.name] for each in CHOICES if each.param and values.get(each.name)
    }


def settled(values: Mapping[str, Any], *, active: bool, persistent: bool) -> dict[str, Any]:
    """``values`` with what follows from the domain when nobody said otherwise.

    Raises BadInput where they do not fit its state.
    """
    check(values)
    if values.get("live") and not active:
        raise BadInput("it is off: it cannot be moved live", advice="leave --live out")
    if values.get("offline") and active:
        raise BadInput("it runs: it cannot be moved offline", advice="leave --offline out")
    if values.get("postcopy") and not active:
        raise BadInput("it is off: there is no memory for post-copy", advice="leave it out")
    chosen = dict(values)
    chosen["live"], chosen["offline"] = active, not active
    chosen["persistent"] = bool(
        values.get("persistent") or (persistent and not values.get("transient"))
    )
    if not active and not chosen["persistent"]:
        raise BadInput("it is off: on the target it can only be defined", advice="leave it out")
    chosen["undefinesource"] = persistent and not values.get("keep")
    chosen["p2p"] = bool(values.get("p2p") or values.get("tunnelled"))
    return chosen
