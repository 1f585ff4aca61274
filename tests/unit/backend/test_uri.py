"""What a URI tells of a connection, and what of it may be shown."""

from __future__ import annotations

import pytest

from tuivirt.backend.host import Host
from tuivirt.backend.uri import is_local, shown


@pytest.mark.parametrize(
    ("uri", "local"),
    [
        ("qemu:///system", True),
        ("qemu+unix:///session", True),
        ("xen:///", True),
        ("qemu+ssh://host/system", False),
        ("qemu+ext:///system?command=/usr/local/bin/to-host", False),
        ("qemu+unix:///system?socket=/tmp/forwarded", False),
        ("qemu:///system?socket=/tmp/forwarded", False),
        ("an-alias-of-libvirt.conf", False),
        ("test:///default", False),
        ("demo:///", False),
    ],
)
def test_paths_are_only_looked_at_where_the_daemon_is_on_this_machine(
    uri: str, local: bool
) -> None:
    assert is_local(uri) is local


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("qemu+tcp://root:secret@srv1:16509/system", "qemu+tcp://root@srv1:16509/system"),
        ("qemu+libssh2://root:s3@cret@srv1/system", "qemu+libssh2://root@srv1/system"),
        ("unable to parse URI qemu+ssh://a:b@c/ d", "unable to parse URI qemu+ssh://a@c/ d"),
        ("qemu+ssh://root@srv1:22/system?keyfile=/x", "qemu+ssh://root@srv1:22/system?keyfile=/x"),
        ("qemu+ssh://root:pa/ss@srv1/system", "qemu+ssh://root@srv1/system"),
        ("qemu+ssh://srv1:22/system?keyfile=/a@b", "qemu+ssh://srv1:22/system?keyfile=/a@b"),
        ("qemu+ssh://[fe80::1]/system?keyfile=/a@b", "qemu+ssh://[fe80::1]/system?keyfile=/a@b"),
        ("qemu:///system", "qemu:///system"),
    ],
)
def test_a_uri_is_shown_without_its_password(text: str, harmless: str) -> None:
    assert shown(text) == harmless


def test_a_host_tells_of_itself_without_its_password() -> None:
    host = Host("srv1", "qemu+tcp://root:secret@srv1/system", publish=lambda event: None)
    assert host.uri == host.snapshot.uri == "qemu+tcp://root@srv1/system"
