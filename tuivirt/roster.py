"""Joins the hosts of a run with the settings file that they are kept in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.model.entry import HostEntry
from tuivirt.backend.roster import Roster
from tuivirt.hosts_file import CannotWrite, HostsFile
from tuivirt.settings import default_path
from tuivirt.wiring import Wiring

T = TypeVar("T")


class SettingsBook:
    """The settings file as a roster knows it."""

    def __init__(self, file: HostsFile) -> None:
        self._file = file

    def put(self, entry: HostEntry, before: str, *, keep_uri: bool) -> None:
        _told(lambda: self._file.put(entry, before, keep_uri=keep_uri))

    def drop(self, name: str) -> bool:
        return _told(lambda: self._file.drop(name))


def _told(write: Callable[[], T]) -> T:
    try:
        return write()
    except CannotWrite as error:
        raise TuivirtError(
            "the settings were not changed", f"{error}", "put the file right, then try again"
        ) from error


def roster_of(wiring: Wiring) -> Roster:
    """The roster of a run's hosts."""
    assert wiring.make is not None, "these hosts were not made by wiring"
    return Roster(
        wiring.hosts,
        wiring.uris,
        SettingsBook(HostsFile(default_path())),
        wiring.make,
        wiring.hub.publish,
        lasts=wiring.lasts,
    )
