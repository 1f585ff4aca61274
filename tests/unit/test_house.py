"""The rules of the house that no type checker knows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from grimp import ImportGraph

from tests.support.rooms import strays

ROOT = Path(__file__).resolve().parents[2]
OURS = sorted(path for path in (ROOT / "tuivirt").rglob("*.py"))


def test_no_room_imports_what_its_row_of_the_table_does_not_list() -> None:
    argv = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _graph(*imports: tuple[str, str]) -> ImportGraph:
    graph = ImportGraph()
    for module in ("p", "p.model", "p.model.deep", "p.backend", "p.screens", "textual", "json"):
        graph.add_module(module)
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported)
    return graph


ROOM = frozenset({"p.model"})


@pytest.mark.parametrize(
    ("importer", "imported"), [("p.model", "p.backend"), ("p.model.deep", "textual")]
)
def test_the_import_rule_finds_a_stray(importer: str, imported: str) -> None:
    found = strays(_graph((importer, imported)), ROOM)
    assert [(one, other) for one, other, _line in found] == [(importer, imported)]


@pytest.mark.parametrize(
    "step", [("p.model.deep", "p.model"), ("p.model", "json"), ("p.backend", "textual")]
)
def test_the_import_rule_lets_a_room_be_at_home(step: tuple[str, str]) -> None:
    assert strays(_graph(step), ROOM) == []


def test_the_import_rule_knows_what_a_room_may_import_and_which_rooms_are_not_in_it() -> None:
    graph = _graph(("p.backend", "p.model"), ("p.model", "textual"), ("p.screens", "textual"))
    house = frozenset({"p"})
    allowed = frozenset({"p.model"})
    found = strays(graph, house, but_not=frozenset({"p.model"}), may_import=allowed)
    assert [(one, other) for one, other, _line in found] == [("p.screens", "textual")]


def test_an_import_rule_about_a_room_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"p\.cellar"):
        strays(_graph(), frozenset({"p.cellar"}))


@pytest.mark.parametrize("path", OURS, ids=[str(path.relative_to(ROOT)) for path in OURS])
def test_a_file_has_one_idea_in_400_lines(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 400


def test_the_command_line_is_there_without_textual() -> None:
    script = (
        "import sys, tuivirt.cli\n"
        "drawing = {'textual', 'rich', 'tuivirt.app', 'tuivirt.screens', 'tuivirt.widgets'}\n"
        "print(*sorted(drawing & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_the_locks_name_no_host_and_hash_every_file() -> None:
    for lock in sorted(ROOT.glob("requirements*.lock")):
        text = lock.read_text()
        assert "://" not in text, lock.name
        for entry in text.replace("\\\n", " ").splitlines():
            assert "==" in entry, lock.name
            assert "--hash=sha256:" in entry, lock.name


def test_the_runtime_lock_and_the_test_lock_agree() -> None:
    def pins(name: str) -> set[str]:
        lines = (ROOT / name).read_text().splitlines()
        return {line.split(" ")[0].lower() for line in lines if "==" in line}

    together = pins("requirements.lock") | pins("requirements-dev.lock")
    names = [pin.partition("==")[0] for pin in sorted(together)]
    assert len(names) == len(set(names))


def test_the_version_is_said_once() -> None:
    import tomllib

    import tuivirt

    with (ROOT / "pyproject.toml").open("rb") as file:
        assert tomllib.load(file)["project"]["version"] == tuivirt.__version__


WALL_CLOCK = {
    "actions/runner.py": "when a task was begun, which is shown",
    "backend/console_log.py": "the time of a line in a log",
    "backend/model/task.py": "tasks of which only that is known",
    "backend/storage/unfinished.py": "when an upload that was cut off had begun",
    "commands/stats.py": "the time of a record",
    "demo/guest.py": "what a made-up guest takes for the time",
    "demo/nodes.py": "a made-up host's uptime",
    "screens/networks.py": "how long a lease is good, which libvirt gives so",
    "screens/snapshots_view.py": "how long ago one was taken, which libvirt gives so",
    "screens/tasks.py": "a second has passed",
}
"""Who looks at the clock on the wall, and for what."""


def test_nothing_but_what_is_shown_hangs_on_a_clock_that_somebody_may_set() -> None:
    words = re.compile(r"\btime\.time\(|\.now\(\)|\butcnow\(|\btoday\(")
    found = {
        path.relative_to(ROOT / "tuivirt").as_posix()
        for path in (ROOT / "tuivirt").rglob("*.py")
        if words.search(path.read_text(encoding="utf-8"))
    }
    assert found == WALL_CLOCK.keys()
