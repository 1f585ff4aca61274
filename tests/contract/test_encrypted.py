"""Volumes that are encrypted with a secret of libvirt's, made and handed to a guest."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.contract.pool import TestPool
from tests.contract.test_volumes import qemu_img
from tests.support.guests import Define
from tuivirt.backend import hotplug
from tuivirt.backend.errors import BadInput
from tuivirt.backend.host import Host
from tuivirt.backend.storage import create, listing
from tuivirt.backend.xml.tree import parse


@pytest.fixture
def secret(host: Host) -> Iterator[Callable[[str], str]]:
    """Defines a secret with this ``<usage>``; its UUID."""
    made = []

    def define(usage: str) -> str:
        xml = f"<secret ephemeral='yes' private='yes'>{usage}</secret>"
        made.append(host.conn.secretDefineXML(xml, 0))
        made[-1].setValue(b"a passphrase", 0)
        return str(made[-1].UUIDString())

    yield define
    for each in made:
        each.undefine()


def test_one_is_made_with_a_secret_and_a_running_guest_gets_it_open(
    pool: TestPool, define: Define, secret: Callable[[str], str]
) -> None:
    path = pool.folder / "a.img"
    uuid = secret(f"<usage type='volume'><volume>{path}</volume></usage>")
    values = {"vol": "a.img", "capacity": "8M", "allocation": "0", "secret": str(path)}
    said = create.create(pool.host, pool.key, values)
    assert said == f"pool {pool.name} has the volume a.img: 8 MiB, raw, encrypted (luks)"
    assert "file format: luks" in qemu_img("info", str(path))
    pool.handle.refresh(0)
    line = f"encrypted  luks, with secret {uuid}"
    assert line in listing.details(pool.host, pool.key, "a.img").splitlines()
    guest = define(memory_mib=32)
    guest.start()
    hotplug.attach_disk(pool.host, guest.uuid, hotplug.DiskRequest(f"{pool.name}/a.img"))
    (disk,) = parse(guest.domain.XMLDesc(0), "domain").iterfind("devices/disk")
    locked = disk.find("source/encryption/secret")
    assert locked is not None
    assert locked.get("uuid") == uuid
    # QEMU has opened it: the guest sees what is in it, not the head in front of that.
    assert guest.domain.blockInfo("vda")[0] == 8 << 20


def test_one_of_whose_secret_libvirt_knows_nothing_more_is_told_so(
    pool: TestPool, define: Define, secret: Callable[[str], str]
) -> None:
    uuid = secret("")
    values = {"vol": "a.qcow2", "capacity": "8M", "format": "qcow2", "secret": uuid}
    said = create.create(pool.host, pool.key, values)
    assert "encrypted (luks); libvirt forgets with which secret when the pool is refreshed" in said
    pool.handle.refresh(0)
    assert "knows not by which secret" in listing.details(pool.host, pool.key, "a.qcow2")
    guest = define(memory_mib=32)
    request = hotplug.DiskRequest(f"{pool.name}/a.qcow2")
    with pytest.raises(BadInput, match="libvirt knows not with which secret") as told:
        hotplug.attach_disk(pool.host, guest.uuid, request)
    assert "of type volume" in told.value.advice


def test_a_secret_that_is_not_there_and_a_format_without_one_are_refused(pool: TestPool) -> None:
    values = {"vol": "a.img", "capacity": "8M", "secret": "none such"}
    with pytest.raises(BadInput, match="has no secret none such"):
        create.create(pool.host, pool.key, values)
    with pytest.raises(BadInput, match="vmdk is not encrypted"):
        create.create(pool.host, pool.key, {**values, "format": "vmdk"})
    assert pool.names() == []
