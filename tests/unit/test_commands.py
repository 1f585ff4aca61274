"""The grammar of the command line, and what its flags mean."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import tuivirt.backend
from tuivirt import cli
from tuivirt.actions.advice import in_options, sentence
from tuivirt.actions.catalog import ACTIONS, listed
from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.when import When
from tuivirt.commands.output import table
from tuivirt.commands.parser import action_parser, main_parser
from tuivirt.commands.verbs import check_flags, values_of, when_of
from tuivirt.commands.words import WISHES, ScreenOptions, screen_options, split

ON = Domain("h", "u1", "web", 1, DomainState.RUNNING)
OFF = Domain("h", "u2", "db", None, DomainState.SHUTOFF)


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], ([], None, [])),
        (["--demo"], (["--demo"], None, [])),
        (["list", "domains"], ([], "list", ["domains"])),
        (["-c", "list", "start", "web"], (["-c", "list"], "start", ["web"])),
        (["--connect=x", "start", "-c", "y"], (["--connect=x"], "start", ["-c", "y"])),
        (["--connect", "x", "--readonly"], (["--connect", "x", "--readonly"], None, [])),
    ],
)
def test_the_verb_is_the_first_word_that_is_no_option_or_its_value(
    argv: list[str], expected: tuple[list[str], str | None, list[str]]
) -> None:
    assert split(argv) == expected


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--demo"],
        ["--readonly", "-c", "qemu:///system"],
        ["--connect", "a:///", "--demo", "-c", "b:///"],
        ["--slow", "--ascii", "--demo"],
    ],
)
def test_plain_words_mean_to_the_screen_what_the_parser_makes_of_them(words: list[str]) -> None:
    given = main_parser().parse_args(words)
    assert screen_options(words) == ScreenOptions(*(getattr(given, name) for name in WISHES))


def test_how_the_screen_is_drawn_is_no_option_of_a_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--slow", "list", "domains"])
    assert ended.value.code == 2
    assert "about the screen, and list has none" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["--help"], ["--connect=a:///"], ["-ca:///"], ["-c"], ["-c", ""], ["-c", "--demo"], ["--dmo"]],
)
def test_all_other_words_are_left_to_the_parser(words: list[str]) -> None:
    assert screen_options(words) is None


@pytest.mark.parametrize(
    ("flags", "running", "off"),
    [
        ([], When.AUTO, When.AUTO),
        (["--live"], When.NOW, When.NOW),
        (["--config"], When.NEXT_BOOT, When.NEXT_BOOT),
        (["--persistent"], When.BOTH, When.NEXT_BOOT),
        (["--live", "--persistent"], When.BOTH, When.BOTH),
        (["--live", "--config"], When.BOTH, When.BOTH),
        (["--current"], When.NOW, When.NEXT_BOOT),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_virshs_flags_choose_the_configuration(flags: list[str], running: When, off: When) -> None:
    given = action_parser(ACTIONS["detach-disk"]).parse_args(["web", "vdb", *flags])
    assert when_of(given, ON) is running
    assert when_of(given, OFF) is off


def test_current_excludes_the_other_flags() -> None:
    given = action_parser(ACTIONS["detach-disk"]).parse_args(["web", "vdb", "--current", "--live"])
    with pytest.raises(BadInput, match="excludes"):
        check_flags(given)


FITTING = {("blockcopy", "dest"): "/x"}
"""Words where not any word will do."""


ALSO = {"pool-define-as": ["--target", "/x"]}
"""What another value, the default of one perhaps, asks for besides."""


@pytest.mark.parametrize("name", list(listed()))
def test_every_action_has_a_parser_that_takes_its_least_and_tells_its_help(name: str) -> None:
    action = ACTIONS[name]
    parser = action_parser(action)
    words = [] if action.new else ["thing"]
    for parameter in action.parameters:
        if parameter.required:
            any_word = "1" if parameter.type in (int, float) else "x"
            word = FITTING.get((name, parameter.name), any_word)
            words += [word] if parameter.positional else [parameter.flag, word]
    words += ALSO.get(name, [])
    given = parser.parse_args(words)
    assert given.objects == ([] if action.new else ["thing"])
    assert values_of(action, given).keys() == {p.name for p in action.parameters}
    assert parser.format_help().startswith(f"usage: tuivirt {name}")


def test_an_action_for_many_takes_several_names_and_others_take_one() -> None:
    assert action_parser(ACTIONS["start"]).parse_args(["a", "b"]).objects == ["a", "b"]
    given = action_parser(ACTIONS["attach-disk"]).parse_args(["a", "b"])
    assert (given.objects, given.source) == (["a"], "b")


def test_a_table_is_aligned_by_cells_and_holds_no_control_character() -> None:
    text = table(("A", "N"), [("名前", 1), ("x\x1b[2J", 100), (None, None)], right=("N",))
    assert text == "A        N\n名前     1\nx␛[2J  100\n-        -"


@pytest.mark.parametrize(
    ("verb", "advice", "said"),
    [
        ("console", "take it over (force) if need be", "take it over (--force) if need be"),
        ("detach-disk", "detach it for the next boot", "detach it for the next boot (--config)"),
        ("detach-disk", "detach it now only", "detach it now only (--live)"),
        ("change-media", "eject it there, or use --force", "eject it there, or use --force"),
        ("start", "start it for the next boot (really)", "start it for the next boot (really)"),
    ],
)
def test_an_advice_names_the_options_of_the_verb(verb: str, advice: str, said: str) -> None:
    assert in_options(advice, ACTIONS[verb]) == said


@pytest.mark.parametrize(
    ("advice", "said"),
    [
        ("wait longer", "Wait longer"),
        ("see: tuivirt list domains", "See: tuivirt list domains"),
        ("libvirt may tell", "libvirt may tell"),
        ("--force does it", "--force does it"),
        ("web-01 runs", "web-01 runs"),
        ("", ""),
    ],
)
def test_an_advice_is_a_sentence_of_its_own(advice: str, said: str) -> None:
    assert sentence(advice) == said


def test_every_option_that_the_backend_names_is_there() -> None:
    """The backend says what to do next in options; one of a word that changed would mislead."""
    offered = {word for a in listed().values() for word in action_parser(a)._option_string_actions}
    backend = Path(tuivirt.backend.__file__).parent
    named = {
        option
        for file in (*backend.glob("*.py"), *backend.glob("xml/*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for option in re.findall(r"(?<=[ (])--[a-z]+(?:-[a-z]+)*", node.value)
    }
    assert "--force" in named
    assert named <= offered


def test_a_bad_value_is_told_by_its_option() -> None:
    given = action_parser(ACTIONS["shutdown"]).parse_args(["web", "--timeout", "soon"])
    with pytest.raises(BadInput, match=r"^--timeout cannot be 'soon'"):
        values_of(ACTIONS["shutdown"], given)
