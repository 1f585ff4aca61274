"""What one may not do is told as that, and nothing is lost: a user's daemon and root's files."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.cli import LONG, ROOT, Ran
from tests.contract.test_volumes import MIB, digest, filled
from tests.support.guests import Disk, domain_xml, make_sleeper
from tests.support.needs import need_programs, need_root
from tests.support.writer import filled_image

USER = "nobody"
Run = Callable[..., Ran]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with one of the user's, ``home``, and one of root's, ``pool``."""
    need_root()
    need_programs("libvirtd", "setpriv", "qemu-img")
    folder = Path(tempfile.mkdtemp(prefix="tuivirt-rights-", dir="/var/tmp"))
    folder.chmod(0o755)
    (folder / "pool").mkdir(mode=0o755)
    (folder / "home" / "run").mkdir(parents=True)
    for each in (folder / "home", folder / "home" / "run"):
        os.chown(each, pwd.getpwnam(USER).pw_uid, -1)
        each.chmod(0o700)
    yield folder
    pid = folder / "home/run/libvirt/libvirtd.pid"
    if pid.exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid.read_text()), signal.SIGTERM)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def by_user(place: Path) -> Run:
    """A program of somebody who is not root, with a daemon of their own."""

    def run(*words: str) -> Ran:
        home = str(place / "home")
        env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": home}
        done = subprocess.run(
            ["setpriv", f"--reuid={USER}", "--clear-groups", *words],
            cwd=ROOT,
            env={**env, "XDG_RUNTIME_DIR": f"{home}/run"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONG,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def as_user(by_user: Run) -> Run:
    """tuivirt as that somebody."""
    argv = (sys.executable, "-m", "tuivirt", "-c", "qemu:///session")
    return lambda *words: by_user(*argv, *words)


def test_what_a_user_may_not_do_is_told_and_nothing_is_changed(place: Path, as_user: Run) -> None:
    image = filled(place / "pool/a.img", MIB)
    image.chmod(0o644)
    file = filled(place / "home/up.img", MIB, seed=2)
    before = digest(image)
    ran = as_user("pool-define-as", "local", "p", "--target", str(place / "pool"), "--start")
    assert ran.out == "pool p is defined, active\n", ran.err
    to = str(place / "home/down.img")
    for words in (
        ("vol-create", "p", "new.img", "1M"),
        ("vol-create", "p", "new.qcow2", "1M", "--format", "qcow2"),
        ("vol-upload", "p", "a.img", str(file)),
        ("vol-resize", "p", "a.img", "8M"),
        ("vol-wipe", "p", "a.img", "--force"),
        ("vol-delete", "p", "a.img", "--force"),
    ):
        ran = as_user(*words)
        assert ran.status == 1, words
        reason, advice = ran.err.splitlines()[-2:]
        assert "Permission denied" in reason, words
        assert "the owner, the rights" in advice, words
        assert "Done all the same" not in ran.err, words
    # What lies in the volume is whole: nothing is told of it.
    assert "cut off" not in as_user("vol-info", "p", "a.img").out
    ran = as_user("vol-download", "p", "a.img", str(place / "pool/x.img"))
    assert f"you may not write to {place}/pool" in ran.err
    assert as_user("vol-download", "p", "a.img", to).status == 0
    assert digest(Path(to)) == before
    ran = as_user("image-convert", str(image), str(place / "pool/b.qcow2"))
    assert f"nothing can be written in {place}/pool: Permission denied" in ran.err
    image.chmod(0o600)
    ran = as_user("image-convert", str(image), f"{to}.qcow2")
    assert "Permission denied" in ran.err
    assert "Run tuivirt as a user who may" in ran.err
    # libvirt itself leaves out what it may not read.
    assert as_user("vol-download", "p", "a.img", to, "--force").status == 1
    assert digest(Path(to)) == digest(image) == before
    assert [each.name for each in (place / "pool").iterdir()] == ["a.img"]


@pytest.fixture
def guest(place: Path, by_user: Run) -> Iterator[str]:
    """That somebody's running guest, its name."""
    home, uid = place / "home", pwd.getpwnam(USER).pw_uid
    one = Disk(filled_image(home / "one.qcow2", 1), "vdb", form="qcow2")
    disks = [Disk(make_sleeper(home / "boot.img")), one]
    xml = domain_xml("theirs", disks=disks, memory_mib=32, kernel=False, serial=False)
    (home / "theirs.xml").write_text(xml)
    for each in home.glob("*.*"):
        os.chown(each, uid, -1)
    virsh = ("virsh", "-c", "qemu:///session")
    ran = by_user(*virsh, "create", str(home / "theirs.xml"))
    assert ran.status == 0, ran.err
    yield "theirs"
    by_user(*virsh, "destroy", "theirs")


def test_what_may_not_be_written_there_leaves_the_guest_as_it_was(
    place: Path, as_user: Run, guest: str
) -> None:
    there = place / "pool"
    for words, why in (
        (("blockcopy", guest, "vdb", "--dest", f"{there}/x", "--finish"), "Permission denied"),
        (("backup-begin", guest, "--to", str(there)), f"you may not write to {there}"),
        (("save", guest, f"{there}/x"), "Permission denied"),
        (("dump", guest, f"{there}/x"), "Permission denied"),
    ):
        ran = as_user(*words)
        assert ran.status == 1, words
        reason, advice = ran.err.splitlines()[-2:]
        assert why in reason, words
        assert advice, words
        assert list(there.iterdir()) == []
        assert [each["state"] for each in as_user("list", "domains", "-o", "json").json] == [
            "running"
        ]
