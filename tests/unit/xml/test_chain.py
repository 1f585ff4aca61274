"""Chains of images, as a running domain's XML has them, and the journal of what was begun."""

from __future__ import annotations

import pytest

from tuivirt.backend.model.block_job import Begun, Layer, Mirror
from tuivirt.backend.xml.chain import copy_xml, parse_chains, read_begun, written_begun
from tuivirt.backend.xml.errors import MalformedXml
from tuivirt.backend.xml.tree import parse

RUNNING = """<domain type='qemu'><devices>
<disk type='file' device='disk'>
  <driver name='qemu' type='qcow2'/>
  <source file='/i/top' index='3'/>
  <backingStore type='file' index='2'>
    <format type='qcow2'/><source file='/i/mid'/>
    <backingStore type='block' index='1'>
      <format type='raw'/><source dev='/dev/v/base'/><backingStore/>
    </backingStore>
  </backingStore>
  <mirror type='file' job='active-commit' ready='yes'>
    <format type='raw'/><source file='/i/mid'/>
  </mirror>
  <target dev='vda' bus='virtio'/>
</disk>
<disk type='network' device='disk'>
  <driver name='qemu' type='raw'/>
  <source protocol='rbd' name='pool/image'><host name='h'/></source>
  <target dev='vdb'/><readonly/>
</disk>
<disk type='file' device='cdrom'><target dev='sda'/></disk>
<disk type='volume'><source pool='p' volume='v'/><target dev='vdc'/></disk>
</devices></domain>"""


def test_each_layer_has_its_path_number_and_format() -> None:
    chain = parse_chains(RUNNING)["vda"]
    assert chain.layers == (
        Layer("/i/top", "3", "file", "qcow2"),
        Layer("/i/mid", "2", "file", "qcow2"),
        Layer("/dev/v/base", "1", "block", "raw"),
    )
    assert chain.mirror == Mirror("active-commit", "/i/mid", True)
    assert (chain.source, chain.name_of(1)) == ("/i/top", "vda[2]")


def test_what_is_no_file_is_named_and_what_is_empty_has_no_layer() -> None:
    chains = parse_chains(RUNNING)
    assert chains["vdb"].paths == ("rbd:pool/image",)
    assert chains["vdb"].readonly
    assert chains["sda"].paths == ()
    assert chains["vdc"].paths == ("p/v",)


def test_a_destination_may_have_any_name() -> None:
    root = parse(copy_xml("/i/<&'\">", "qcow2", block=False))
    assert root.find("source").get("file") == "/i/<&'\">"
    assert parse(copy_xml("/dev/x", "raw", block=True)).get("type") == "block"


def test_what_was_begun_is_read_as_it_was_written() -> None:
    begun = (
        Begun("vda", "commit", "/i/top", "/i/b", ("/i/<mid>", "/i/n")),
        Begun("vdb", "copy", "/i/x", "/i/更新"),
    )
    assert read_begun(written_begun(begun)) == begun
    assert written_begun(()) == ""
    assert read_begun("") == ()
    with pytest.raises(MalformedXml):
        read_begun("<jobs")
