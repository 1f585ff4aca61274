"""The command line: without a verb it opens the screen, with one it does one thing and ends.

What a verb does not need is not imported: Textual for the screen only, the actions for theirs.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuivirt.backend import bindings
from tuivirt.commands import stdout
from tuivirt.commands.words import BUILT_IN, WISHES, ScreenOptions, screen_options, split

if TYPE_CHECKING:
    import argparse

    from tuivirt.actions.registry import Action
    from tuivirt.backend.model.entry import HostEntry
    from tuivirt.commands.asking import Asking

ANSWER_S = 20.0
"""How long a host may take to answer before a verb goes on without it."""
SWITCH_S = 0.001
"""For how long one thread may keep the screen's from running (Python's own: 5 ms)."""
LINE_ASKED_S = 1.0
"""When the terminal's line is timed: nothing is sent any more that the answer would wait for."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; its exit status: 0 done, 1 it failed, 2 bad usage."""
    try:
        try:
            return _main(sys.argv[1:] if argv is None else argv)
        finally:
            stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has left, and wants nothing of us.
        stdout.give_up()
        return 1
    except stdout.CannotWrite as error:
        from tuivirt.commands.output import FAILED, complain

        stdout.give_up()
        complain(f"cannot write to standard output: {error}")
        return FAILED
    except KeyboardInterrupt as interrupt:
        from tuivirt.commands.told import status_of

        return status_of(interrupt)
    except Exception as error:
        return _defect(error)


def _defect(error: Exception) -> int:
    """Say what nobody expected, and keep where it came from."""
    from tuivirt.commands.output import FAILED, complain
    from tuivirt.logfile import default_path, log_defect, log_to_file

    log_to_file()
    log_defect(error)
    complain(f"unexpected {type(error).__name__}: {error}\nits details are in {default_path()}")
    return FAILED


def _main(argv: Sequence[str]) -> int:
    before, verb, after = split(argv)
    if verb is None and (plain := screen_options(before)) is not None:
        return _screen(plain)
    from tuivirt.commands.parser import action_parser, built_in_parser, main_parser, verbs_help

    if verb is None and ("-h" in before or "--help" in before):
        from tuivirt.actions.catalog import listed

        main_parser(verbs_help(list(listed().values()))).print_help()
        return 0
    options = main_parser().parse_args(before)
    if verb is None:
        return _screen(ScreenOptions(**{name: getattr(options, name) for name in WISHES}))
    if options.ascii or options.slow:
        main_parser().error(f"--ascii and --slow are about the screen, and {verb} has none")
    if verb in BUILT_IN:
        parser = built_in_parser(verb)
        given = _both(options, parser.parse_args(after))
        if verb == "actions":
            return _actions(given)
        labelled = given.what in ("domains", "hosts") if verb == "list" else True
        if not labelled and (given.tag or given.group is not None):
            parser.error(f"{given.what} have no tags and no groups")
        if verb == "log":
            return _log(given)
        from tuivirt.commands.asking import Asking

        bindings.hush()
        with Asking() as asking:
            return _read(verb, given, asking)
    from tuivirt.actions.catalog import everything, find_action
    from tuivirt.commands.asking import Asking

    action = find_action(verb)
    if action is None:
        main_parser().error(_unknown(verb, [*BUILT_IN, *everything()]))
    parser = action_parser(action)
    bindings.hush()
    with Asking() as asking:
        return _act(action, parser, _both(options, parser.parse_intermixed_args(after)), asking)


def _unknown(verb: str, verbs: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(verb, verbs)
    hint = f"did you mean {' or '.join(near)}?" if near else "tuivirt --help lists them"
    return f"there is no verb {verb!r}; {hint}"


def _both(options: argparse.Namespace, given: argparse.Namespace) -> argparse.Namespace:
    """The verb's arguments with the options that stood before the verb."""
    given.connect = [*options.connect, *given.connect]
    given.readonly |= options.readonly
    given.demo |= options.demo
    return given


def _actions(given: argparse.Namespace) -> int:
    from tuivirt.commands.describe import print_actions

    return print_actions(as_json=given.output == "json")


def _kept_hosts() -> Sequence[HostEntry]:
    """The hosts of the settings; what is wrong there is said."""
    from tuivirt import settings
    from tuivirt.commands.output import complain

    chosen = settings.load()
    for problem in chosen.problems:
        complain(problem)
    return chosen.hosts


def _log(given: argparse.Namespace) -> int:
    from tuivirt.commands.log import show_log

    return show_log(given)


def _read(verb: str, given: argparse.Namespace, asking: Asking) -> int:
    """``list`` and ``stats``: they change nothing, so the demo may stand in."""
    from tuivirt import wiring
    from tuivirt.backend.events import EventHub
    from tuivirt.commands.output import DONE, FAILED, Notices, complain, complain_of

    hub = EventHub()
    hub.subscribe(Notices())
    hub.subscribe(asking)
    sampling = verb == "stats"
    interval = given.interval if sampling else 2.0
    wired = wiring.connect(
        hub,
        given.connect,
        demo=given.demo,
        readonly=given.readonly,
        sampling=sampling,
        interval=interval,
        entries=_kept_hosts(),
    )
    try:
        wired = wiring.or_demo(wired, sampling=sampling, interval=interval)
        if wired.notice:
            complain(wired.notice)
        ready, failed = wiring.fill(wired.begun, ANSWER_S)
        for host, reason in failed:
            complain_of(reason, host.name)
        if verb == "list" and given.what == "hosts":
            from tuivirt.commands.hosts import list_hosts

            status = list_hosts(
                wired.hosts, as_json=given.output == "json", tags=given.tag, group=given.group
            )
        elif verb == "list" and (ready or given.output == "json"):
            from tuivirt.commands.listing import list_objects

            as_json = given.output == "json"
            status = list_objects(
                given.what, ready, as_json=as_json, tags=given.tag, group=given.group
            )
        elif verb == "stats" and ready:
            from tuivirt.commands.stats import print_stats

            status = print_stats(
                hub, ready, interval=interval, count=given.count, as_json=given.output == "json"
            )
        else:
            status = FAILED
        return FAILED if failed else status or DONE
    finally:
        wired.close()


def _act(
    action: Action, parser: argparse.ArgumentParser, given: argparse.Namespace, asking: Asking
) -> int:
    """An action: never on the demo unless that was asked for."""
    from tuivirt import wiring
    from tuivirt.backend.errors import BadInput
    from tuivirt.backend.events import EventHub
    from tuivirt.commands.output import FAILED, Notices, complain, complain_of
    from tuivirt.commands.verbs import (
        check_flags,
        hosts_named,
        run_action,
        take_host,
        values_of,
        with_targets,
    )

    entries = _kept_hosts()
    chosen = wiring.choose(given.connect, entries, demo=given.demo)
    take_host(action, given, [each.name for each in chosen])
    try:
        values = values_of(action, given)
        check_flags(given)
    except BadInput as error:
        parser.error(str(error))
    hub = EventHub()
    hub.subscribe(Notices())
    hub.subscribe(asking)
    if action.object == "host" and action.offline:
        from tuivirt.commands.hosts import run_on_hosts

        return run_on_hosts(action, given, values, hub, entries)
    # Objects that say where they are need no other host to answer, or to be connected at all.
    known = [each for each in chosen if each.connect or not (given.connect or given.demo)]
    picked = hosts_named(given.objects, [each.name for each in known])
    picked = with_targets(picked, values, [each.name for each in known if each.connect])
    wired = wiring.connect(
        hub,
        given.connect,
        demo=given.demo,
        readonly=given.readonly,
        sampling=False,
        entries=entries,
        only=picked,
    )
    try:
        ready, failed = wiring.fill(wired.begun, ANSWER_S)
        for host, reason in failed:
            complain_of(reason, host.name)
        if not ready:
            if not wired.given:
                complain(f"no libvirt answered at {wired.hosts[0].uri}; use --demo for the demo")
            return FAILED
        if action.name == "console":
            asking.stop("the terminal is the guest's")
        return run_action(action, given, values, hub, ready, [host.name for host, _ in failed])
    finally:
        wired.close()


def _screen(options: ScreenOptions) -> int:
    # Nothing becomes garbage while modules are imported; looking for it takes a tenth of the start.
    gc.disable()
    # A worker that computes lets go of the interpreter soon, so that a key is not kept waiting.
    sys.setswitchinterval(SWITCH_S)
    bindings.load()
    # The connection is made while Textual is imported, which takes as long as all the rest.
    from tuivirt import lean, settings, wiring
    from tuivirt.backend.events import Event, EventHub, HostsChanged
    from tuivirt.commands.output import USAGE, complain
    from tuivirt.ending import Ending
    from tuivirt.logfile import log_defect, log_to_file, log_warning

    if not all(end is not None and end.isatty() for end in (sys.stdin, sys.stdout)):
        complain("the screen needs a terminal; for scripts see: tuivirt --help")
        return USAGE
    chosen = settings.load()
    log_to_file()
    lean.share_one_heap()
    hub = EventHub(on_defect=log_defect)
    wired = wiring.connect(
        hub,
        options.connect,
        demo=options.demo,
        readonly=options.readonly,
        interval=chosen.interval,
        entries=chosen.hosts,
    )
    try:
        lean.import_asyncio()
        from tuivirt.actions.runner import Tasks
        from tuivirt.app import TuivirtApp, checked

        chosen = checked(chosen.drawn(ascii=options.ascii, slow=options.slow))
        for problem in chosen.problems:
            # Both: what is said here is out of sight until the screen is left.
            complain(problem)
            log_warning(problem)
        wired = wiring.or_demo(wired, interval=chosen.interval)
        tasks = Tasks(hub.publish, lambda: wired.roster)
        app = TuivirtApp(wired.hosts, hub, tasks, settings=chosen, notice=wired.notice)
        ending = Ending(sys.stdin.fileno(), wired.close)
        # Called once the screen has set its own handlers.
        app.call_later(ending.watch_signals)
        app.call_later(app.set_timer, lean.SETTLE_S, lean.collect_start)
        app.call_later(app.set_timer, LINE_ASKED_S, app.time_line)
        growth = lean.Growth(lambda: time.monotonic() - app.pressed_at)

        def heard(event: Event) -> None:
            if isinstance(event, HostsChanged):
                growth.expect()

        hub.subscribe(heard, waited=False)
        app.call_later(app.set_interval, lean.LOOK_AGAIN_S, growth.look)
        app.call_later(app.set_interval, lean.LOOK_AT_FEW_S, growth.look_at_few)
        app.run()
        return app.return_code or 0
    finally:
        wired.close()
