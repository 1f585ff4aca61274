"""What a real guest refuses, or cannot be asked: told clearly, and nothing is pretended."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue

import libvirt
import pytest

from tests.contract.conftest import Heard, started
from tests.support.guests import Guest, make_image
from tuivirt.backend import job_call, lifecycle
from tuivirt.backend import managed_save as saving
from tuivirt.backend.errors import Aborted, TuivirtError
from tuivirt.backend.events import DomainEvent, Event
from tuivirt.backend.host import Host
from tuivirt.backend.hotplug import (
    DiskRequest,
    attach_disk,
    detach_disk,
    eject_media,
    swap_media,
)
from tuivirt.backend.model.when import When
from tuivirt.backend.sides import read_sides


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def host(qemu_uri: str, heard: Heard) -> Iterator[Host]:
    host = started(qemu_uri, heard)
    yield host
    host.close()


@pytest.fixture
def reader(define: Callable[..., Guest], images: Path) -> Guest:
    """A guest that reads its CD-ROM, sda, and so has locked the tray; serial0 is its shell."""
    image = make_image(images / "old.iso", "8M")
    guest = define(
        extra_devices="<controller type='scsi' model='virtio-scsi'/>"
        f"<disk type='file' device='cdrom'><source file='{image}'/>"
        "<target dev='sda' bus='scsi'/><readonly/></disk>"
    )
    shell = guest.boot()
    shell.run("while ! [ -b /dev/sr0 ]; do sleep 0.1; done")
    shell.run("exec 3</dev/sr0")
    return guest


def test_a_tray_that_the_guest_has_locked_stays_shut_and_the_way_out_is_told(
    host: Host, reader: Guest
) -> None:
    before = read_sides(reader.domain, "").disks()
    with pytest.raises(TuivirtError, match="tray") as caught:
        eject_media(host, reader.uuid, "sda")
    assert "the guest may have locked the tray" in caught.value.advice
    assert "--force" in caught.value.advice
    # Neither the running nor the saved one has changed.
    assert read_sides(reader.domain, "").disks() == before


def test_a_locked_tray_is_opened_by_force_and_the_guest_reads_the_new_medium(
    host: Host, reader: Guest, images: Path
) -> None:
    new = images / "new.iso"
    new.write_bytes(b"the new medium".ljust(1 << 20, b"."))
    new.chmod(0o644)
    swap_media(host, reader.uuid, "sda", str(new), force=True)
    sides = read_sides(reader.domain, "")
    assert [disk.source for disk in sides.disks()] == [str(new), str(new)]
    (shell,) = reader.serials
    shell.run("exec 3<&-")
    assert "the new medium" in shell.run("head -c 14 /dev/sr0")


NO_AGENT = (lifecycle.shutdown, lifecycle.reboot)


@pytest.mark.parametrize("verb", NO_AGENT, ids=lambda verb: verb.__name__)
def test_a_domain_without_a_channel_for_an_agent_is_told_as_that(
    host: Host, idle_guest: Guest, verb: Callable[..., str]
) -> None:
    with pytest.raises(TuivirtError, match="agent is not configured") as caught:
        verb(host, idle_guest.uuid, mode="agent")
    assert "--mode acpi" in caught.value.advice
    assert idle_guest.active


@pytest.mark.parametrize("verb", NO_AGENT, ids=lambda verb: verb.__name__)
def test_an_agent_that_is_not_there_is_told_with_what_to_look_at(
    host: Host, define: Callable[..., Guest], verb: Callable[..., str]
) -> None:
    channel = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
    guest = define(kernel=False, memory_mib=32, extra_devices=channel)
    guest.start()
    with pytest.raises(TuivirtError, match="agent is not connected") as caught:
        verb(host, guest.uuid, mode="agent")
    assert "is qemu-guest-agent running in the guest?" in caught.value.advice
    assert guest.active


def test_an_aborted_managed_save_leaves_the_guest_running_as_it_was(
    host: Host, define: Callable[..., Guest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_call, "EVERY_S", 0.02)
    guest = define(memory_mib=1024)
    shell = guest.boot()
    # Memory that is not empty takes seconds to save.
    shell.run("dd if=/dev/urandom of=/r bs=1M count=8; for i in $(seq 30); do cat /r; done >/x")
    aborted = threading.Event()
    aborted.set()
    with pytest.raises(Aborted, match="it goes on running"):
        saving.managed_save(host, guest.uuid, aborted=aborted)
    assert guest.domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING
    assert guest.domain.hasManagedSaveImage() == 0
    assert "still here" in shell.run("echo still here")


# A guest that refuses to let go. QEMU 7.2 tells that of memory; of a disk it tells nothing, and
# the detach stays pending: there the refusal is libvirt's event for the disk's alias.


@pytest.fixture
def hoarder(define: Callable[..., Guest], heard: Heard) -> tuple[Guest, str]:
    """A guest that cannot part with the memory that it was just given; the memory's XML."""
    guest = define(
        memory_mib=256,
        extra_memory="<maxMemory slots='2' unit='MiB'>1024</maxMemory>"
        "<cpu><numa><cell id='0' cpus='0' memory='256' unit='MiB'/></numa></cpu>",
    )
    shell = guest.boot()
    target = "<target><size unit='MiB'>128</size><node>0</node></target>"
    guest.domain.attachDeviceFlags(
        f"<memory model='dimm'>{target}</memory>", libvirt.VIR_DOMAIN_AFFECT_LIVE
    )
    states = "/sys/devices/system/memory/memory*/state"
    shell.run(f"until grep -l offline {states}; do sleep 0.1; done")
    # For the kernel itself, and used: it cannot be moved elsewhere.
    shell.run(f"echo online_kernel >$(grep -l offline {states})")
    shell.run("dd if=/dev/zero of=/x bs=1M count=150; rm /x")
    xml = re.search("<memory model='dimm'.*?</memory>", guest.domain.XMLDesc(0), re.DOTALL)
    assert xml is not None
    return guest, xml[0]


def test_a_real_refusal_is_an_error_of_its_code_and_an_event(
    host: Host, heard: Heard, hoarder: tuple[Guest, str]
) -> None:
    guest, memory = hoarder
    with pytest.raises(libvirt.libvirtError) as caught:
        guest.domain.detachDeviceFlags(memory, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    assert caught.value.get_error_code() == libvirt.VIR_ERR_OPERATION_FAILED
    event = heard.of_family("device-removal-failed")
    assert event.key == guest.uuid
    assert event.detail == {"device": "dimm0"}
    assert event.what == "the guest refused to let go of dimm0"


def refusal(guest: Guest, alias: str) -> DomainEvent:
    return DomainEvent(
        host="here",
        family="device-removal-failed",
        what="refused",
        name=guest.name,
        key=guest.uuid,
        detail={"device": alias},
    )


def test_a_refusal_settles_a_pending_detach_as_an_error(
    host: Host, idle_guest: Guest, images: Path
) -> None:
    image = str(make_image(images / "kept.img", "8M"))
    attached = attach_disk(host, idle_guest.uuid, DiskRequest(image))
    outcome = detach_disk(host, idle_guest.uuid, attached.target, timeout_s=0.2)
    ended: Queue[str | BaseException] = Queue()
    outcome.on_settled(ended.put)
    host.tell(refusal(idle_guest, "virtio-disk99"))
    host.tell(refusal(idle_guest, attached.alias))
    error = ended.get(timeout=20)
    assert isinstance(error, TuivirtError)
    assert f"the guest refused to let go of {attached.target}" in str(error)
    assert "is gone from" in error.done
    assert "unmount it in the guest" in error.advice
    assert not host.snapshot.domains[idle_guest.uuid].detaching


def test_a_refusal_ends_the_waiting_for_the_guest(
    host: Host, idle_guest: Guest, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = str(make_image(images / "kept.img", "8M"))
    attached = attach_disk(host, idle_guest.uuid, DiskRequest(image), When.NOW)
    subscribe = host.subscribe

    def subscribe_and_refuse(subscriber: Callable[[Event], None]) -> Callable[[], None]:
        forget = subscribe(subscriber)
        subscriber(refusal(idle_guest, attached.alias))
        return forget

    monkeypatch.setattr(host, "subscribe", subscribe_and_refuse)
    with pytest.raises(TuivirtError, match=f"refused to let go of {attached.target}"):
        detach_disk(host, idle_guest.uuid, attached.target, When.NOW, timeout_s=600)
    assert read_sides(idle_guest.domain, "").find_live(attached.target) is not None
