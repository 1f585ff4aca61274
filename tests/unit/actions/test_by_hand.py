"""The equivalent virsh command is done to the same host wherever it is typed."""

from __future__ import annotations

import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tuivirt.actions.by_hand import told_of, where
from tuivirt.actions.catalog import listed
from tuivirt.backend import default_uri
from tuivirt.backend.model.host import HostSnapshot
from tuivirt.backend.uri import shown

SYSTEM = HostSnapshot("local", "qemu:///system")
FAR = HostSnapshot("srv1", "qemu+ssh://root@srv1/system?keyfile=/a b/key&no_tty=1")


@pytest.fixture(autouse=True)
def root_of_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A superuser with no configuration of libvirt's own."""
    for name in ("LIBVIRT_DEFAULT_URI", "VIRSH_DEFAULT_CONNECT_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)


def command(
    host: HostSnapshot, name: str = "start", *, several: bool = False, **values: Any
) -> str:
    return listed()[name].equivalent("web", {**values, **where(host, several=several)})


def test_virshs_own_host_need_not_be_named_where_it_is_the_only_one() -> None:
    assert command(SYSTEM) == "virsh start web"
    assert command(SYSTEM, several=True) == "virsh -c qemu:///system start web"


def test_another_host_is_named_and_quoted_for_a_shell() -> None:
    said = shlex.split(command(FAR))
    assert said == ["virsh", "-c", FAR.uri, "start", "web"]
    literal = HostSnapshot("six", "qemu+ssh://[fe80::1]/system")
    assert shlex.split(command(literal)) == ["virsh", "-c", literal.uri, "start", "web"]


@pytest.mark.parametrize(
    ("name", "told"),
    [("VIRSH_DEFAULT_CONNECT_URI", True), ("LIBVIRT_DEFAULT_URI", True), ("HOME", False)],
)
def test_the_environment_says_where_virsh_goes(
    monkeypatch: pytest.MonkeyPatch, name: str, told: bool
) -> None:
    monkeypatch.setenv(name, "test:///default")
    assert command(SYSTEM) == ("virsh -c qemu:///system start web" if told else "virsh start web")
    assert ("-c" in command(HostSnapshot("t", "test:///default"))) is not told


def test_an_ordinary_users_virsh_goes_to_its_own_daemon(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert command(SYSTEM) == "virsh -c qemu:///system start web"
    (tmp_path / "libvirt").mkdir()
    (tmp_path / "libvirt/libvirt.conf").write_text('uri_default = "qemu:///system"\n')
    assert default_uri.of_virsh() == "qemu:///system"
    assert command(SYSTEM) == "virsh start web"
    # libvirt reads the machine's file for root and no other.
    monkeypatch.setattr("os.geteuid", lambda: 0)
    (tmp_path / "libvirt/libvirt.conf").write_text('uri_default = "qemu+ssh://elsewhere/system"\n')
    assert command(SYSTEM) == "virsh start web"


def test_each_command_of_several_names_it_and_no_value_becomes_one() -> None:
    said = command(FAR, "detach-hostdev", device="x; virsh y")
    assert said.count("virsh -c ") == 2
    assert "'x; virsh y'" in said
    assert command(FAR, "console", escape="^[").startswith("virsh -c 'qemu+ssh://root@srv1/")


def test_every_command_names_it() -> None:
    for each in listed().values():
        for template in filter(None, (each.virsh, each.otherwise[0])):
            assert template.startswith("virsh")
        if each.virsh:
            assert command(FAR, each.name).startswith("virsh -c ")


def test_the_demo_is_nobody_elses_and_a_password_is_not_said() -> None:
    assert command(HostSnapshot("demo", "demo:///"), several=True) == "virsh start web"
    host: Any = SimpleNamespace(
        snapshot=HostSnapshot("h", shown("qemu+tcp://me:secret@h/system")), started=lambda: ()
    )
    assert told_of(host) == {"its_uri": "qemu+tcp://me@h/system"}
