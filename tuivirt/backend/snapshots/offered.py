"""What can be chosen for a snapshot of a domain, known before anything is chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..lookups import domain_detail
from ..model.finding import Finding, Weight
from ..xml.snapshot import nvram_format, why_no_agent
from . import judge

if TYPE_CHECKING:
    from ..host import Host


def facts_of(host: Host, uuid: str) -> judge.Facts:
    """What decides about a domain's snapshots now. Raises TuivirtError."""
    detail = domain_detail(host, uuid)
    info = host.snapshot.info
    xml = detail.live_xml or detail.saved_xml
    return judge.Facts(
        detail.current,
        detail.live is not None,
        info.libvirt_version if info is not None else "",
        why_no_agent(xml),
        nvram_format(xml),
    )


def refused(facts: judge.Facts, values: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """By option and choice (of a flag: ``yes``) why it cannot be beside the other ``values``."""
    left_out = frozenset(re.findall(r"[^\s,]+", str(values.get("leave_out") or "")))
    disks = judge.taken_disks(facts.config, left_out)
    said = {
        ("kind", "internal"): _why(judge.against_internal(facts, left_out)),
        ("kind", "external"): _why(judge.against_external(disks)),
        ("memory", "yes"): _why(judge.against_memory(facts)),
        ("quiesce", "yes"): _why(judge.against_quiescing(facts)),
        ("live", "yes"): "" if facts.active else "it is off: there is no memory to be taken",
    }
    if values.get("kind") == "internal":
        beside = dict.fromkeys(("memory", "quiesce", "live"), "only of an external one")
        if facts.active:
            beside["memory"] = "an internal one takes it in any case"
    else:
        beside = {
            "quiesce": "its memory knows what is not on the disks" if values.get("memory") else "",
            "live": "" if values.get("memory") else "only with its memory",
        }
    for option, why in beside.items():
        said[option, "yes"] = said[option, "yes"] or why
    return {choice: why for choice, why in said.items() if why}


def _why(findings: list[Finding]) -> str:
    return next((each.text for each in findings if each.weight is Weight.REFUSED), "")
