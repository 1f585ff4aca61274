"""What qemu-img's errors mean, how it is ended, and what is judged of who uses an image."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tuivirt.backend import disks
from tuivirt.backend.errors import Aborted, BadInput, TuivirtError
from tuivirt.backend.images import judge, tool
from tuivirt.backend.images.conversion import check
from tuivirt.backend.images.users import Usage, Use
from tuivirt.backend.model.finding import Finding, Weight
from tuivirt.backend.storage import images


@pytest.mark.parametrize(
    ("said", "why", "advice"),
    [
        (
            'qemu-img: Failed to get "write" lock\nIs another process using the image [/x]?',
            "another process has the image open: Failed to get",
            "fuser",
        ),
        ("qemu-img: error while writing: No space left on device", "No space left", "make room"),
        ("qemu-img: Could not open '/x': Permission denied", "Permission denied", "whose"),
        ("qemu-img: Image is not in qcow2 format", "not in qcow2", "which format"),
        ("qemu-img: Could not open '/block': No such file", "Could not open '/block'", ""),
        ("qemu-img: Some words\nTry 'qemu-img --help' for more information", "Some words", ""),
        ("", "ended with 1 and said nothing", ""),
    ],
)
def test_an_error_of_qemu_img_keeps_its_words_and_says_what_to_do(
    said: str, why: str, advice: str
) -> None:
    error = tool.failed("cannot convert /x", tool.Answer(1, "", said))
    assert str(error).startswith("cannot convert /x: ")
    assert why in error.why
    assert "qemu-img: " not in error.why
    assert "Try 'qemu-img" not in error.why
    assert advice in error.advice


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In qemu-img's place a script, which a test writes."""
    path = tmp_path / "qemu-img"
    path.touch(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return path


def test_how_far_it_is_is_read_as_it_comes(fake: Path) -> None:
    fake.write_text("#!/bin/sh\nprintf '    (12.50/100%%)\\r'; sleep 0.3\nprintf ' (100.00/100%%)'")
    told: list[float | None] = []
    answer = tool.run(["convert"], progress=lambda _text, far: told.append(far), saying="x")
    assert answer.status == 0
    assert told[-1] == 1.0
    assert 0.125 in told


def test_one_that_does_not_heed_the_abort_is_killed(
    fake: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tool, "_TERM_S", 0.3)
    pid = tmp_path / "pid"
    fake.write_text(f"#!/bin/sh\ntrap '' TERM\necho $$ >{pid}\nwhile :; do sleep 0.1; done")
    aborted = threading.Event()

    def progress(_text: str, _far: float | None) -> None:
        while not pid.exists() or not pid.read_text():
            time.sleep(0.01)
        aborted.set()

    with pytest.raises(Aborted):
        tool.run(["convert"], aborted=aborted, progress=progress)
    assert not Path(f"/proc/{int(pid.read_text())}").exists()


def test_one_that_was_done_before_it_heard_of_the_abort_is_done(fake: Path) -> None:
    fake.write_text("#!/bin/sh\ntrap 'exit 0' TERM\nsleep 5 & wait")
    aborted = threading.Event()
    threading.Timer(0.3, aborted.set).start()
    assert tool.run(["convert"], aborted=aborted).status == 0


def test_one_that_does_not_answer_is_told_of(fake: Path) -> None:
    fake.write_text("#!/bin/sh\nexec sleep 60")
    with pytest.raises(TuivirtError, match=r"qemu-img info has not answered within 0\.2 s"):
        tool.run(["info"], timeout_s=0.2)


def test_one_that_hangs_in_the_kernel_is_left_there_with_all_that_it_has_said(
    fake: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on a dead NFS server: its ends are closed, and no signal ends it."""
    pid = tmp_path / "pid"
    fake.write_text(f"#!/bin/sh\necho $$ >{pid}\nexec sleep 60 >&- 2>&-")
    monkeypatch.setattr(tool, "_signal", lambda *_: None)
    monkeypatch.setattr(tool, "_TERM_S", 0.1)
    monkeypatch.setattr(tool, "_KILLED_S", 0.1)
    monkeypatch.setattr(tool, "PROBE_S", 0.5)
    for look in (disks.probe, images.look):
        with pytest.raises(BadInput, match="it hangs in the kernel"):
            look("/x")
        os.kill(int(pid.read_text()), signal.SIGKILL)


def test_one_that_somebody_kills_has_failed(fake: Path) -> None:
    fake.write_text("#!/bin/sh\nkill -KILL $$")
    answer = tool.run(["convert"])
    assert answer.status == -signal.SIGKILL
    assert "ended by signal 9" in tool.failed("x", answer).why


def test_where_there_is_no_qemu_img_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BadInput, match="there is no qemu-img") as error:
        tool.run(["info"])
    assert "qemu-utils" in error.value.advice


def use(
    domain: str,
    *,
    running: bool = False,
    below: bool = False,
    reads_only: bool = False,
    saved: bool = False,
) -> Use:
    return Use(domain, "vda", running, below, reads_only, "", saved)


def weights(found: list[Finding]) -> list[Weight]:
    return [each.weight for each in found]


def test_who_writes_to_an_image_keeps_it_from_being_read_and_who_reads_from_being_written() -> None:
    writer = Usage("/x", (use("a", running=True),))
    reader = Usage("/x", (use("a", running=True, below=True, reads_only=True),))
    assert weights(judge.against_reading(writer)) == [Weight.REFUSED]
    assert judge.against_reading(reader) == []
    for usage in (writer, reader):
        assert weights(judge.against_writing(usage, content=False)) == [Weight.REFUSED]


def test_what_lies_on_an_image_or_was_saved_with_it_is_a_risk_where_its_content_changes() -> None:
    off = Usage("/x", (use("a", below=True), use("b", saved=True)), ("/y",))
    assert weights(judge.against_writing(off, content=False)) == [Weight.NOTE]
    note, spoilt, saved = judge.against_writing(off, content=True)
    assert note.text == "/x is vda of b, which is off"
    assert spoilt.text.startswith("vda of a, /y lie on it")
    assert saved.text.startswith("vda of b: its saved memory")
    assert weights([spoilt, saved]) == [Weight.RISK, Weight.RISK]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"target": "b", "in_place": True}, "not both"),
        ({"target": "b", "drop_original": True}, "leaves an original"),
        ({"target": "b", "preallocation": "full", "compress": True}, "takes its space"),
        ({"target": "b", "preallocation": "full", "options": "preallocation=off"}, "twice"),
    ],
)
def test_what_contradicts_itself_is_refused_before_anything_is_looked_at(
    values: dict[str, object], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        check({"path": "a", **values})
