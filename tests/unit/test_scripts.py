"""The set-up scripts, where they can be tried without installing anything."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path for path in [*(ROOT / "script").iterdir(), ROOT / ".ci" / "run"])
TOOLS = ("sh", "cat", "cksum", "dirname", "env", "grep", "mktemp", "rm", "id", "tail", "flock",
         "readlink")  # fmt: skip


def _run(root: Path, *argv: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, cwd=root, env={"PATH": path}, capture_output=True, text=True)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A copy of what the set-up reads, and beside it a PATH with hardly anything in it."""
    root = tmp_path / "tree"
    shutil.copytree(ROOT / "script", root / "script")
    for file in ROOT.glob("requirements*.lock"):
        shutil.copy(file, root)
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        if found:
            (tools / tool).symlink_to(found)
    return root


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_plain_sh_and_can_be_run(script: Path) -> None:
    assert script.stat().st_mode & 0o111
    assert script.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["/bin/sh", "-n", str(script)], check=True)


def test_another_system_is_told_what_to_install(elsewhere: Path) -> None:
    done = _run(elsewhere, "script/bootstrap", "--dev", path=str(elsewhere.parent / "bin"))
    assert done.returncode == 1
    assert all(word in done.stderr for word in ("dnf install", "pacman -S", "zypper install"))
    assert not (elsewhere / ".venv").exists()
    assert done.stdout == ""


def test_a_wrong_argument_is_bad_usage(elsewhere: Path) -> None:
    done = _run(elsewhere, "script/bootstrap", "--everything", path="/usr/bin:/bin")
    assert (done.returncode, done.stderr) == (2, "usage: script/bootstrap [--dev]\n")


def test_what_is_set_up_already_is_left_alone(elsewhere: Path) -> None:
    venv = elsewhere / ".venv" / "bin"
    venv.mkdir(parents=True)
    (venv / "python").write_text("#!/bin/sh\nexit 0\n")
    (venv / "python").chmod(0o755)
    files = ["requirements-build.lock", "requirements.lock", "requirements-dev.lock"]
    text = b"".join((elsewhere / name).read_bytes() for name in [*files, "script/bootstrap"])
    key = subprocess.run(["cksum"], input=text, capture_output=True, check=True).stdout.decode()
    (elsewhere / ".venv" / ".tuivirt-run").write_text(f"{key.strip()} {elsewhere.resolve()}\n")
    done = _run(elsewhere, "script/bootstrap", path=str(elsewhere.parent / "bin"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("there", [True, False])
def test_what_a_link_in_its_place_leads_to_is_left_alone(elsewhere: Path, there: bool) -> None:
    mine = elsewhere.parent / "mine"
    if there:
        (mine / "bin").mkdir(parents=True)
        for name in ("bin/precious", ".tuivirt-run"):
            (mine / name).write_text("kept")
    link = elsewhere / ".venv"
    link.symlink_to(mine)
    done = _run(elsewhere, "script/bootstrap", path=str(elsewhere.parent / "bin"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"tuivirt: {link} is a link to {mine}, which is not emptied for it: remove the link, "
        "then run this again\n"
    )
    assert link.readlink() == mine
    assert mine.exists() is there
    if there:
        found = sorted(path.name for path in mine.rglob("*") if path.is_file())
        assert found == [".tuivirt-run", "precious"]
