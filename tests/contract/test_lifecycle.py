"""What a domain lives through: done when libvirt's event or a re-read says so, or told why not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest

from tests.contract.conftest import Heard, Place, started
from tests.support.guests import Disk, Guest, domain_xml, make_image, unique_name
from tuivirt.backend import lifecycle, networks
from tuivirt.backend.errors import Aborted, BadInput, NotFound, ReadOnly, TuivirtError
from tuivirt.backend.managed_save import managed_save, managed_save_remove
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.undefine import belongings, undefine


def state(place: Place) -> DomainState:
    return DomainState(place.host.domain(place.uuid).state(0)[0])


def test_a_guest_shut_down_is_off_and_the_event_told_so(anywhere: Place) -> None:
    assert anywhere.run(lifecycle.shutdown, timeout_s=60) == f"{anywhere.name} is off"
    assert not anywhere.running
    anywhere.heard.lifecycle(anywhere.uuid, libvirt.VIR_DOMAIN_EVENT_STOPPED)


def test_a_guest_forced_off_and_started_is_seen_through_events(anywhere: Place) -> None:
    assert anywhere.run(lifecycle.force_off) == f"{anywhere.name} is off"
    anywhere.heard.lifecycle(anywhere.uuid, libvirt.VIR_DOMAIN_EVENT_STOPPED)
    assert anywhere.run(lifecycle.start) == f"{anywhere.name} is running"
    anywhere.heard.lifecycle(anywhere.uuid, libvirt.VIR_DOMAIN_EVENT_STARTED)
    assert anywhere.running


def test_a_guest_started_paused_waits_until_it_is_resumed(full: Place) -> None:
    full.run(lifecycle.force_off)
    assert "paused" in full.run(lifecycle.start, paused=True)
    assert state(full) is DomainState.PAUSED
    full.run(lifecycle.resume)
    assert state(full) is DomainState.RUNNING


def test_a_suspended_guest_is_paused_and_goes_on(anywhere: Place) -> None:
    anywhere.run(lifecycle.suspend)
    assert state(anywhere) is DomainState.PAUSED
    anywhere.run(lifecycle.resume)
    assert state(anywhere) is DomainState.RUNNING


def test_a_running_guest_cannot_be_started_and_goes_on(anywhere: Place) -> None:
    with pytest.raises(TuivirtError, match=f"cannot start {anywhere.name}: .*running"):
        anywhere.run(lifecycle.start)
    assert anywhere.running


def test_autostart_is_set_and_taken_back(anywhere: Place) -> None:
    anywhere.run(lifecycle.autostart, True)
    assert anywhere.host.domain(anywhere.uuid).autostart() == 1
    anywhere.run(lifecycle.autostart, False)
    assert anywhere.host.domain(anywhere.uuid).autostart() == 0


@pytest.mark.parametrize("name", ["no-such", "it's", 'quo"ted', "名前", "bell\x07", "\x1b[31mred"])
def test_an_unknown_domain_is_told_whatever_it_is_called(anywhere: Place, name: str) -> None:
    with pytest.raises(NotFound) as caught:
        lifecycle.start(anywhere.host, name)
    assert "has no domain" in caught.value.what


def test_an_unknown_way_to_shut_down_is_refused(anywhere: Place) -> None:
    with pytest.raises(BadInput, match="politely"):
        anywhere.run(lifecycle.shutdown, mode="politely")
    assert anywhere.running


def test_a_read_only_connection_does_not_touch_the_test_driver(test_driver: Place) -> None:
    host = started("test:///default", Heard(), readonly=True)
    try:
        with pytest.raises(ReadOnly, match="nothing was changed"):
            lifecycle.force_off(host, "test")
        assert host.domain("test").isActive()
    finally:
        host.close()


def test_a_guest_that_ignores_the_power_button_is_told_with_advice(
    qemu: Place, idle_guest: Guest
) -> None:
    with pytest.raises(TuivirtError, match=r"has not shut down after 0\.5 s") as caught:
        lifecycle.shutdown(qemu.host, idle_guest.uuid, timeout_s=0.5)
    assert "force it off" in caught.value.advice
    assert idle_guest.active


def test_aborting_a_shutdown_stops_the_waiting_only(qemu: Place, idle_guest: Guest) -> None:
    aborted = threading.Event()
    aborted.set()
    with pytest.raises(Aborted, match="no longer waiting"):
        lifecycle.shutdown(qemu.host, idle_guest.uuid, timeout_s=60, aborted=aborted)
    assert idle_guest.active


def test_a_managed_save_is_taken_up_by_the_next_start(qemu: Place, idle_guest: Guest) -> None:
    told: list[str] = []
    managed_save(qemu.host, idle_guest.uuid, progress=lambda text, _part: told.append(text))
    assert not idle_guest.active
    assert idle_guest.domain.hasManagedSaveImage() == 1
    managed_save_remove(qemu.host, idle_guest.uuid)
    assert idle_guest.domain.hasManagedSaveImage() == 0
    with pytest.raises(TuivirtError, match="has no managed save"):
        managed_save_remove(qemu.host, idle_guest.uuid)


@pytest.fixture
def off(define: Callable[..., Guest]) -> Guest:
    """A defined guest that was never started."""
    return define(kernel=False)


def test_an_undefined_domain_is_gone(qemu: Place, off: Guest) -> None:
    assert undefine(qemu.host, off.uuid) == f"{off.name} is undefined"
    with pytest.raises(NotFound):
        qemu.host.domain(off.uuid)


def test_a_running_domain_that_is_undefined_goes_on_until_it_stops(
    qemu: Place, idle_guest: Guest
) -> None:
    assert "runs on until it is stopped" in undefine(qemu.host, idle_guest.uuid)
    assert idle_guest.active
    assert not idle_guest.domain.isPersistent()


def test_undefining_asks_about_a_managed_save_before_it_changes_anything(
    qemu: Place, idle_guest: Guest
) -> None:
    managed_save(qemu.host, idle_guest.uuid)
    with pytest.raises(BadInput, match="a managed save"):
        undefine(qemu.host, idle_guest.uuid)
    assert idle_guest.domain.hasManagedSaveImage() == 1
    undefine(qemu.host, idle_guest.uuid, managed_save=True)
    with pytest.raises(NotFound):
        qemu.host.domain(idle_guest.uuid)


def test_undefining_asks_about_snapshots_before_it_changes_anything(
    qemu: Place, define: Callable[..., Guest], images: Path
) -> None:
    off = define(
        kernel=False, disks=[Disk(make_image(images / "a.qcow2", form="qcow2"), form="qcow2")]
    )
    off.domain.snapshotCreateXML("<domainsnapshot><name>one</name></domainsnapshot>", 0)
    with pytest.raises(BadInput, match="records of 1 snapshot"):
        undefine(qemu.host, off.uuid)
    assert off.domain.snapshotNum() == 1
    undefine(qemu.host, off.uuid, snapshots_metadata=True)
    with pytest.raises(NotFound):
        qemu.host.domain(off.uuid)


@pytest.fixture
def owner(qemu_uri: str, images: Path) -> Iterator[tuple[Guest, Path]]:
    """A domain with UEFI variables and the state of an emulated TPM."""
    variables = images / "variables.fd"
    variables.write_bytes(b"\0" * 1024)
    xml = domain_xml(
        unique_name("owner"),
        kernel=False,
        extra_devices="<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>",
    ).replace(
        "<boot dev='hd'/>",
        "<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>"
        f"<nvram>{variables}</nvram><boot dev='hd'/>",
    )
    with Guest.define(qemu_uri, xml) as guest:
        yield guest, variables


def test_undefining_asks_about_uefi_variables_and_the_tpm(
    qemu: Place, owner: tuple[Guest, Path]
) -> None:
    guest, variables = owner
    with pytest.raises(BadInput, match=r"UEFI variables in .* and the state of an emulated TPM"):
        undefine(qemu.host, guest.uuid)
    with pytest.raises(BadInput, match="it is"):
        undefine(qemu.host, guest.uuid, nvram="burn", tpm="keep")
    assert belongings(qemu.host, guest.uuid).nvram == str(variables)
    assert "stay in" in undefine(qemu.host, guest.uuid, nvram="keep", tpm="keep")
    assert variables.exists()
    with pytest.raises(NotFound):
        qemu.host.domain(guest.uuid)


def test_undefining_removes_the_uefi_variables_when_told_to(
    qemu: Place, owner: tuple[Guest, Path]
) -> None:
    guest, variables = owner
    undefine(qemu.host, guest.uuid, nvram="delete", tpm="delete")
    assert not variables.exists()


# Networks.


@pytest.fixture(params=["test", "qemu"])
def network(request: pytest.FixtureRequest) -> Iterator[tuple[Place, str]]:
    """A network that is not active, on each host that has some."""
    place: Place = request.getfixturevalue("test_driver" if request.param == "test" else "qemu")
    name = unique_name("net")
    made = place.host.conn.networkDefineXML(f"<network><name>{name}</name></network>")
    yield place, made.UUIDString()
    if made.isActive():
        made.destroy()
    made.undefine()


def test_a_network_is_started_and_stopped(network: tuple[Place, str]) -> None:
    place, uuid = network
    assert "is active" in networks.start(place.host, uuid)
    assert place.host.network(uuid).isActive()
    with pytest.raises(TuivirtError, match="cannot start network"):
        networks.start(place.host, uuid)
    assert "is stopped" in networks.stop(place.host, uuid)
    assert not place.host.network(uuid).isActive()


def test_a_network_starts_with_the_host_or_not(network: tuple[Place, str]) -> None:
    place, uuid = network
    networks.start(place.host, uuid)
    networks.autostart(place.host, uuid, True)
    assert place.host.network(uuid).autostart()
    networks.autostart(place.host, uuid, False)
    assert not place.host.network(uuid).autostart()


def test_stopping_a_network_names_the_running_domains_that_lose_it(
    qemu: Place, network: tuple[Place, str], define: Callable[..., Guest]
) -> None:
    place, uuid = network
    if place is not qemu:
        return
    networks.start(place.host, uuid)
    name = place.host.network(uuid).name()
    card = f"<interface type='network'><source network='{name}'/></interface>"
    guest = define(kernel=False, memory_mib=32, interfaces=[card])
    guest.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    assert networks.running_users(place.host, uuid) == (guest.name,)
    assert f"cut off: {guest.name}" in networks.stop(place.host, uuid)


def test_an_unknown_network_is_told_by_its_name(anywhere: Place) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        networks.start(anywhere.host, "nowhere")
