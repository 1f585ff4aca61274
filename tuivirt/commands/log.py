"""``tuivirt log NAME``: what was recorded of a guest's console."""

from __future__ import annotations

import argparse
import select
import sys
from collections import deque
from collections.abc import Iterable
from datetime import datetime

from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.model.ref import Kind
from tuivirt.backend.recorded import Lines, Recorded, recordings_of
from tuivirt.widgets.text import plain

from .output import DONE, FAILED, complain, complain_of, say, to_json

LOOK_S = 0.25
"""How often a log is looked at for what has come to it."""
ANSWER_S = 20.0
"""How long a host is asked what a name means of which nothing is recorded."""


def show_log(given: argparse.Namespace) -> int:
    """Print it; the exit status. Raises BrokenPipeError once nobody reads any more."""
    try:
        one = _chosen(given)
        lines = Lines(one.path)
        try:
            last = deque(lines, min(given.lines, sys.maxsize)) if given.lines else lines
            _print(one, last, given.output == "json")
            while given.follow:
                _pause()
                _print(one, lines, given.output == "json")
        finally:
            lines.close()
    except TuivirtError as error:
        complain_of(error)
        return FAILED
    except OSError as error:
        if isinstance(error, BrokenPipeError) or error.filename is None:
            raise
        complain(f"cannot read {error.filename}: {error.strerror}")
        return FAILED
    return DONE


def _chosen(given: argparse.Namespace) -> Recorded:
    """The log that is meant; raises TuivirtError with what there is in its place."""
    found = _recorded(given) or _by_other_name(given)
    hosts = sorted({one.host for one in found})
    if len(hosts) > 1:
        raise TuivirtError(
            f"{given.name} was recorded on more than one host",
            ", ".join(hosts),
            f"say which: {given.name}@{hosts[0]}",
        )
    of_device = [one for one in found if given.devname in (None, one.device)]
    if not of_device:
        known = ", ".join(one.device for one in found)
        raise TuivirtError(
            f"nothing was recorded of {given.devname} of {given.name}",
            f"there is {known}",
            "name one of these (--devname)",
        )
    if len(of_device) > 1:
        first, *others = (one.device for one in of_device)
        complain(f"this is {first}, written last; --devname shows {' or '.join(others)}")
    return of_device[0]


def _recorded(given: argparse.Namespace) -> list[Recorded]:
    """The logs of that name, on the hosts that are asked for; none of them is asked."""
    from tuivirt import settings
    from tuivirt.wiring import choose

    found = recordings_of(given.name)
    name, _, host = given.name.rpartition("@")
    if not found and name:
        found = [one for one in recordings_of(name) if one.host == host]
    asked: set[str] = set()
    if given.connect or given.demo:
        chosen = choose(given.connect, settings.load().hosts, demo=given.demo)
        asked = {each.name for each in chosen if each.connect}
    return [one for one in found if not asked or one.host in asked]


def _by_other_name(given: argparse.Namespace) -> list[Recorded]:
    """Those of the domain that the hosts know by this UUID or id; raises when there are none."""
    from tuivirt import settings, wiring
    from tuivirt.backend.events import EventHub

    from .verbs import resolve

    wired = wiring.connect(
        EventHub(),
        given.connect,
        demo=given.demo,
        readonly=True,
        sampling=False,
        entries=settings.load().hosts,
    )
    try:
        ready, failed = wiring.fill(wired.begun, ANSWER_S)
        for host, reason in failed:
            complain_of(reason, host.name)
        nothing = f"nothing was recorded of {given.name}"
        if not ready:
            raise TuivirtError(nothing, "no host tells whether there is such a domain")
        try:
            host, domain = resolve(Kind.DOMAIN, given.name, ready, ())
        except TuivirtError as error:
            raise TuivirtError(nothing, str(error), error.advice) from error
    finally:
        wired.close()
    found = [one for one in recordings_of(domain.name) if one.host == host.name]
    if not found:
        raise TuivirtError(
            f"nothing was recorded of {domain.name} yet",
            advice=f"record it: tuivirt console {domain.name} --log default",
        )
    return found


def _print(one: Recorded, lines: Iterable[str], as_json: bool) -> None:
    for line in lines:
        if not as_json:
            say(plain(line))
            continue
        when, _, text = line.partition(" ")
        known = {"host": one.host, "domain": one.domain, "device": one.device}
        times = {"time": when, "text": text} if _is_time(when) else {"time": None, "text": line}
        say(to_json(known | times))


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _pause() -> None:
    """Wait a moment; nobody tells when a file grows, but that our reader has left is told."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    if poll.poll(LOOK_S * 1000):
        raise BrokenPipeError
