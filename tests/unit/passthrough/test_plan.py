"""The plan as a whole: what a device's neighbours and functions mean for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.passthrough.things import HOST, by_name, pci
from tuivirt.backend.model.device import DomainConfig
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.host import HostInfo, HostSnapshot
from tuivirt.backend.model.passthrough import Plan, Weight
from tuivirt.backend.model.resources import NodeDevice
from tuivirt.backend.passthrough.plan import make_plan
from tuivirt.backend.sides import Sides

CARD = pci("0000:06:01.0", 7, pci_class="020000", vendor="ACME", product="Card")
NEIGHBOUR = pci("0000:06:02.0", 7, pci_class="020000", vendor="ACME", product="Other")
DRIVE = pci("0000:08:00.0", 9, pci_class="010802", virtual_functions=("0000:08:00.1",))
FUNCTION = pci("0000:08:00.1", 10, pci_class="010802", physical_function=DRIVE.address)
MDEV = NodeDevice(HOST, "mdev_1", capability="mdev", mdev_uuid="c1", active=False, persistent=True)


def plan(device: NodeDevice, *others: NodeDevice, root: Path, live: bool = True) -> Plan:
    """Of giving it to ``web``; ``db`` runs as well."""
    running = (("u1", "web"), ("u2", "db"))
    domains = {u: Domain(HOST, u, name, 1, DomainState.RUNNING) for u, name in running}
    snapshot = HostSnapshot(
        HOST,
        "qemu+ssh://far/system",
        info=HostInfo("qemu+ssh://far/system", local=False),
        domains=domains,
        devices=by_name(device, *others),
    )
    config = DomainConfig("web", "u1")
    sides = Sides("web", config, config)
    return make_plan(snapshot, sides, device, live=live, saved=not live, root=root)


def said(of: Plan, weight: Weight) -> str:
    return "; ".join(finding.text for finding in of.of(weight))


def test_who_shares_the_group_is_named_with_why_it_must_leave_its_driver(tmp_path: Path) -> None:
    made = plan(CARD, NEIGHBOUR, root=tmp_path)
    assert made.held == (NEIGHBOUR,)
    note = "0000:06:02.0 (ACME Other) shares IOMMU group 7 with 0000:06:01.0"
    assert note in said(made, Weight.NOTE)


def test_a_neighbour_that_another_runs_with_keeps_the_device_and_the_group_is_said(
    tmp_path: Path,
) -> None:
    used = pci("0000:06:02.0", 7, pci_class="020000", users=("db",))
    text = said(plan(CARD, used, root=tmp_path), Weight.REFUSED)
    assert "db runs with 0000:06:02.0, and 0000:06:02.0 shares IOMMU group 7" in text


def test_a_drive_is_kept_while_a_running_domain_has_a_function_of_it(tmp_path: Path) -> None:
    used = pci(FUNCTION.address, 10, physical_function=DRIVE.address, users=("db",))
    text = said(plan(DRIVE, used, root=tmp_path), Weight.REFUSED)
    assert "db runs with 0000:08:00.1, a virtual function of 0000:08:00.0" in text
    assert said(plan(DRIVE, FUNCTION, root=tmp_path), Weight.REFUSED) == ""


@pytest.mark.parametrize(("live", "weight"), [(True, Weight.REFUSED), (False, Weight.NOTE)])
def test_a_mediated_device_that_is_only_defined_is_no_device_for_a_running_domain(
    tmp_path: Path, live: bool, weight: Weight
) -> None:
    assert "defined, and not started" in said(plan(MDEV, root=tmp_path, live=live), weight)
