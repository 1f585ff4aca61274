"""The hosts themselves: kept in the settings, tried, connected. None of it changes a host.

Declared when somebody asks for what can be done to a host (`catalog.LATER`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from tuivirt.backend import suggestions
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.model.entry import COLOURS, HostEntry
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.backend.suggestions import Suggestion

from .registry import Option, Run, action

NONE = "none"
"""Takes away a group, tags or a colour, on the command line."""

__all__ = [
    "FULL",
    "NO",
    "NONE",
    "READ_ONLY",
    "SSH",
    "YES",
    "Suggestion",
    "known_hosts",
    "ssh_hosts",
]

_host = partial(action, "host", virsh="", api="", changes=False, offline=True)

_GROUP = Annotated[str | None, Option("where it belongs, as in prod; none for none")]
_TAGS = Annotated[
    str | None, Option("words to filter by (/#web), with commas between; none for none")
]
_COLOUR = Annotated[
    str | None,
    Option("what its name is drawn in; none for none", choices=(NONE, *COLOURS)),
]
FULL, READ_ONLY = "full", "read-only"
YES, NO = "yes", "no"
_ACCESS_HELP = "whether anything may be changed there"
_AUTOCONNECT_HELP = "connect at the start"
_URI_HELP = "where it is, as in qemu+ssh://root@srv1/system"


SSH = "~/.ssh/config"


def known_hosts() -> list[Suggestion]:
    """The hosts that the environment, libvirt's and virt-manager's settings name."""
    return suggestions.known_hosts()


def ssh_hosts() -> list[Suggestion]:
    """The hosts that ssh's settings name. Raises TuivirtError."""
    try:
        return suggestions.ssh_hosts()
    except OSError as error:
        why = f"{error.filename}: {error.strerror}"
        raise TuivirtError("ssh's settings cannot be read", why) from error


def _right(values: Mapping[str, Any]) -> None:
    """Only what no host is needed for; the rest is refused where it is kept."""
    from tuivirt.backend.roster import check, without_password

    check(_changed(HostEntry("x", "x:///"), values))
    without_password(values.get("uri") or "")


def _changed(entry: HostEntry, values: Mapping[str, Any]) -> HostEntry:
    """``entry`` with what was said; what was left out (None) stays."""
    changes = {key: value for key, value in values.items() if value is not None}
    if "rename" in changes:
        changes["name"] = changes.pop("rename")
    for key in ("group", "colour"):
        if changes.get(key) == NONE:
            changes[key] = ""
    if "tags" in changes:
        said = "" if changes["tags"] == NONE else changes["tags"]
        changes["tags"] = tuple(dict.fromkeys(said.replace(",", " ").split()))
    if "access" in changes:
        changes["readonly"] = changes.pop("access") == READ_ONLY
    if "autoconnect" in changes:
        changes["connect"] = changes.pop("autoconnect") == YES
    return replace(entry, **changes)


@_host(title="Add a host", key="plus", new=True, bulk=False, check=_right)
def host_add(
    run: Run,
    _host: None,
    *,
    name: Annotated[str, Option("what it is called here, as in srv1", positional=True)],
    uri: Annotated[str, Option(_URI_HELP, label="URI", positional=True)],
    group: _GROUP = None,
    tags: _TAGS = None,
    colour: _COLOUR = None,
    access: Annotated[str, Option(_ACCESS_HELP, choices=(FULL, READ_ONLY))] = FULL,
    autoconnect: Annotated[
        str, Option(_AUTOCONNECT_HELP, label="At the start", choices=(YES, NO))
    ] = YES,
) -> str:
    """Keep a host in the settings, and connect to it.

    A password is not kept: it is asked for when the host wants it.
    """
    said = {
        "group": group,
        "tags": tags,
        "colour": colour,
        "access": access,
        "autoconnect": autoconnect,
    }
    return run.roster.add(_changed(HostEntry(name, uri), said))


@_host(title="Edit", key="e", bulk=False, ends=True, check=_right)
def host_edit(
    run: Run,
    host: HostSnapshot,
    *,
    rename: Annotated[str | None, Option("another name", label="Name")] = None,
    uri: Annotated[str | None, Option(_URI_HELP, label="URI")] = None,
    group: _GROUP = None,
    tags: _TAGS = None,
    colour: _COLOUR = None,
    access: Annotated[str | None, Option(_ACCESS_HELP, choices=(FULL, READ_ONLY))] = None,
    autoconnect: Annotated[
        str | None, Option(_AUTOCONNECT_HELP, label="At the start", choices=(YES, NO))
    ] = None,
) -> str:
    """Change what the settings say of a host, or keep one there that was given with -c.

    Another name, URI or access has it connected anew.
    """
    from tuivirt.backend.roster import as_entry

    said = {
        "rename": rename,
        "uri": uri,
        "group": group,
        "tags": tags,
        "colour": colour,
        "access": access,
        "autoconnect": autoconnect,
    }
    if all(value is None for value in said.values()):
        raise BadInput("nothing was said to change", advice="tuivirt host-edit --help")
    return run.roster.change(host.name, _changed(as_entry(host), said))


def connects_anew(host: HostSnapshot, values: Mapping[str, Any]) -> bool:
    """Whether editing it so ends the connection to it (`Roster.change`)."""
    from tuivirt.backend.roster import as_entry

    before = as_entry(host)
    after = _changed(before, values)
    return (before.name, before.uri, before.readonly) != (after.name, after.uri, after.readonly)


def _not_kept(host: HostSnapshot) -> str:
    return "" if host.entry is not None else "it is not in the settings; d disconnects it"


def _what_stays(_host: HostSnapshot) -> str:
    return (
        "Only its entry in the settings goes; the host, its guests and all that is on it stay "
        "as they are."
    )


@_host(
    title="Remove",
    key="ctrl+d",
    destructive=True,
    ends=True,
    confirm="Remove {name} from the hosts?",
    losses=_what_stays,
    unavailable=_not_kept,
)
def host_remove(run: Run, host: HostSnapshot) -> str:
    """Take a host out of the settings, and end the connection to it."""
    return run.roster.remove(host.name)


@_host(title="Test the connection", key="t")
def host_test(run: Run, host: HostSnapshot) -> str:
    """Connect beside what there is, and say which libvirt answers, and how fast."""
    return run.roster.test(host.name, run.progress, run.aborted)


def _is_connected(host: HostSnapshot) -> str:
    if host.link in (Link.CONNECTED, Link.STALLED):
        return "it is connected"
    return "it is being connected" if host.link is Link.CONNECTING else ""


def _is_not_connected(host: HostSnapshot) -> str:
    return "it is not connected" if host.link is Link.CLOSED else ""


@_host(title="Connect", key="c", unavailable=_is_connected)
def host_connect(run: Run, host: HostSnapshot) -> str:
    """Connect to a host; one that cannot be reached is tried again for ever."""
    return run.roster.connect(host.name, run.aborted)


@_host(title="Disconnect", key="d", ends=True, unavailable=_is_not_connected)
def host_disconnect(run: Run, host: HostSnapshot) -> str:
    """End the connection to a host, or the trying; its guests are not listed any more."""
    return run.roster.disconnect(host.name)
