"""The finder of who has an image: one look at the domains of all hosts, and at what lies where."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import libvirt

from ..errors import Silent, from_libvirt
from ..here import is_here
from ..model.host import Link
from ..model.resources import Volume
from ..uri import is_local
from .below import ALONE, Below
from .lying import Lying
from .machine import by_machine
from .named import Named
from .names import Names, mapped, on_server
from .shared import Shared
from .survey import OF_FILES, Having, PoolNow, ask, having_of, pools_of, survey
from .telling import not_known, not_sure, once, use_of
from .usage import Usage, Use

if TYPE_CHECKING:
    from ..host import Host

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about."""

    path: str
    key: Hashable
    pool: str = ""
    volume: str = ""


class Finder:
    """Who has the images of a host at one moment; nothing is read anew once it was.

    The domains of ``host`` and of all hosts on the same machine are asked; those of other
    machines where what is asked about lies on storage that they share. ``here``: what is asked
    about is this machine's, wherever ``host`` is. ``fresh``: pools of another machine are looked
    at again first. ``overlays``: other images that lie on what is asked about are looked for as
    well. Raises TuivirtError where ``host`` itself cannot tell.

    Source: virConnectListAllDomains, both configurations of each, the heads of images, of another
    machine the volumes of all pools, /sys and /proc.
    """

    def __init__(
        self, host: Host, *, here: bool = False, fresh: bool = True, overlays: bool = True
    ) -> None:
        self._host, self._fresh, self._overlays = host, fresh, overlays
        self._here = here or is_here(host)
        self.names = Names(here=self._here)
        started = dict.fromkeys((host, *host.started()))
        own = [each for each in started if _is_own(each)] if self._here else [host]
        self._others = [each for each in started if each not in own]
        self._far: dict[Host, list[Having] | str] = {}
        self._lost: list[str] = []
        self._having: list[Having] = []
        self._pools: list[PoolNow] = []
        self._lying: Lying | None = None
        self._read_volumes: dict[tuple[Host, str], list[Volume]] = {}
        self._far_volumes: dict[Host, list[Volume] | str] = {}
        self._stale: list[str] = []
        self._below = Below(host.conn if host in own else None, self.names, self._is_here)
        try:
            self._read(host, own)
        except libvirt.libvirtError as error:
            raise from_libvirt(error, "cannot tell who has an image") from error
        except Silent as error:
            raise Silent("cannot tell who has an image", str(error), error.advice) from error
        self._shared = Shared(self._pools, here=self._here)

    def _read(self, host: Host, own: list[Host]) -> None:
        if host in own:
            self._pools += pools_of(host)
            if not self._here and self._overlays:
                self._below.tell(each for pool in self._pools for each in self._volumes(pool))
            self._having += having_of(host, self._below)
        beside = [each for each in own if each is not host]
        found, failed = ask(
            beside, lambda each: (pools_of(each), survey(each, self.names, self._is_here))
        )
        for pools, having in found.values():
            self._pools += pools
            self._having += having
        self._lost += [f"host {each.name} {why}" for each, why in failed.items()]

    def _is_here(self, _path: str) -> bool:
        return self._here

    def _volumes(self, pool: PoolNow) -> list[Volume]:
        """What is in a pool of this machine, or of ``host``."""
        key = (pool.host, pool.name)
        if key not in self._read_volumes:
            self._read_volumes[key] = []
            if pool.active:
                volumes, old = self._asked(pool)
                self._read_volumes[key] = volumes
                if old:
                    said = f"pool {pool.name} could not be looked at again ({old})"
                    self._stale.append(f"{said}: images may be in it that are not known")
        return self._read_volumes[key]

    def _asked(self, pool: PoolNow) -> tuple[list[Volume], str]:
        if pool.host is self._host:
            return pool.volumes(fresh=self._fresh)
        found, failed = ask([pool.host], lambda _host: pool.volumes(fresh=False))
        return found.get(pool.host, ([], f"host {pool.host.name} {failed.get(pool.host)}"))

    def images_of(self, uuid: str) -> tuple[str, ...]:
        """All images that a domain of this machine, or of ``host``, has, and those below them.

        Not what its snapshots alone keep.
        """
        own = [e for e in self._having if e.named.uuid == uuid and not e.named.snapshot]
        paths = (path for each in own for path in (each.named.path, *each.below))
        return tuple(dict.fromkeys(path for path in paths if path))

    def within(
        self, has: Callable[[Named, str], bool], paths: Iterable[str]
    ) -> tuple[tuple[Use, ...], tuple[str, ...], tuple[str, ...]]:
        """The uses of images of which ``has`` holds, by what names it and its path; what others lie
        on and is not known, sentences; why the domains of hosts are not known, a clause each.

        ``paths``: by such ones other machines may have those images as well.
        """
        far, lost = self._have_elsewhere(paths)
        uses: list[Use] = []
        unseen: list[str] = []
        for each in self._having:
            if any(has(each.named, path) for path in (each.named.path, *each.below)):
                uses.append(use_of(each.named, "", below=False))
            else:
                unseen += not_known(each, "")
        own = {self._told(each.named) for each in self._having}
        for host, having in far.items():
            theirs = Shared(host.snapshot.pools.values(), here=False)
            for each in having:
                if self._told(each.named) in own:
                    continue
                # A pool of theirs that has the same name is another.
                named = replace(each.named, volume=("", ""))
                at = [path for path in (named.path, *each.below) if path]
                there = {path: self._shared.called(path, theirs) for path in at}
                found = [path for path in at if there[path] and has(named, there[path])]
                doubts = self._shared.doubts(found, theirs)
                unseen += not_sure(named, host.name, doubts)
                if found and len(doubts) < len(found):
                    uses.append(use_of(named, host.name, below=False))
                elif not doubts:
                    unseen += not_known(each, host.name)
        return tuple(uses), tuple(unseen), tuple(lost)

    # -- one image ----------------------------------------------------------------------------

    def of(self, path: str, *, pool: str = "", volume: str = "") -> Usage:
        """Who has the image at this path; of a volume also by its pool and name."""
        asked = Asked(path, self.names(path), pool, volume)
        unseen: list[str] = []
        uses = self._by_domains(asked, self._having, "", unseen)
        far, lost = self._have_elsewhere((path,))
        away = [f"{why}: whether its domains have {path} is not known" for why in lost]
        for each, found in far.items():
            uses += self._by_far_domains(asked, found, each, unseen, away)
        machine: tuple[str, ...] = ()
        if self._here and path.startswith("/") and os.path.lexists(path):
            machine = tuple(dict.fromkeys(by_machine(os.path.realpath(path))))
        usage = Usage(path, tuple(once(uses)), machine=machine, away=tuple(away))
        return self._with_overlays(usage, asked, unseen) if self._overlays else usage

    def _by_domains(
        self, asked: Asked, having: list[Having], host: str, unseen: list[str]
    ) -> list[Use]:
        found = []
        for each in having:
            named = each.named
            by_name = bool(asked.volume) and named.volume == (asked.pool, asked.volume)
            if by_name or (named.path and self._is_that(asked, named.path)):
                found.append(use_of(named, host, below=False))
            elif any(self.names(path) == asked.key for path in each.below):
                found.append(use_of(named, host, below=True))
            else:
                unseen += not_known(each, host)
                unseen += self._maybe(asked, named)
        return found

    def _is_that(self, asked: Asked, path: str) -> bool:
        """A LUN that a domain reaches by itself is the device that this machine has of it."""
        if self.names(path) == asked.key:
            return True
        differ = path.startswith("/") != asked.path.startswith("/")
        return differ and on_server(path) == on_server(asked.path)

    def _maybe(self, asked: Asked, named: Named) -> Iterator[str]:
        """Of another machine a device is known by its names only, and may have several."""
        strange = not self._here and named.path != asked.path and asked.path.startswith("/dev/")
        if strange and named.path.startswith("/dev/dm-"):
            yield f"{named.what} of {named.domain} is {named.path}, which may be {asked.path}"

    # -- hosts on other machines --------------------------------------------------------------

    def _elsewhere(self, path: str) -> Iterator[Host]:
        """The hosts that may have it as well."""
        if not path:
            return
        own = self._shared.has(path)
        for each in self._others:
            if own or Shared(each.snapshot.pools.values(), here=False).has(path):
                info = each.snapshot.info
                if info is None or not info.demo:
                    yield each

    def _have_elsewhere(self, paths: Iterable[str]) -> tuple[dict[Host, list[Having]], list[str]]:
        """What the domains of those hosts have; why that of others is not known, a clause each."""
        wanted = list(dict.fromkeys(paths))
        hosts = dict.fromkeys(each for path in wanted for each in self._elsewhere(path))
        told = _ask_once(
            hosts, self._far, lambda each: survey(each, Names(here=False), self._is_readable)
        )
        lost = [f"host {each.name} {why}" for each, why in told.items() if isinstance(why, str)]
        ended = dict.fromkeys(why for path in wanted for why in self._ended(path))
        having = {each: found for each, found in told.items() if not isinstance(found, str)}
        return having, [*self._lost, *lost, *ended]

    def _is_readable(self, path: str) -> bool:
        return self._here and self._shared.has(path)

    def _by_far_domains(
        self,
        asked: Asked,
        having: list[Having],
        host: Host,
        unseen: list[str],
        away: list[str],
    ) -> list[Use]:
        theirs = Shared(host.snapshot.pools.values(), here=False)
        own = {self._told(each.named) for each in self._having}
        found = []
        for each in having:
            named = each.named
            if self._told(named) in own:
                continue  # The same daemon by another way, or the same domain.
            same = [e for e in (named.path, *each.below) if self._is_same(asked, e, theirs)]
            doubts = self._shared.doubts(same, theirs)
            away += not_sure(named, host.name, doubts)
            if named.path in same and named.path not in doubts:
                if named.path.startswith("/") or self._is_served(asked, named):
                    found.append(use_of(named, host.name, below=False))
                else:
                    unseen.append(
                        f"{named.what} of {named.domain} on host {host.name} is {named.path} of "
                        f"{', '.join(sorted(named.servers)) or 'a server'}, which may be the same"
                    )
            elif len(doubts) < len(same):
                found.append(use_of(named, host.name, below=True))
            elif not doubts:
                unseen += not_known(each, host.name)
        return found

    def _told(self, named: Named) -> Hashable:
        """What is the same where one domain is told of twice."""
        return named.uuid, named.what, named.live, self.names(named.path)

    def _is_same(self, asked: Asked, path: str, theirs: Shared) -> bool:
        if not path:
            return False
        if not asked.path.startswith("/") or not path.startswith("/"):
            return on_server(asked.path) == on_server(path)
        place = self._shared.place(asked.path)
        if place is not None and place == theirs.place(path):
            return True
        if not (path := self._shared.called(path, theirs)):
            return False
        same = mapped(path) == mapped(asked.path) or self.names(path) == asked.key
        return same and (self._shared.has(asked.path) or theirs.has(path))

    def _is_served(self, asked: Asked, named: Named) -> bool:
        """Whether it is on the same server as the volume."""
        pool = next((each for each in self._pools if each.name == asked.pool), None)
        source = pool.source if pool is not None else ""
        hosts = {word.partition(":")[0] for word in re.split(r"[, ]", source)}
        return bool(named.servers & hosts)

    def _ended(self, path: str) -> Iterator[str]:
        for name, pools in tuple(self._host.ended.items()):
            if Shared(pools.values(), here=False).has(path) and path.startswith("/"):
                yield f"host {name} is disconnected"

    # -- what lies on it ----------------------------------------------------------------------

    def _with_overlays(self, usage: Usage, asked: Asked, unseen: list[str]) -> Usage:
        lying = self._looked(asked)
        unseen += [text for key, text in lying.unseen if key != asked.key]
        direct = lying.directly(asked.path)
        above = lying.above(asked.path, self._below.under(asked.path)[0])
        far = list(self._far_overlays(asked, {each.path for each in direct}, unseen))
        return Usage(
            usage.path,
            usage.domains,
            (*sorted(each.path for each in direct), *far),
            usage.machine,
            tuple(sorted({each.volume for each in above if each.volume})),
            (*sorted({each.path for each in above if not each.volume}), *far),
            usage.away,
            tuple(dict.fromkeys((*unseen, *self._stale))),
        )

    def _far_overlays(self, asked: Asked, known: set[str], unseen: list[str]) -> Iterator[str]:
        """Volumes of hosts on other machines that lie on what they share with this one."""
        # That one does not answer is told.
        answering = self._have_elsewhere((asked.path,))[0]
        for each, volumes in _ask_once(answering, self._far_volumes, _all_volumes).items():
            if isinstance(volumes, str):
                unseen.append(f"host {each.name} {volumes}: its volumes may lie on {asked.path}")
                continue
            theirs = Shared(each.snapshot.pools.values(), here=False)
            for volume in volumes:
                if self._is_same(asked, volume.backing, theirs) and volume.path not in known:
                    yield f"{volume.path} on host {each.name}"

    def _looked(self, asked: Asked) -> Lying:
        if self._lying is None:
            disks = [each.named for each in self._having if each.named.disk]
            raw = {self.names(each.path) for each in disks if each.path and each.form in ALONE}
            self._lying = Lying(self.names, raw, self._asked)
            self._look_at_pools(self._lying)
            for having in self._having if self._here else ():
                if having.named.disk:
                    self._look_beside((having.named.path, *having.below))
        if self._here and asked.path.startswith("/"):
            self._look_beside((asked.path, os.path.realpath(asked.path)))
        return self._lying

    def _look_beside(self, paths: tuple[str, ...]) -> None:
        assert self._lying is not None
        for path in paths:
            if path.startswith("/") and not path.startswith("/dev/"):
                self._lying.look_in(os.path.dirname(path), self._pools)

    def _look_at_pools(self, lying: Lying) -> None:
        for pool in self._pools:
            if self._here and pool.type in OF_FILES:
                if pool.path:
                    lying.look_in(pool.path, self._pools)
                continue
            for volume in self._volumes(pool):
                if self._here and volume.path.startswith("/dev/"):
                    lying.look_at(volume, pool)
                else:
                    lying.tell(volume, pool)


def _is_own(host: Host) -> bool:
    """Whether it is this machine, also while it is not known yet."""
    now = host.snapshot
    return is_here(host) or (
        now.info is None and now.link is Link.CONNECTING and is_local(host.uri)
    )


def _ask_once(
    hosts: Iterable[Host], known: dict[Host, list[T] | str], call: Callable[[Host], list[T]]
) -> dict[Host, list[T] | str]:
    """What each tells, or why it does not; those that are not ``known`` are asked all together."""
    hosts = list(hosts)
    found, failed = ask([each for each in hosts if each not in known], call)
    known |= {**found, **failed}
    return {each: known[each] for each in hosts}


def _all_volumes(host: Host) -> list[Volume]:
    pools = (each for each in pools_of(host) if each.active)
    return [volume for pool in pools for volume in pool.volumes(fresh=False)[0]]
