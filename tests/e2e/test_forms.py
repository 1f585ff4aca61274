"""Forms in the real program: they know what the domain has, and nothing goes through by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import libvirt
import pytest

from tests.e2e.operator import Operator
from tests.support.guests import Disk, Guest, domain_xml, make_image, unique_name
from tests.support.libvirtd import PrivateLibvirtd
from tuivirt.widgets.guard import Guard

Sit = Callable[..., Operator]


def test_a_domain_is_undefined_by_a_form_that_asks_about_what_it_has(
    operator: Sit, daemon: PrivateLibvirtd
) -> None:
    name = unique_name("form")
    with Guest.define(daemon.uri, domain_xml(name, kernel=False, memory_mib=32)) as guest:
        guest.start()
        guest.domain.managedSave(0)
        at = operator("-c", daemon.uri, first="Domains 1 of 1")
        at.sees_row(name, "saved +{name}")
        at.press("C-d")
        at.sees("It has saved memory")
        assert not at.now("NVRAM|TPM|napshot|heckpoint")
        at.press("Enter", "Enter", "Enter", "Enter")  # As one that is held down.
        at.sees("too fast for an answer")
        time.sleep(2 * Guard.QUIET_S)  # Silence is what the form waits for.
        at.press("Enter")
        at.sees("Remove saved memory: libvirt undefines no domain that has it")
        at.press("Up", "Space", "Down")
        at.answer("It has saved memory", "Enter")
        at.sees("is undefined")
        at.sees("Domains 0 of 0")
        with pytest.raises(libvirt.libvirtError, match="not found"):
            guest.conn.lookupByName(name)


def test_a_disk_to_detach_is_chosen_among_the_domain_s(
    operator: Sit, define: Callable[..., Guest], images: Path
) -> None:
    disks = [Disk(make_image(images / f"{target}.img"), target) for target in ("vda", "vdb")]
    guest = define(disks=disks, kernel=False, memory_mib=32)
    at = operator("-c", guest.uri)
    at.pick(guest.name)
    at.press("-")
    at.sees("choose with")
    at.type("vda")
    at.sees("vda  virtio  64 M  vda.img")
    at.sees("boots from it")
    at.press("Right")
    at.sees("vdb  virtio .*vdb.img")
    assert not at.now("boots from it")
    at.press("Down", "Down", "Down")
    at.answer("Detach a disk: ", "Enter")
    at.sees("vdb is detached")
    assert "vdb.img" not in guest.domain.XMLDesc()
    assert "vda.img" in guest.domain.XMLDesc()
