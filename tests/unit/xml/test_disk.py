"""Disks to attach, and disks as they are read."""

from __future__ import annotations

import pytest

from tuivirt.backend.xml.disk import build_disk, parse_disk
from tuivirt.backend.xml.errors import BadValue

HOSTILE = [
    'a "b"',
    "it's",
    "<disk/>",
    "&amp;",
    "磁盘 木",
    "tab\there",
    "line\nbreak",
    "\x85\u2028",
    "]]>",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_path_with_any_character_xml_can_hold_comes_back_the_same(name: str) -> None:
    disk = parse_disk(build_disk(target="vdb", source=f"/{name}", serial=name.strip()))
    assert (disk.source, disk.serial) == (f"/{name}", name.strip())


@pytest.mark.parametrize("bad", ["\x00", "\x07", "\x1b[2J", "\ufffe"])
def test_a_path_that_xml_cannot_hold_is_refused_by_its_field(bad: str) -> None:
    with pytest.raises(BadValue, match="source: holds the character U") as caught:
        build_disk(target="vdb", source=f"/a{bad}")
    assert caught.value.field == "source"


def test_a_file_is_attached_as_libvirt_wants_it() -> None:
    assert build_disk(target="vdb", source="/img", format="raw", cache="none") == (
        '<disk type="file" device="disk"><driver name="qemu" type="raw" cache="none"/>'
        '<source file="/img"/><target dev="vdb" bus="virtio"/></disk>'
    )


def test_a_volume_is_named_by_its_pool() -> None:
    disk = parse_disk(build_disk(target="vdb", source_type="volume", pool="p", volume="v"))
    assert (disk.source_type, disk.source, disk.pool, disk.volume) == ("volume", "p/v", "p", "v")


def test_a_cdrom_may_be_empty_and_is_read_only() -> None:
    disk = parse_disk(build_disk(target="sda", bus="sata", device="cdrom"))
    assert (disk.device, disk.source, disk.readonly) == ("cdrom", "", True)


def test_a_disk_without_a_source_is_refused() -> None:
    with pytest.raises(BadValue, match="only a CD-ROM or floppy drive may be empty"):
        build_disk(target="vdb")
    with pytest.raises(BadValue, match="pool's name and its own"):
        build_disk(target="vdb", source_type="volume", pool="p")


def test_a_disk_without_a_target_is_refused() -> None:
    with pytest.raises(BadValue, match="target: a disk cannot be made without it"):
        build_disk(target="", source="/img")


@pytest.mark.parametrize(
    ("source", "kind", "told"),
    [
        ("<disk><source file='/f'/><target dev='vda'/></disk>", "file", "/f"),
        ("<disk type='block'><source dev='/dev/sda'/></disk>", "block", "/dev/sda"),
        ("<disk type='dir'><source dir='/d'/></disk>", "dir", "/d"),
        ("<disk type='network'><source protocol='rbd' name='p/i'/></disk>", "network", "rbd:p/i"),
        (
            (
                "<disk type='network'><source protocol='nbd' name='a'><host name='h' port='10809'/>"
                "</source></disk>"
            ),
            "network",
            "nbd://h/a",
        ),
        (
            "<disk type='nvme'><source><address bus='0x81' slot='0' function='0'/></source></disk>",
            "nvme",
            "0000:81:00.0",
        ),
        ("<disk type='vhostuser'><source type='unix' path='/s'/></disk>", "vhostuser", "/s"),
    ],
)
def test_every_kind_of_source_is_told_in_one_word(source: str, kind: str, told: str) -> None:
    disk = parse_disk(source)
    assert (disk.source_type, disk.source) == (kind, told)


def test_the_chain_of_backing_files_is_told_nearest_first() -> None:
    disk = parse_disk(
        "<disk><source file='/c'/><backingStore type='file'><source file='/b'/>"
        "<backingStore type='block'><source dev='/dev/a'/><backingStore/></backingStore>"
        "</backingStore></disk>"
    )
    assert disk.backing == ("/b", "/dev/a")
