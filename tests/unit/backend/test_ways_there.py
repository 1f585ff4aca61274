"""What a URI tells of the way to a host, and what of it is shown."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import libvirt
import pytest

from tuivirt.backend import admission, aliases
from tuivirt.backend.board import Board
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.ssh import door
from tuivirt.backend.ssh.door import _KEPT, _put, _split
from tuivirt.backend.uri import shown, transport


@pytest.mark.parametrize(
    ("uri", "way"),
    [
        ("qemu:///system", ""),
        ("qemu+unix:///system?socket=/x", ""),
        ("test:///default", ""),
        ("demo:///", ""),
        ("esx://host/", ""),
        ("qemu+ssh://ops@host:2222/system?keyfile=/k", "ssh"),
        ("QEMU+SSH://host/system", "ssh"),
        ("qemu+libssh2://host/system", "libssh2"),
        ("qemu://host/system", "tls"),
        ("xen+tcp://host/", "tcp"),
        ("prod", "alias"),
    ],
)
def test_a_uri_tells_the_way(uri: str, way: str) -> None:
    assert transport(uri) == way


@pytest.mark.parametrize("slash", ["/", "%2F"])
@pytest.mark.parametrize(
    ("before", "after"), [("?keyfile=/k&", ""), ("?", ""), ("?keyfile=/k&", "&mode=legacy")]
)
def test_our_own_ssh_is_never_shown(slash: str, before: str, after: str) -> None:
    ours = slash.join(("", "run", "user", "0", "tuivirt-x_1y", "ssh"))
    text = shown(f"qemu+ssh://host/system{before}command={ours}{after}")
    assert "tuivirt" not in text
    assert ("keyfile=/k" in text) == ("keyfile" in before)
    assert ("mode=legacy" in text) == ("mode" in after)


def test_an_operators_command_is_shown_as_any_parameter() -> None:
    assert shown("qemu+ssh://h/system?command=/opt/ssh") == "qemu+ssh://h/system?command=/opt/ssh"


@pytest.mark.parametrize(
    ("uri", "before", "command"),
    [
        ("qemu+ssh://h/system", "qemu+ssh://h/system?command=", "ssh"),
        ("qemu+ssh://h/system?a=1", "qemu+ssh://h/system?a=1&command=", "ssh"),
        ("qemu+ssh://h/system?command=/x%20y&a=%26", "qemu+ssh://h/system?a=%26&command=", "/x y"),
        ("qemu+ssh://h/system?a=1;command=/x;b", "qemu+ssh://h/system?a=1&b&command=", "/x"),
    ],
)
def test_the_command_is_replaced_and_all_else_passed_on(
    uri: str, before: str, command: str
) -> None:
    assert _split(uri) == (before, command)


@pytest.mark.parametrize(
    ("prompt", "kept"),
    [
        ("ops@srv2's password: ", True),
        ("Enter passphrase for key '/home/ops/.ssh/id': ", True),
        ("(ops@srv2) Password: ", True),
        ("Password: ", True),
        ("(ops@srv2) Verification code: ", False),
        ("(ops@srv2) Enter passphrase for today: ", False),
        ("(ops@srv2) New Password: ", False),
        ("Enter PIN for ED25519-SK key /home/ops/.ssh/id_sk: ", False),
    ],
)
def test_what_has_the_same_answer_next_time_is_kept(prompt: str, kept: bool) -> None:
    assert bool(_KEPT.match(prompt)) == kept


@pytest.mark.parametrize("runnable", [True, False])
def test_our_ssh_can_be_run_however_it_was_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runnable: bool
) -> None:
    monkeypatch.setattr("os.access", lambda _path, _mode: runnable)
    name = tmp_path / "askpass"
    _put(Path(door.__file__).with_name("askpass.sh"), name)
    assert name.is_symlink() == runnable
    # It finds what it needs beside the name that it is run by; here that is not there.
    done = subprocess.run([name, "password: "], capture_output=True, timeout=20)
    assert done.returncode != 0
    assert str(tmp_path / "told").encode() in done.stderr


def test_an_alias_of_libvirt_conf_is_resolved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "libvirt").mkdir()
    (tmp_path / "libvirt" / "libvirt.conf").write_text(
        '#uri_aliases = ["not=qemu+ssh://this/"]\n'
        "uri_aliases = [\n  # a remark\n"
        '  "prod=qemu+ssh://root@prod/system?mode=auto",\n'
        "  'test=qemu+tcp://t/system', ]\n"
    )
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert aliases.uri_aliases() == {
        "prod": "qemu+ssh://root@prod/system?mode=auto",
        "test": "qemu+tcp://t/system",
    }
    assert aliases.resolved("prod") == "qemu+ssh://root@prod/system?mode=auto"
    assert aliases.resolved("other") == "other"


def test_the_way_to_wake_a_door_is_not_closed_while_it_is_written_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = door.Door("qemu+ssh://h/system", cast(Any, SimpleNamespace(waiting=False)))
    held: list[bool] = []
    monkeypatch.setattr("os.write", lambda _end, _data: held.append(made._lock.locked()))
    made._wake()
    monkeypatch.undo()
    made.close()
    assert held == [True]


def test_a_door_that_is_made_when_its_host_is_closed_already_is_closed_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_words: object) -> None:
        raise libvirt.libvirtError("nobody there")

    made: list[door.Door] = []
    whole = door.Door

    def making(uri: str, inquiry: Any) -> door.Door:
        made.append(whole(uri, inquiry))
        return made[-1]

    monkeypatch.setattr(door, "Door", making)
    monkeypatch.setattr(admission, "open_connection", refused)
    host = Board("srv", "qemu+ssh://h/system", lambda _event: None)
    host.readonly = False  # type: ignore[attr-defined]
    way = admission.Admission(cast(Any, host), "qemu+ssh://h/system")
    way.close()
    with pytest.raises(TuivirtError):
        way.open()
    assert not made[0]._folder.exists()
