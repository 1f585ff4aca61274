"""The operator's settings: ``$XDG_CONFIG_HOME/tuivirt/config.toml``.

    interval = 2.0              # seconds between two samples, 0.5 to 60
    ascii = false               # no marks, frames and bars beyond ASCII
    slow = false                # for a slow line: fewer frames and colours, no little bars

    [keys]                      # binding id = key, or several with commas
    "table.down" = "down,n"
    "shutdown" = "ctrl+x"

    [[hosts]]                   # see hosts_settings.py
    name = "srv1"
    uri = "qemu+ssh://root@srv1/system"

What is wrong in it is told, and the default holds in its place; nothing else is lost.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuivirt.backend.model.entry import HostEntry

LEAST_INTERVAL_S, DEFAULT_INTERVAL_S, GREATEST_INTERVAL_S = 0.5, 2.0, 60.0

_KNOWN = ("interval", "ascii", "slow", "keys", "hosts")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the file says, or the defaults."""

    interval: float = DEFAULT_INTERVAL_S
    """Seconds between two samples."""
    ascii: bool = False
    """Draw marks, frames, bars and charts in ASCII."""
    slow: bool = False
    """Send less to the terminal: figures once a second, no bars and charts, few colours."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Binding id to its keys in Textual's notation, with commas between."""
    hosts: tuple[HostEntry, ...] = ()
    """In the order of the file."""
    problems: tuple[str, ...] = ()
    """What was wrong in the file, one sentence each."""

    def drawn(self, *, ascii: bool, slow: bool) -> Settings:
        """These, with what the command line asks for besides."""
        return replace(self, ascii=self.ascii or ascii, slow=self.slow or slow)


def default_path() -> Path:
    """Where the settings lie."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Path(base) / "tuivirt" / "config.toml"


def load(path: Path | None = None) -> Settings:
    """Read the settings; a file that is not there is no problem, everything else is told."""
    path = path or default_path()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        return Settings(problems=(f"{path}: {error}; the defaults hold",))
    import tomllib  # Most operators have no such file, and need no reader of it.

    try:
        read = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return Settings(problems=(f"{path}: {error}; the defaults hold",))
    problems: list[str] = []
    interval = _interval(read, problems)
    ascii, slow = (_flag(read, name, problems) for name in ("ascii", "slow"))
    keys = _keys(read.get("keys", {}), problems)
    hosts: tuple[HostEntry, ...] = ()
    if "hosts" in read:
        from tuivirt.hosts_settings import read_hosts

        hosts = read_hosts(read["hosts"], problems)
    problems += [f"{name} is not a setting" for name in read if name not in _KNOWN]
    told = tuple(f"{path}: {problem}" for problem in problems)
    return Settings(interval, ascii, slow, keys, hosts, told)


def _interval(read: Mapping[str, Any], problems: list[str]) -> float:
    value = read.get("interval", DEFAULT_INTERVAL_S)
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.append(f"interval is {value!r}, not a number of seconds; 2 s hold")
    elif not LEAST_INTERVAL_S <= value <= GREATEST_INTERVAL_S:
        problems.append(f"interval is {value}, not between 0.5 and 60 s; 2 s hold")
    else:
        return float(value)
    return DEFAULT_INTERVAL_S


def _flag(read: Mapping[str, Any], name: str, problems: list[str]) -> bool:
    value = read.get(name, False)
    if isinstance(value, bool):
        return value
    problems.append(f"{name} is {value!r}, neither true nor false; false holds")
    return False


def _keys(read: Any, problems: list[str]) -> dict[str, str]:
    if not isinstance(read, dict):
        problems.append("keys is not a table of binding ids; the default keys hold")
        return {}
    keys = {}
    for binding, key in read.items():
        if isinstance(key, str) and key.strip():
            keys[binding] = ",".join(part.strip() for part in key.split(","))
        else:
            problems.append(f"the key of {binding} is {key!r}, not a key's name; its default holds")
    return keys
