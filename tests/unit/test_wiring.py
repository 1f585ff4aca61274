"""Which hosts there are, and what they are called."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tuivirt import wiring
from tuivirt.backend.events import EventHub


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
        ('#uri_default = "qemu+ssh://a/system"', wiring.SYSTEM_URI),
        ("", wiring.SYSTEM_URI),
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
