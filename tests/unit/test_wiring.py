"""Which hosts there are, and what they are called."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuivirt import wiring
from tuivirt.backend import default_uri
from tuivirt.backend.events import EventHub
from tuivirt.backend.model.entry import HostEntry, wrong_name
from tuivirt.backend.model.host import Link


@pytest.mark.parametrize(
    ("uris", "names"),
    [
        (["qemu:///system"], ["local"]),
        (["test:///default"], ["local"]),
        (["demo:///"], ["demo"]),
        (["qemu+ssh://root@srv1/system"], ["srv1"]),
        (["qemu+ssh://root@srv1.example.org:2222/system?keyfile=/a/b"], ["srv1.example.org"]),
        (["qemu+tls://[2001:db8::1]/system"], ["[2001:db8::1]"]),
        (["qemu+unix:///system?socket=/run/a@b/sock"], ["local"]),
        (["alias"], ["alias"]),
        (["qemu:///system", "test:///default"], ["local", "local-test"]),
        (["qemu:///system", "qemu:///session", "qemu:///embed?root=/a", "qemu:///embed?root=/b"],
         ["local", "local-session", "local-embed", "local-qemu"]),
        (["qemu:///system", "qemu+unix:///system?socket=/tmp/tuivirtd-b/run/libvirt-sock",
          "qemu+unix:///system?mode=direct&socket=/var/run/libvirt/virtqemud-sock"],
         ["local", "local-tuivirtd-b", "local-system"]),
        (["qemu+unix:///system?socket=/run/a@b/x", "qemu+unix:///system?socket=/run/c@d/x"],
         ["local", "local-x"]),
        (["qemu+ssh://srv1/system", "qemu+ssh://srv1/session", "lxc+ssh://srv1/system"],
         ["srv1", "srv1-session", "srv1-lxc"]),
        (["qemu:///system", "qemu:///system"], ["local"]),
    ],
)  # fmt: skip
def test_a_host_is_named_by_its_uri_and_no_two_alike(uris: list[str], names: list[str]) -> None:
    assert [name for name, _ in wiring.named(uris)] == names


def test_a_host_that_hangs_as_it_closes_keeps_no_other_from_closing() -> None:
    release, closed = threading.Event(), threading.Event()

    class Hanging:
        name = "a"
        close = staticmethod(release.wait)

    class Quick:
        name = "b"
        close = staticmethod(closed.set)

    wired = wiring.Wiring(EventHub(), [Hanging(), Quick()])  # type: ignore[list-item]
    closing = threading.Thread(target=wired.close)
    closing.start()
    assert closed.wait(10)
    release.set()
    closing.join(10)
    assert not closing.is_alive()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A libvirt.conf of the test's own."""
    monkeypatch.delenv("LIBVIRT_DEFAULT_URI", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "libvirt" / "libvirt.conf"
    path.parent.mkdir()
    return path


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ('uri_default = "qemu+ssh://a/system"', "qemu+ssh://a/system"),
        ("# comment\n  uri_default='xen:///'\n", "xen:///"),
        ('#uri_default = "qemu+ssh://a/system"', default_uri.SYSTEM),
        ("", default_uri.SYSTEM),
    ],
)
def test_libvirts_own_configuration_gives_the_default(config: Path, text: str, uri: str) -> None:
    config.write_text(text)
    assert wiring.default_uri() == uri


def test_the_environment_comes_before_the_configuration(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text('uri_default = "qemu+ssh://a/system"')
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "test:///default")
    assert wiring.default_uri() == "test:///default"


SRV1 = HostEntry("srv1", "qemu+ssh://srv1/system", group="prod")
SRV2 = HostEntry("srv2", "qemu+ssh://srv2/system", connect=False)
HERE = HostEntry("here", "qemu:///system", connect=False)


@pytest.mark.parametrize(
    ("words", "entries", "connected", "rest"),
    [
        ([], [], ["local"], []),
        ([], [SRV1, SRV2], ["srv1"], ["srv2"]),
        # None of the settings' is wanted: the default, by the name that the settings have for it.
        ([], [SRV2], ["local"], ["srv2"]),
        ([], [SRV2, HERE], ["here"], ["srv2"]),
        (["srv2"], [SRV1, SRV2], ["srv2"], ["srv1"]),
        (["qemu+ssh://srv2/system"], [SRV1, SRV2], ["srv2"], ["srv1"]),
        (["test:///default", "srv1"], [SRV1], ["srv1", "local"], []),
        (["srv1", "qemu+ssh://srv1/system"], [SRV1], ["srv1"], []),
        # What the settings call srv1 is not another host's name.
        (["lxc+ssh://srv1/"], [SRV1], ["srv1-lxc"], ["srv1"]),
        (["nobody"], [SRV1], ["nobody"], ["srv1"]),
    ],
)
def test_which_hosts_a_run_has_and_which_of_them_are_connected(
    words: list[str],
    entries: list[HostEntry],
    connected: list[str],
    rest: list[str],
    config: Path,
) -> None:
    chosen = wiring.choose(words, entries)
    assert sorted(each.name for each in chosen if each.connect) == sorted(connected)
    assert [each.name for each in chosen if not each.connect] == rest


def test_the_demo_is_alone_but_for_what_was_named_too() -> None:
    names = [each.name for each in wiring.choose(["srv2"], [SRV1, SRV2], demo=True)]
    assert names == ["demo", "srv2"]


def test_a_host_that_is_not_connected_is_known_and_has_no_thread() -> None:
    before = {thread.name for thread in threading.enumerate()}
    entries = [HostEntry("a", "test:///default", connect=False, readonly=True)]
    wired = wiring.connect(EventHub(), ["demo:///?life=0"], entries=entries)
    try:
        by_name = {host.name: host for host in wired.hosts}
        assert by_name["a"].snapshot.link is Link.CLOSED
        assert by_name["a"].readonly
        assert [host.name for host in wired.begun] == ["demo"]
        started = {thread.name for thread in threading.enumerate()} - before
        assert not any(name.startswith("a-") for name in started)
    finally:
        wired.close()


def test_a_password_of_the_settings_is_used_and_in_no_snapshot() -> None:
    entries = [HostEntry("a", "qemu+ssh://u:secret@h/system", connect=False)]
    wired = wiring.connect(EventHub(), ["test:///default"], entries=entries, only=())
    try:
        assert wired.uris["a"] == "qemu+ssh://u:secret@h/system"
        assert not any("secret" in repr(host.snapshot) for host in wired.hosts)
    finally:
        wired.close()


_URIS = st.sampled_from(
    [f"{d}{t}://{h}{p}{q}" for d in ("qemu", "lxc") for t in ("", "+ssh", "+unix")
     for h in ("", "srv1", "u@srv1") for p in ("/system", "/session", "/")
     for q in ("", "?socket=/a/b", "?socket=/a/c")]
)  # fmt: skip


@given(st.lists(_URIS, max_size=12), st.sets(st.sampled_from(("local", "srv1", "srv1-lxc"))))
def test_no_two_hosts_have_one_name_and_none_has_one_that_is_taken(
    uris: list[str], taken: set[str]
) -> None:
    names = [name for name, _uri in wiring.named(uris, taken)]
    assert len(set(names)) == len(set(uris)) == len(names)
    assert not taken & set(names)
    assert not any(wrong_name(name) for name in names)
