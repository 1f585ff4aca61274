"""The command line's grammar. A verb's own parser is made only when that verb is given."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tuivirt import __version__

from .stdout import put
from .words import BUILT_IN

if TYPE_CHECKING:
    from tuivirt.actions.registry import Action, Parameter

LISTABLE = ("hosts", "domains", "networks", "pools", "volumes", "devices", "interfaces")

OBJECT_WORDS = {
    "domain": "name (or name@host), UUID or id",
    "network": "name (or name@host) or UUID",
    "pool": "name (or name@host) or UUID",
    "device": "name (or name@host)",
    "host": "name, or a URI",
}


_OF_THE_HOST = frozenset({"secret-list"})
"""Verbs of a host that list what is beside it, and need no word for that."""


class _Parser(argparse.ArgumentParser):
    """Prints its help as all other output is printed, so that its failing is told alike."""

    def print_help(self, file: Any = None) -> None:
        put(self.format_help().rstrip("\n"))


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_rest: Any) -> None:
        put(f"tuivirt {__version__}")
        parser.exit()


def _uri(word: str) -> str:
    """A URI, whatever is in it; an empty one is a script's variable that nobody has set."""
    if not word.strip():
        raise argparse.ArgumentTypeError("the URI is empty")
    return word


def _common(parser: argparse.ArgumentParser) -> None:
    """The options that may stand before the verb and after it."""
    parser.add_argument(
        "-c",
        "--connect",
        action="append",
        type=_uri,
        default=[],
        metavar="URI|NAME",
        help="a host, as in qemu:///system or qemu+ssh://root@srv1/system, or one of the settings "
        "by its name; several times for more",
    )
    parser.add_argument("--readonly", action="store_true", help="change nothing")
    parser.add_argument("--demo", action="store_true", help="show a made-up host")


def main_parser(verbs: str = "") -> argparse.ArgumentParser:
    """The parser of what stands before the verb."""
    parser = _Parser(
        prog="tuivirt",
        usage="tuivirt [-c URI]… [--readonly] [--demo] [--ascii] [--slow] [VERB …]",
        description="A terminal virtual machine manager on libvirt. "
        "Without a verb it opens the screen.",
        epilog=verbs or None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _common(parser)
    parser.add_argument("--ascii", action="store_true", help="draw the screen in ASCII alone")
    parser.add_argument(
        "--slow",
        action="store_true",
        help="send the screen little: for a slow line; :slow on and off change it",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version, and end")
    return parser


def _verb_parser(verb: str, description: str) -> argparse.ArgumentParser:
    parser = _Parser(prog=f"tuivirt {verb}", description=description, allow_abbrev=False)
    _common(parser)
    parser.add_argument(
        "-o", "--output", choices=("table", "json"), default="table", help="table unless given"
    )
    return parser


def built_in_parser(verb: str) -> argparse.ArgumentParser:
    """The parser of a verb that is no action."""
    parser = _verb_parser(verb, BUILT_IN[verb][0].upper() + BUILT_IN[verb][1:] + ".")
    if verb == "list":
        parser.add_argument("what", choices=LISTABLE)
        parser.add_argument(
            "--tag", action="append", default=[], help="only those with it; several: with all"
        )
        parser.add_argument("--group", help="only those of this group")
    elif verb == "stats":
        parser.add_argument(
            "--interval", type=_interval, default=2.0, metavar="S", help="seconds, 0.5 to 60"
        )
        parser.add_argument("--count", type=_count, metavar="N", help="end after so many")
    elif verb == "log":
        parser.add_argument("name", metavar="DOMAIN", help=OBJECT_WORDS["domain"])
        parser.add_argument(
            "--devname", help="the alias of its port, as in serial1 (the one written last)"
        )
        parser.add_argument("-n", "--lines", type=_count, metavar="N", help="only the last so many")
        parser.add_argument("-f", "--follow", action="store_true", help="go on as more comes")
    return parser


def _interval(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not 0.5 <= value <= 60:
        raise argparse.ArgumentTypeError(f"{text} is not between 0.5 and 60")
    return value


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


def action_parser(action: Action) -> argparse.ArgumentParser:
    """The parser of an action's verb, made from its declaration."""
    from tuivirt.backend.model.when import When

    parser = _verb_parser(action.name, action.help.replace("%", "%%"))
    several = action.bulk and not any(p.positional for p in action.parameters)
    word = str(action.object)
    if action.new:
        parser.set_defaults(objects=[])
    elif may_leave_host_out(action):
        said = "its name; unless given, the only one on which it can be done"
        # A list of it, as all other verbs have.
        parser.add_argument(
            "objects", nargs="?", type=lambda word: [word], default=[], metavar="HOST", help=said
        )
    else:
        parser.add_argument(
            "objects", nargs="+" if several else 1, metavar=word.upper(), help=OBJECT_WORDS[word]
        )
    for parameter in action.parameters:
        if parameter.type is When:
            _when_flags(parser)
        else:
            _option(parser, parameter)
    return parser


def may_leave_host_out(action: Action) -> bool:
    """Whether it is about something of a host's beside the host, as a file: ``[HOST] FILE``.

    A first word that names no host is the file then (`verbs.take_host`). So may a list of such.
    """
    positional = any(p.positional and p.required for p in action.parameters)
    beside = positional or action.name in _OF_THE_HOST
    return action.object == "host" and beside and not action.new


def _option(parser: argparse.ArgumentParser, parameter: Parameter) -> None:
    said: dict[str, Any] = {"help": parameter.help.replace("%", "%%")}
    if parameter.choices:
        said["choices"] = parameter.choices
    if parameter.positional:
        if parameter.several:
            said["nargs"] = "+" if parameter.required else "*"
        elif not parameter.required:
            said["nargs"] = "?"
        parser.add_argument(parameter.name, metavar=parameter.name.upper(), **said)
    elif parameter.type is bool:
        parser.add_argument(
            parameter.flag, dest=parameter.name, action="store_true", help=said["help"]
        )
    else:
        if not parameter.choices:
            said["metavar"] = parameter.name.upper()
        parser.add_argument(
            parameter.flag, dest=parameter.name, required=parameter.required, **said
        )


def _when_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "which configuration", "both while the domain runs, else the one there is, unless given"
    )
    for flag, said in (
        ("live", "the running domain"),
        ("config", "its saved configuration, for the next boot"),
        ("persistent", "its saved configuration, and the running domain when it runs"),
        ("current", "the running domain when it runs, else its saved configuration"),
    ):
        group.add_argument(f"--{flag}", action="store_true", help=said)


def verbs_help(actions: Sequence[Action]) -> str:
    """The verbs, a line each."""
    lines = list(BUILT_IN.items())
    lines += [(a.name, a.help.splitlines()[0]) for a in actions]
    lines.append(("attach-, update-, detach-KIND", "Any other device: rng, serial, tpm …"))
    return "verbs (tuivirt VERB --help tells more):\n" + "\n".join(
        f"  {name:19} {text}" for name, text in lines
    )
