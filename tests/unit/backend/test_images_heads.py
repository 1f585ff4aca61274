"""What is read of images without running anything, and what is typed of their options."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from pathlib import Path

import pytest

from tuivirt.backend.errors import BadInput
from tuivirt.backend.images import header
from tuivirt.backend.images.layout import HEAD_BYTES, end_of_use
from tuivirt.backend.images.options import bytes_of, in_words, read_options
from tuivirt.backend.model.size import spelled

MIB = 1 << 20


def qcow2(path: Path, backing: bytes, *, version: int = 3, length: int | None = None) -> Path:
    """The head of an image, and nothing else of it."""
    size = len(backing) if length is None else length
    path.write_bytes(struct.pack(">4sIQI", b"QFI\xfb", version, 512, size).ljust(512) + backing)
    return path


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (b"base.img", "{folder}/base.img"),
        (b"../up.img", "{above}/up.img"),
        (b"/x/base.img", "/x/base.img"),
        (b"./a:b.img", "{folder}/a:b.img"),
        (b"file:/x/a:b", "/x/a:b"),
        (b"file:///x/a", "/x/a"),
        (b"host_device:/dev/vg/x", "/dev/vg/x"),
        (b"nbd://server/x", "nbd://server/x"),
        (b"rbd:vms/web:id=me", "rbd:///vms/web"),
        (b'json:{"driver":"qcow2","file":{"driver":"file","filename":"/x/j.img"}}', "/x/j.img"),
        (b'json:{"driver":"raw","file.filename":"/x/k.img"}', "/x/k.img"),
        (b'json:{"driver":"quorum","children":[{"file":{"filename":"/x/q:1"}}]}', "/x/q:1"),
        (b'json:{"file":{"driver":"rbd","pool":"vms","image":"w"}}', "rbd:///vms/w"),
        (b"", ""),
    ],
)
def test_what_an_image_lies_on_is_told_by_its_head(tmp_path: Path, name: bytes, found: str) -> None:
    image = qcow2(tmp_path / "top.qcow2", name)
    wanted = found.format(folder=tmp_path, above=tmp_path.parent)
    assert "".join(header.look(str(image)).below) == wanted
    assert header.located(str(image), os.fsdecode(name)) == (wanted if wanted[:1] == "/" else "")


@pytest.mark.parametrize(
    "name", [b"json:{nonsense", b"blkdebug:x:/y", b'json:{"driver":"null-co"}', b"/x\0y"]
)
def test_a_name_that_is_not_understood_is_told_and_not_taken_for_none(
    tmp_path: Path, name: bytes
) -> None:
    head = header.look(str(qcow2(tmp_path / "top.qcow2", name)))
    assert head.below == ()
    assert head.unsure


@pytest.mark.parametrize(
    "options",
    [
        ["-f", "qcow2", "-o", "data_file={folder}/below.img", "{image}", "1M"],
        ["-f", "qcow2", "-b", "below.img", "-F", "raw", "{image}", "1M"],
        ["-f", "qcow", "-b", "{folder}/below.img", "-F", "raw", "{image}", "1M"],
        ["-f", "qed", "-b", "{folder}/below.img", "-F", "raw", "{image}", "1M"],
        ["-f", "vmdk", "-b", "{folder}/below.img", "-F", "vmdk", "{image}"],
    ],
    ids=["data file", "qcow2", "qcow", "qed", "vmdk"],
)
def test_what_the_real_qemu_img_writes_is_understood(tmp_path: Path, options: list[str]) -> None:
    below, image = tmp_path / "below.img", tmp_path / "image"
    form = "vmdk" if "vmdk" in options else "raw"
    subprocess.run(["qemu-img", "create", "-q", "-f", form, str(below), "1M"], check=True)
    words = [word.format(folder=tmp_path, image=image) for word in options]
    subprocess.run(["qemu-img", "create", "-q", *words], check=True)
    assert header.look(str(image)).below == (str(below),)
    assert header.look(str(below)).below == ()


def test_what_is_no_image_lies_on_nothing(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_bytes(b"QFI\xfb")
    long = qcow2(tmp_path / "long", b"x", length=1 << 30)
    old = qcow2(tmp_path / "old", b"x", version=9)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (short, long, old, pipe, tmp_path):
        assert header.look(str(path)) == header.Head()
    with pytest.raises(FileNotFoundError):
        header.look(str(tmp_path / "none"))


def mbr(*parts: tuple[int, int]) -> bytes:
    head = bytearray(HEAD_BYTES)
    for place, (start, sectors) in enumerate(parts):
        entry = struct.pack("<B3xB3xII", 0x80, 0x83, start, sectors)
        head[446 + 16 * place : 462 + 16 * place] = entry
    head[510:512] = b"\x55\xaa"
    return bytes(head)


def gpt(*parts: tuple[int, int]) -> bytes:
    head = bytearray(mbr((1, 0xFFFFFFFF)))
    head[512:520] = b"EFI PART"
    struct.pack_into("<QII", head, 512 + 72, 2, 128, 128)
    for place, (first, last) in enumerate(parts):
        struct.pack_into("<16s16sQQ", head, 1024 + 128 * place, b"k" * 16, b"u" * 16, first, last)
    return bytes(head)


def ext4(blocks: int) -> bytes:
    head = bytearray(HEAD_BYTES)
    head[1080:1082] = b"\x53\xef"
    struct.pack_into("<I", head, 1028, blocks)
    struct.pack_into("<I", head, 1048, 2)
    return bytes(head)


def xfs(blocks: int) -> bytes:
    return struct.pack(">4sIQ", b"XFSB", 4096, blocks).ljust(HEAD_BYTES, b"\0")


@pytest.mark.parametrize(
    ("head", "end", "what"),
    [
        (mbr((2048, 2048), (4096, 4096)), 4 * MIB, "its last partition"),
        (gpt((2048, 4095), (4096, 10239)), 5 * MIB, "its last partition"),
        (ext4(256), MIB, "its ext4 file system"),
        (xfs(512), 2 * MIB, "its XFS file system"),
        (bytes(HEAD_BYTES), 0, ""),
        (b"\xff" * HEAD_BYTES, 0, ""),
    ],
)
def test_where_what_is_on_a_disk_ends(head: bytes, end: int, what: str) -> None:
    assert end_of_use(head) == (end, what)


def test_options_are_read_as_they_are_typed_and_given_as_qemu_img_takes_them() -> None:
    options = read_options("cluster_size=2M, compat=1.1,adapter_type=a,,b")
    assert options == {"cluster_size": "2M", "compat": "1.1", "adapter_type": "a,b"}
    assert in_words(options)[-1] == "adapter_type=a,,b"
    assert read_options(" ") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("compat", "is no option"),
        ("=1", "is no option"),
        ("backing_file=/etc/shadow", "image-rebase"),
        ("data_file=/etc/shadow", "lie elsewhere"),
        ("encrypt.format=luks", "not encrypted here"),
        ("compat=1.1,compat=0.10", "twice"),
    ],
)
def test_an_option_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_options(text)


def test_a_size_is_absolute_or_beside_what_there_is() -> None:
    assert bytes_of("3MiB") == 3 * MIB
    assert bytes_of("+1M", 2 * MIB) == 3 * MIB
    assert bytes_of("-1MiB", 2 * MIB) == MIB
    for wrong in ("12", "", "-3MiB", "0M", "much", "9999999999T"):
        with pytest.raises(BadInput):
            bytes_of(wrong, 2 * MIB)


def test_sizes_are_told_as_people_read_them() -> None:
    sizes = (0, 1, 512, 64 * MIB, 3 * (MIB << 9), 1023 * MIB)
    told = [spelled(size) for size in (*sizes, 12345 << 40, None)]
    assert told[:6] == ["0 bytes", "1 byte", "512 bytes", "64 MiB", "1.5 GiB", "1023 MiB"]
    assert told[6:] == ["12345 TiB", "?"]


def test_a_description_in_json_that_goes_deep_is_no_trouble() -> None:
    deep = '{"file":' * 100_000 + "1" + "}" * 100_000
    assert header.located("/x/a", "json:" + deep) == ""
    assert header.located("/x/a", "json:" + json.dumps({"file": {"filename": "b"}})) == "/x/b"
