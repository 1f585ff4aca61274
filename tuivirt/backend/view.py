"""What the operator looks at: the sampler takes everything for these domains, each tick."""

from __future__ import annotations

from .model.record import record


@record(frozen=True, slots=True)
class View:
    """The domains of one host that are on the screen or marked."""

    domains: frozenset[str] = frozenset()
    """UUIDs."""
    focus: str | None = None
    """UUID of the domain whose detail is open: it also gets per-vCPU figures and a long history."""
