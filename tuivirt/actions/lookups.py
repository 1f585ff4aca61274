"""What screens and the command line ask for, besides what the snapshot holds.

Each is called as ``function(host, …)`` on the host's look-ups lane.
"""

from __future__ import annotations

from tuivirt.backend.lookups import domain_detail, leases, volumes, xml_of

__all__ = ["domain_detail", "leases", "volumes", "xml_of"]
