"""Hosts that somebody has named on this machine before: none is looked for on a network."""

from __future__ import annotations

import ast
import glob
import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from .model.record import record
from .uri import shown

ASK_S = 3.0
"""How long gsettings or dconf may take: without a session bus they may wait for one."""
DEEPEST = 16
"""Files of ssh's that include one another, as ssh itself has it."""

_ASKED = (
    ("gsettings", "get", "org.virt-manager.virt-manager.connections", "uris"),
    ("dconf", "read", "/org/virt-manager/virt-manager/connections/uris"),
)
_QUOTED = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'")
_LIST = r"(?:\s|,|#[^\n]*\n|\"[^\"\n]*\"|'[^'\n]*')*"


@record(frozen=True, slots=True)
class Suggestion:
    """A host that could be added."""

    name: str
    """What it is called there, or empty."""
    uri: str
    """Without a password."""
    source: str
    """Who knows it."""


def known_hosts() -> list[Suggestion]:
    """What the environment, libvirt's and virt-manager's settings name, each URI once."""
    found: dict[str, Suggestion] = {}
    for each in (*_environment(), *_libvirt(), *_virt_manager()):
        if each.uri:
            found.setdefault(each.uri, each)
    return list(found.values())


def ssh_hosts(path: Path | None = None) -> list[Suggestion]:
    """The hosts that ssh's own settings name, without patterns; whether libvirt is there is open.

    Raises OSError when the file cannot be read; none is no error.
    """
    path = path or Path.home() / ".ssh/config"
    names = dict.fromkeys(_ssh_names(path, path.parent, 0)) if path.exists() else {}
    return [Suggestion(name, f"qemu+ssh://{name}/system", f"{path}") for name in names]


def _environment() -> Iterator[Suggestion]:
    yield Suggestion("", shown(os.environ.get("LIBVIRT_DEFAULT_URI", "")), "LIBVIRT_DEFAULT_URI")


def _libvirt() -> Iterator[Suggestion]:
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    for path in (Path(config, "libvirt/libvirt.conf"), Path("/etc/libvirt/libvirt.conf")):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # Absent, or not ours to read: libvirt goes on without it as well.
        yield from libvirt_conf(text, str(path))


def libvirt_conf(text: str, source: str) -> Iterator[Suggestion]:
    """What a libvirt.conf names: its aliases and its default."""
    listed = re.search(rf"^\s*uri_aliases\s*=\s*\[({_LIST})\]", text, re.MULTILINE)
    if listed is not None:
        for line in re.sub(r"^\s*#.*$", "", listed[1], flags=re.MULTILINE).splitlines():
            for match in _QUOTED.finditer(line):
                name, there, uri = (match[1] or match[2] or "").partition("=")
                if there:
                    yield Suggestion(name.strip(), shown(uri.strip()), f"uri_aliases of {source}")
    default = re.search(r"^\s*uri_default\s*=\s*[\"']([^\"'\n]+)[\"']", text, re.MULTILINE)
    if default is not None:
        yield Suggestion("", shown(default[1]), f"uri_default of {source}")


def _virt_manager() -> Iterator[Suggestion]:
    for argv in _ASKED:
        try:
            asked = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=ASK_S,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            continue  # Not installed, no such settings, or no session to ask: none are known.
        uris = gvariant_texts(asked.stdout.decode(errors="replace"))
        if uris:
            yield from (Suggestion("", shown(uri), "virt-manager") for uri in uris)
            return


def gvariant_texts(text: str) -> list[str]:
    """The texts of a GVariant array as it is printed: ``['qemu:///system']``, ``@as []``."""
    try:
        read = ast.literal_eval(text.strip().removeprefix("@as ") or "[]")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    return [each for each in read if isinstance(each, str)] if isinstance(read, list) else []


def _ssh_names(path: Path, home: Path, depth: int) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        words = _words(line)
        if len(words) < 2:
            continue
        keyword, values = words[0].lower(), words[1:]
        if keyword == "host":
            # One that is also excluded, or is only a pattern, names nobody.
            yield from (name for name in values if re.fullmatch(r"[\w.:-]+", name))
        elif keyword == "include" and depth < DEEPEST:
            for each in _included(values, home):
                if each.is_file():
                    yield from _ssh_names(each, home, depth + 1)


def _included(patterns: Iterable[str], home: Path) -> Iterator[Path]:
    for pattern in patterns:
        full = os.path.join(home, os.path.expanduser(pattern))
        yield from map(Path, sorted(glob.glob(full)))


def _words(line: str) -> list[str]:
    """A line of ssh's settings: a keyword and its values, ``=`` between them perhaps."""
    keyword, values = re.match(r"\s*(\w*)\s*=?\s*(.*)", line).groups()  # type: ignore[union-attr]
    if not keyword:
        return []
    try:
        return [keyword, *shlex.split(values, comments=True)]
    except ValueError:  # A quotation mark that nobody closed: ssh refuses the line too.
        return []
