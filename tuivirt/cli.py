"""The command line: without a verb it opens the screen, with one it does one thing and ends.

What a verb does not need is not imported: Textual for the screen only, the actions for theirs.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuivirt.commands import stdout
from tuivirt.commands.words import BUILT_IN, ScreenOptions, screen_options, split

if TYPE_CHECKING:
    import argparse

    from tuivirt.actions.registry import Action

ANSWER_S = 20.0
"""How long a host may take to answer before a verb goes on without it."""
SWITCH_S = 0.001
"""For how long one thread may keep the screen's from running (Python's own: 5 ms)."""


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
    except KeyboardInterrupt:
        return 130
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
        from tuivirt.actions.catalog import ACTIONS

        main_parser(verbs_help(list(ACTIONS.values()))).print_help()
        return 0
    options = main_parser().parse_args(before)
    if verb is None:
        return _screen(ScreenOptions(options.connect, options.readonly, options.demo))
    if verb in BUILT_IN:
        parser = built_in_parser(verb)
        given = _both(options, parser.parse_args(after))
        if verb == "actions":
            return _actions(given)
        if verb == "list" and given.what != "domains" and (given.tag or given.group is not None):
            parser.error(f"{given.what} have no tags and no groups")
        return _log(given) if verb == "log" else _read(verb, given)
    from tuivirt.actions.catalog import everything, find_action

    action = find_action(verb)
    if action is None:
        main_parser().error(_unknown(verb, [*BUILT_IN, *everything()]))
    parser = action_parser(action)
    return _act(action, parser, _both(options, parser.parse_intermixed_args(after)))


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


def _log(given: argparse.Namespace) -> int:
    from tuivirt.commands.log import show_log

    return show_log(given)


def _read(verb: str, given: argparse.Namespace) -> int:
    """``list`` and ``stats``: they change nothing, so the demo may stand in."""
    from tuivirt import wiring
    from tuivirt.backend.events import EventHub
    from tuivirt.commands.output import DONE, FAILED, Notices, complain, complain_of

    hub = EventHub()
    hub.subscribe(Notices())
    sampling = verb == "stats"
    interval = given.interval if sampling else 2.0
    wired = wiring.connect(
        hub,
        given.connect,
        demo=given.demo,
        readonly=given.readonly,
        sampling=sampling,
        interval=interval,
    )
    try:
        wired = wiring.or_demo(wired, sampling=sampling, interval=interval)
        if wired.notice:
            complain(wired.notice)
        ready, failed = wiring.fill(wired.hosts, ANSWER_S)
        for host, reason in failed:
            complain_of(reason, host.name)
        if verb == "list" and (ready or given.output == "json"):
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


def _act(action: Action, parser: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    """An action: never on the demo unless that was asked for."""
    from tuivirt import wiring
    from tuivirt.backend.errors import BadInput
    from tuivirt.backend.events import EventHub
    from tuivirt.commands.output import FAILED, Notices, complain, complain_of
    from tuivirt.commands.verbs import check_flags, hosts_named, run_action, values_of

    try:
        values = values_of(action, given)
        check_flags(given)
    except BadInput as error:
        parser.error(str(error))
    hub = EventHub()
    hub.subscribe(Notices())
    wired = wiring.connect(
        hub, given.connect, demo=given.demo, readonly=given.readonly, sampling=False
    )
    try:
        picked = hosts_named(given.objects, [host.name for host in wired.hosts])
        asked = [host for host in wired.hosts if picked is None or host.name in picked]
        ready, failed = wiring.fill(asked, ANSWER_S)
        for host, reason in failed:
            complain_of(reason, host.name)
        if not ready:
            if not wired.given:
                complain(f"no libvirt answered at {wired.hosts[0].uri}; use --demo for the demo")
            return FAILED
        return run_action(action, given, values, hub, ready, [host.name for host, _ in failed])
    finally:
        wired.close()


def _screen(options: ScreenOptions) -> int:
    # Nothing becomes garbage while modules are imported; looking for it takes a tenth of the start.
    gc.disable()
    # A worker that computes lets go of the interpreter soon, so that a key is not kept waiting.
    sys.setswitchinterval(SWITCH_S)
    from tuivirt.backend import bindings

    bindings.load()
    # The connection is made while Textual is imported, which takes as long as all the rest.
    from tuivirt import lean, settings, wiring
    from tuivirt.backend.events import EventHub
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
    )
    try:
        lean.import_asyncio()
        from tuivirt.actions.runner import Tasks
        from tuivirt.app import TuivirtApp, checked

        chosen = checked(chosen)
        for problem in chosen.problems:
            # Both: what is said here is out of sight until the screen is left.
            complain(problem)
            log_warning(problem)
        wired = wiring.or_demo(wired, interval=chosen.interval)
        tasks = Tasks(hub.publish)
        app = TuivirtApp(wired.hosts, hub, tasks, settings=chosen, notice=wired.notice)
        ending = Ending(sys.stdin.fileno(), wired.close)
        # Called once the screen has set its own handlers.
        app.call_later(ending.watch_signals)
        app.call_later(app.set_timer, lean.SETTLE_S, lean.collect_start)
        app.run()
        return app.return_code or 0
    finally:
        wired.close()
