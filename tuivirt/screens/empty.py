"""What an empty list says: why it is empty, in libvirt's words, and what to do."""

from __future__ import annotations

from tuivirt.actions.advice import sentence
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import Link


def why_empty(fleet: Fleet, what: str, else_advice: str = "") -> str:
    """Lines for a list of ``what`` (a plural) that has no rows."""
    if not fleet.hosts:
        return f"No host, so no {what}.\n:host and + add one; -c URI or --demo start with one."
    if not fleet.in_use:
        names = ", ".join(fleet.hosts)
        return f"No host is connected, so there are no {what}.\n:host and c connect one: {names}"
    lines: list[str] = []
    for host in fleet.in_use:
        if host.link is Link.CONNECTING or (host.link is Link.CONNECTED and not host.filled):
            lines.append(f"Asking {host.name} …")
            if host.reason:  # Of a try that is under way.
                lines += [host.reason, sentence(host.advice)]
        elif host.link is not Link.CONNECTED and not host.filled:
            lines += [f"{host.name} ({host.uri}) is not connected.", host.reason]
            lines.append(sentence(host.advice))
    if not lines:
        lines = [f"There are no {what} here.", else_advice]
    return "\n".join(line for line in lines if line)
