"""``tuivirt list hosts``, and the verbs that add, change, try and remove a host."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tuivirt import wiring
from tuivirt.actions.advice import in_options
from tuivirt.actions.registry import Action
from tuivirt.actions.runner import Tasks
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.events import EventHub
from tuivirt.backend.host import Host
from tuivirt.backend.model.entry import HostEntry
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.widgets.text import natural, size

from .output import DONE, FAILED, advised, complain, listing, say, to_json
from .records import Record, state_word
from .verbs import run_one

_COLUMNS = (
    ("NAME", "name"),
    ("STATE", "state"),
    ("GROUP", "group"),
    ("TAGS", "tags"),
    ("CPUS", "cpus"),
    ("MEM", "memory_kib"),
    ("DOMAINS", "running"),
    ("LIBVIRT", "libvirt_version"),
    ("URI", "uri"),
)


def list_hosts(
    hosts: Sequence[Host], *, as_json: bool, tags: Collection[str] = (), group: str | None = None
) -> int:
    """Print the hosts of the run and of the settings, by name; the exit status.

    ``tags`` and ``group`` leave only those that have all of them, and belong there.
    """
    records = sorted(
        (host_record(host.snapshot, readonly=host.readonly) for host in hosts),
        key=lambda record: natural(record["name"]),
    )
    records = [
        record
        for record in records
        if group in (None, record["group"]) and set(tags) <= set(record["tags"])
    ]
    if as_json:
        say(to_json(records))
        return DONE
    shown = [
        {
            **record,
            "memory_kib": size(record["memory_kib"]) if record["memory_kib"] else None,
            "running": _running(record),
        }
        for record in records
    ]
    say(listing(shown, _COLUMNS, ("CPUS", "MEM", "DOMAINS")))
    return DONE


def _running(record: Record) -> str:
    domains = record["domains"]
    on = domains.get("running", 0) + domains.get("idle", 0)
    return f"{on}/{sum(domains.values())}" if record["state"] == "connected" else ""


def host_record(host: HostSnapshot, *, readonly: bool) -> Record:
    """A host as the JSON has it; ``state``, as each list has one, is that of the ``link`` to it."""
    entry, info = host.entry, host.info
    states: dict[str, int] = {}
    for domain in host.domains.values():
        word = state_word(domain)
        states[word] = states.get(word, 0) + 1
    on = [domain for domain in host.domains.values() if domain.active]
    return {
        "name": host.name,
        "host": host.name,
        "uri": host.uri,
        "state": host.link.value,
        "link": host.link.value,
        "reason": host.reason,
        "group": entry.group if entry is not None else "",
        "tags": list(entry.tags) if entry is not None else [],
        "readonly": readonly,
        "colour": host.colour,
        "connect": entry.connect if entry is not None else host.link is not Link.CLOSED,
        "in_settings": entry is not None,
        "hostname": info.hostname if info else "",
        "hypervisor": info.hypervisor if info else "",
        "hypervisor_version": info.hypervisor_version if info else "",
        "libvirt_version": info.libvirt_version if info else "",
        "cpus": info.cpus if info else None,
        "memory_kib": info.memory_kib if info else None,
        "domains": states,
        "vcpus_given": sum(domain.vcpus or 0 for domain in on),
        "memory_given_kib": sum(domain.memory_kib or 0 for domain in on),
    }


def run_on_hosts(
    action: Action,
    given: argparse.Namespace,
    values: Mapping[str, Any],
    hub: EventHub,
    entries: Sequence[HostEntry],
) -> int:
    """Do it to each host that is named, none of which is connected for it; the exit status."""
    uris = [word for word in given.objects if "://" in word]
    wired = wiring.connect(
        hub,
        [*given.connect, *uris],
        demo=given.demo,
        readonly=given.readonly,
        sampling=False,
        entries=entries,
        only=(),
    )
    tasks = Tasks(hub.publish, lambda: wired.roster)
    as_json = given.output == "json"
    status = DONE
    try:
        if action.new:
            ref = Ref("", action.object, "")
            name = str(values.get("name", ""))
            return (
                DONE if run_one(tasks, action, tasks.desk, ref, name, values, as_json) else FAILED
            )
        by_uri = {uri: name for name, uri in wired.uris.items()}
        for word in given.objects:
            name = by_uri.get(word, word)
            try:
                host = wired.roster.host(name)
                refusal = action.refusal(host.snapshot)
                if refusal:
                    raise TuivirtError(f"cannot {action.name} {name}", refusal)
                ref = Ref(name, Kind.HOST, name)
                if not run_one(tasks, action, host, ref, name, values, as_json):
                    status = FAILED
            except TuivirtError as error:
                complain(advised(str(error), in_options(error.advice, action)))
                status = FAILED
        return status
    finally:
        wired.close()
