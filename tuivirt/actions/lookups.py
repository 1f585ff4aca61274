"""What screens and the command line ask for, besides what the snapshot holds.

Each is called as ``function(host, …)`` on the host's look-ups lane.
"""

from __future__ import annotations

from tuivirt.backend.lookups import configs_of, disk_sizes, domain_detail, leases, volumes, xml_of
from tuivirt.backend.networks import running_users
from tuivirt.backend.undefine import Belongings, belongings

__all__ = [
    "Belongings",
    "belongings",
    "configs_of",
    "disk_sizes",
    "domain_detail",
    "leases",
    "running_users",
    "volumes",
    "xml_of",
]
