"""What can be done with a volume, wished for on its pool with the volume filled in."""

from __future__ import annotations

import importlib
from typing import Any

from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.resources import Pool, Volume
from tuivirt.widgets.menu import Choice, Menu
from tuivirt.widgets.text import natural, plain

from .base import FleetScreen

_KEYS = {"vol-info": "enter", "vol-create": "plus", "vol-delete": "ctrl+d"}
_ON_TOP = "on top"
_ATTACH = "attach"
_POOL = "pool"


def wish(screen: FleetScreen, name: str, pool: Ref, volume: str = "") -> None:
    """Wish for an action on a pool's volume; one that makes a volume is given none."""
    values: dict[str, Any] = {"vol": volume} if volume and name != "vol-create" else {}
    screen.joint.act(name, (pool,), values)


def open_menu(
    screen: FleetScreen, pool: Ref, volume: Volume | None, *, details: bool = True
) -> None:
    """The menu of a volume; without one, of what makes one. ``details``: they can be gone to."""
    from tuivirt.actions.volumes import of_volumes

    called = volume.name if volume is not None else ""
    thing = screen.fleet.find(pool)
    host = screen.fleet.hosts.get(pool.host)
    choices = []
    for action in of_volumes():
        if volume is None and action.name != "vol-create":
            continue
        if action.name == "vol-info" and not details:
            continue
        refusal = action.refusal(thing, host) if isinstance(thing, Pool) else "its pool is gone"
        choices.append(Choice(action.name, action.title, _KEYS.get(action.name, ""), refusal))
        if action.name == "vol-create" and volume is not None:
            choices.append(Choice(_ON_TOP, "Make a volume on top of it", "", refusal))
    if volume is not None:
        choices.append(Choice(_ATTACH, "Attach it to a domain…"))
    choices.append(Choice(_POOL, "Its pool…"))

    def chosen(name: str | None) -> None:
        if name == _POOL:
            open_pool_menu(screen, (pool,))
        elif name == _ATTACH and volume is not None:
            attach(screen, pool, volume)
        elif name == _ON_TOP:
            values = {"backing_vol": called, "format": "qcow2"}
            screen.joint.act("vol-create", (pool,), values)
        elif name == "vol-info" and volume is not None:
            show_details(screen, pool, volume)
        elif name is not None:
            wish(screen, name, pool, called)

    title = f"Volume {plain(called)}" if called else "Volumes"
    screen.app.push_screen(Menu(title, choices), chosen)


def attach(screen: FleetScreen, pool: Ref, volume: Volume) -> None:
    """Ask which domain of its host gets it; then comes the form of a new disk, filled in."""
    from tuivirt.actions.catalog import find_action

    action = find_action("attach-disk")
    assert action is not None
    host = screen.fleet.hosts.get(pool.host)
    domains = host.domains.values() if host is not None else ()
    choices = [
        Choice(
            domain.uuid,
            plain(domain.name),
            refusal=action.refusal(domain, host),
            note=domain.state.word + ("; has it" if domain.name in volume.users else ""),
        )
        for domain in sorted(domains, key=lambda domain: natural(domain.name))
    ]
    if not choices:
        screen.say(f"there is no domain on {pool.host}", "warning")
        return

    def chosen(uuid: str | None) -> None:
        if uuid is not None:
            values = {"source": f"{volume.pool}/{volume.name}"}
            if volume.format == "iso":
                values["type"] = "cdrom"
            screen.joint.act("attach-disk", (Ref(pool.host, Kind.DOMAIN, uuid),), values)

    menu = Menu(f"Attach {plain(volume.name)} to", choices, search=True)
    screen.app.push_screen(menu, chosen)


def open_pool_menu(screen: FleetScreen, pools: tuple[Ref, ...]) -> None:
    """All that can be done to a pool: those without a key are declared first."""
    for name in ("pool_making", "volumes"):
        importlib.import_module(f"tuivirt.actions.{name}")
    screen.joint.open_menu(pools)


def show_details(screen: FleetScreen, pool: Ref, volume: Volume) -> None:
    """What there is to say of one volume, on a screen of its own."""
    from .volume import VolumeScreen

    screen.app.push_screen(VolumeScreen(pool, volume))


class Changes:
    """Whether something was done to a pool since it was read."""

    def __init__(self) -> None:
        self._known: tuple[object, object] | None = None

    def are_new(self, fleet: Fleet, pool: Ref) -> bool:
        """Whether libvirt told of it, or a task on it ended, since this was asked last."""
        ended = [task.id for task in fleet.tasks if task.target == pool and task.ended is not None]
        now = (fleet.find(pool), ended[-1:])
        before, self._known = self._known, now
        return before is None or before[0] is not now[0] or before[1] != now[1]

    def forget(self) -> None:
        """It is to be read again in any case."""
        self._known = None
