"""QEMU's own driver takes every device that we write, and says of it what we said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libvirt
import pytest

from tests.support.guests import UNDEFINE, unique_name
from tests.unit.xml.pairs import Pair, pairs
from tuivirt.backend.xml import edit
from tuivirt.backend.xml.tree import parse

MACHINE = """<domain type='qemu'>
  <name>{name}</name>
  <maxMemory slots='4' unit='GiB'>8</maxMemory>
  <memory unit='GiB'>1</memory>
  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
  <vcpu>1</vcpu>
  <iothreads>2</iothreads>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/><apic/><ioapic driver='qemu'/></features>
  <cpu><numa><cell id='0' cpus='0' memory='1' unit='GiB'/></numa></cpu>
  <devices/>
</domain>"""


@pytest.fixture(scope="module")
def conn(qemu_uri: str) -> Iterator[Any]:
    conn = libvirt.open(qemu_uri)
    yield conn
    conn.close()


@pytest.mark.parametrize("pair", [pair for pair in pairs() if not pair.not_qemu], ids=str)
def test_qemu_takes_each_device_that_is_written(conn: Any, pair: Pair) -> None:
    xml = MACHINE.format(name=unique_name("xml"))
    for device in (*pair.beside, pair.xml):
        xml = edit.add_device(xml, device)
    domain = conn.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
    try:
        flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
        found = parse(domain.XMLDesc(flags)).findall(f"devices/{pair.kind.name}")
        said = [pair.kind.declaration.parse(element) for element in found]
    finally:
        domain.undefineFlags(UNDEFINE)
    # libvirt adds devices of its own, and fills in what was left open.
    assert [each for each in said if pair.values.items() <= each.items()], said
