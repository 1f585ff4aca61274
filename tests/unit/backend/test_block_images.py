"""Images where they lie: what each lies on, by its header."""

from __future__ import annotations

import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tuivirt.backend.block_jobs.images import DEEPEST, below, down_from, is_there


class Away:
    """A connection of which no pool knows anything."""

    def storageVolLookupByPath(self, path: str) -> Any:
        import libvirt

        raise libvirt.libvirtError(f"no volume {path}")


@pytest.fixture
def host() -> Any:
    info = SimpleNamespace(local=True, demo=False)
    return SimpleNamespace(name="h", snapshot=SimpleNamespace(info=info), conn=Away())


def qcow2(path: Path, backing: bytes = b"") -> Path:
    head = b"QFI\xfb" + struct.pack(">IQI", 3, 104 if backing else 0, len(backing))
    path.write_bytes(head.ljust(104, b"\0") + backing)
    return path


def test_a_chain_is_followed_by_relative_and_absolute_names(host: Any, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.write_bytes(b"raw" * 100)
    mid = qcow2(tmp_path / "mid", str(base).encode())
    top = qcow2(tmp_path / "top", b"mid")
    assert down_from(host, str(top)) == (str(top), str(mid), str(base))
    assert below(host, str(qcow2(tmp_path / "own", b"file:base"))) == str(base)


def test_what_is_no_image_of_that_format_lies_on_nothing(host: Any, tmp_path: Path) -> None:
    for data in (b"", b"QFI\xfb", b"QFI\xfb" + b"\xff" * 200):
        (tmp_path / "x").write_bytes(data)
        assert below(host, str(tmp_path / "x")) == ""
    assert below(host, str(tmp_path / "gone")) == ""
    assert below(host, str(qcow2(tmp_path / "net", b"nbd://h/x"))) == "nbd://h/x"


def test_a_ring_comes_to_an_end(host: Any, tmp_path: Path) -> None:
    one = qcow2(tmp_path / "one", b"two")
    two = qcow2(tmp_path / "two", b"one")
    assert down_from(host, str(one)) == (str(one), str(two))
    assert DEEPEST >= 2


def test_what_another_machine_has_is_not_taken_for_gone(host: Any, tmp_path: Path) -> None:
    assert is_there(host, str(tmp_path / "gone")) is False
    host.snapshot.info.local = False
    assert is_there(host, str(tmp_path / "gone")) is None
    assert is_there(host, "rbd:pool/image") is None
