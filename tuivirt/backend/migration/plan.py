"""How a domain is moved: the steps in their order, made from what both hosts tell."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from ..model.migration import DiskMove, Image, MigrationPlan, SourceFacts, TargetFacts
from ..model.size import spelled
from ..uri import shown
from . import images
from .gather import facts
from .judge import judge
from .options import settled

if TYPE_CHECKING:
    from ..host import Host


def make_plan(source: Host, target: Host, uuid: str, values: Mapping[str, Any]) -> MigrationPlan:
    """The plan; nothing is changed. Raises BadInput for options that do not fit."""
    over = bool(values.get("copy_storage_all") or values.get("copy_storage_inc"))
    here, there = facts(source, target, uuid, values.get("dname") or "", over=over)
    return plan_of(here, there, values)


def plan_of(here: SourceFacts, there: TargetFacts, values: Mapping[str, Any]) -> MigrationPlan:
    """The plan by what is known. Raises BadInput for options that do not fit its state."""
    chosen = settled(values, active=here.active, persistent=here.persistent)
    if here.active and not (chosen.get("migrateuri") or chosen.get("tunnelled")):
        chosen["migrateuri"] = migrate_uri(there.reaches)
    moves = images.choose(here.disks, chosen)
    return MigrationPlan(
        domain=here.name,
        source=here.host,
        target=there.name,
        values=chosen,
        disks=moves,
        steps=tuple(_steps(here, there, moves, chosen)),
        findings=tuple(dict.fromkeys(judge(here, there, chosen, moves))),
    )


def migrate_uri(address: str) -> str | None:
    """Where the memory goes, by the address that the target was connected by.

    Only an IP address or a full name is taken: an alias of ssh's may mean nothing to the other
    host, and a port that is forwarded to this machine leads it to itself. None: the target says
    it itself, by its own name.
    """
    if _is_loopback(address):
        return None
    if ":" in address:
        return f"tcp://[{address}]"
    return f"tcp://{address}" if "." in address else None


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return address.lower() in ("localhost", "localhost.localdomain")


def _steps(
    here: SourceFacts,
    there: TargetFacts,
    moves: tuple[DiskMove, ...],
    values: Mapping[str, Any],
) -> list[str]:
    steps = []
    for move in moves:
        says = _image(move, here, there)
        if says:
            steps.append(says)
    name = f"{here.name} as {values['dname']}" if values.get("dname") else here.name
    if here.active:
        uri = values.get("migrateuri")
        way = f", by {shown(uri)}" if uri else ""
        how = "through the daemons" if values.get("tunnelled") else "live"
        daemon = f"; {here.host}'s daemon does it" if values.get("p2p") else ""
        steps.append(f"move the running {name} to {there.name}, {how}{way}{daemon}")
    else:
        steps.append(f"define {name} on {there.name}; it stays off")
    ends = []
    if here.active and values["persistent"]:
        ends.append(f"define it on {there.name}")
    if values["undefinesource"]:
        stay = (
            "; its images there stay, remove them when all is well"
            if any(m.disk.written for m in moves)
            else ""
        )
        ends.append(f"undefine it on {here.host}{stay}")
    if here.autostart and values["persistent"]:
        ends.append(f"have {there.name} start it with the host, as {here.host} does")
    return [*steps, *ends]


def _image(move: DiskMove, here: SourceFacts, there: TargetFacts) -> str:
    disk = move.disk
    if not disk.written:
        return ""
    size = "" if disk.capacity_bytes is None else f", {spelled(disk.capacity_bytes)}"
    if move.image is Image.COPY:
        return (
            f"make {disk.path} ({disk.format}{size}) on {there.name} and copy {disk.target} to it"
        )
    if move.image is Image.OVERWRITE:
        return f"copy {disk.target} over {disk.path} on {there.name}{size}"
    if move.image is Image.LOOK and disk.source_type == "file":
        folder = disk.path.rpartition("/")[0] or "/"
        return (
            f"look for {disk.path} on {there.name}, by a pool of {folder} made for that time; if it"
            f" is not there, make it ({disk.format}{size}) and copy {disk.target} to it"
        )
    if move.image is Image.SHARED:
        return f"leave {disk.path} where it is: both hosts have it"
    return ""
