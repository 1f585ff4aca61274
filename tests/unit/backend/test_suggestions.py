"""Hosts that this machine knows by name: where they are found, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuivirt.backend import suggestions
from tuivirt.backend.suggestions import Suggestion, gvariant_texts, libvirt_conf, ssh_hosts

CONF = """
# uri_aliases = ["old=qemu+ssh://old/system"]
uri_aliases = [
  "hail=qemu+ssh://root@hail.example.org/system",   # the big one
  # "gone=qemu+ssh://gone/system",
  'sleet=qemu+tls://[2001:db8::1]/system',
  "nonsense",
]
uri_default = "qemu+ssh://u:secret@far/system"
"""


def test_libvirts_aliases_and_default_are_named_with_their_file() -> None:
    assert list(libvirt_conf(CONF, "libvirt.conf")) == [
        Suggestion(
            "hail", "qemu+ssh://root@hail.example.org/system", "uri_aliases of libvirt.conf"
        ),
        Suggestion("sleet", "qemu+tls://[2001:db8::1]/system", "uri_aliases of libvirt.conf"),
        Suggestion("", "qemu+ssh://u@far/system", "uri_default of libvirt.conf"),
    ]


@pytest.mark.parametrize("text", ["", "uri_aliases = [", "uri_aliases = []", "uri_aliases = 3"])
def test_a_libvirt_conf_without_aliases_names_none(text: str) -> None:
    assert list(libvirt_conf(text, "libvirt.conf")) == []


@pytest.mark.parametrize(
    ("text", "uris"),
    [
        ("['qemu:///system', 'lxc:///']\n", ["qemu:///system", "lxc:///"]),
        ("@as []\n", []),
        ("", []),
        ("No such schema", []),
        ("{'a': 1}", []),
        ("[1, 'x:///']", ["x:///"]),
    ],
)
def test_what_gsettings_prints_is_read(text: str, uris: list[str]) -> None:
    assert gvariant_texts(text) == uris


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, and programs, of the test's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.delenv("LIBVIRT_DEFAULT_URI", raising=False)
    for folder in ("bin", ".ssh", ".config/libvirt"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("gsettings", "dconf"):
        program(tmp_path, name, "exit 1")
    return tmp_path


def program(home: Path, name: str, script: str) -> None:
    path = home / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_each_uri_is_suggested_once_by_who_comes_first(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "qemu+ssh://far/system")
    (home / ".config/libvirt/libvirt.conf").write_text('uri_aliases = ["x=qemu+ssh://x/system"]')
    program(home, "gsettings", "echo \"['qemu+ssh://x/system', 'qemu:///system']\"")
    found = {each.uri: each.source for each in suggestions.known_hosts()}
    assert found["qemu+ssh://far/system"] == "LIBVIRT_DEFAULT_URI"
    assert found["qemu+ssh://x/system"].startswith("uri_aliases of ")
    assert found["qemu:///system"] == "virt-manager"


def test_dconf_is_asked_where_gsettings_knows_nothing(home: Path) -> None:
    program(home, "dconf", "echo \"['lxc:///']\"")
    assert Suggestion("", "lxc:///", "virt-manager") in suggestions.known_hosts()


def test_a_program_that_hangs_is_not_waited_for(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestions, "ASK_S", 0.1)
    for name in ("gsettings", "dconf"):
        program(home, name, "exec sleep 1000")
    assert not any(each.source == "virt-manager" for each in suggestions.known_hosts())


def test_ssh_hosts_are_those_of_its_files_without_patterns(home: Path) -> None:
    config = home / ".ssh/config"
    config.write_text(
        "# Host commented\n"
        'Host web db "quoted"\n  HostName 192.0.2.1\n  User root\n'
        "Host *.example.org !bad ?x 10.0.0.*\n"
        "host=lower\n"
        "Match host never\n"
        "Include more.conf ~/.ssh/absent.d/*\n"
        'Host "unclosed\n'
    )
    (home / ".ssh/more.conf").write_text("Include config\nHost included web\n")
    found = ssh_hosts()
    assert [each.name for each in found] == ["web", "db", "quoted", "lower", "included"]
    assert found[0].uri == "qemu+ssh://web/system"


def test_without_a_file_of_ssh_there_are_none_and_an_unreadable_one_is_an_error(
    home: Path,
) -> None:
    assert ssh_hosts() == []
    (home / ".ssh/config").mkdir()
    with pytest.raises(OSError):
        ssh_hosts()
