"""The virtual functions that a guest's interface could be, and what it could be connected to."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.passthrough.things import Machine, by_name, pci
from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.device import DomainConfig, Interface
from tuivirt.backend.model.host import HostInfo, HostSnapshot
from tuivirt.backend.model.resources import HostInterface, Network, NodeDevice
from tuivirt.backend.passthrough import virtual

CARD = pci("0000:03:00.0", pci_class="020000", vendor="Intel", product="82576")
FIRST, SECOND, THIRD = (
    pci(f"0000:03:10.{n}", pci_class="020000", physical_function=CARD.address) for n in (0, 2, 4)
)
DISK = pci("0000:05:00.1", pci_class="010802", physical_function="0000:05:00.0")


def net(name: str, parent: str, **more: Any) -> NodeDevice:
    return NodeDevice("lab", f"net_{name}", parent=parent, capability="net", net_name=name, **more)


def host(*devices: NodeDevice, local: bool = False, **more: Any) -> Any:
    return SimpleNamespace(
        name="lab",
        snapshot=HostSnapshot(
            "lab",
            "qemu:///system",
            info=HostInfo("qemu:///system", local=local),
            devices=by_name(*devices),
            **more,
        ),
    )


@pytest.fixture(autouse=True)
def configs(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[DomainConfig, ...]]:
    """The domains' configurations, none at first."""
    known: dict[str, tuple[DomainConfig, ...]] = {}
    monkeypatch.setattr(virtual, "configs_of", lambda _host: known)
    return known


def test_each_function_is_told_with_its_card() -> None:
    found = virtual.network_functions(host(CARD, FIRST, net("eth1", CARD.name)))
    assert [(f.address, f.parent, f.interface, f.what, f.uses) for f in found] == [
        ("0000:03:10.0", "0000:03:00.0", "eth1", "Intel 82576", ())
    ]


def test_neither_cards_nor_functions_of_disks_are_offered() -> None:
    assert virtual.network_functions(host(CARD, DISK)) == ()


def test_one_that_a_domain_has_is_told_last_with_its_owner(
    configs: dict[str, tuple[DomainConfig, ...]],
) -> None:
    card = Interface("52:54:00:00:00:01", type="hostdev", source=FIRST.address)
    configs["web-01"] = (DomainConfig("web-01", "u", interfaces=(card,)),)
    found = virtual.network_functions(host(CARD, FIRST, SECOND))
    assert [(f.address, f.uses) for f in found] == [
        (SECOND.address, ()),
        (FIRST.address, ("web-01 has it",)),
    ]


def test_one_that_the_host_itself_uses_is_told_with_what_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path)
    machine.net("vf0", FIRST.path, "br0")
    machine.net("vf1", SECOND.path)
    monkeypatch.setattr("psutil.net_if_addrs", dict)
    found = virtual.network_functions(host(CARD, FIRST, SECOND, local=True), machine.root)
    assert {f.address: f.uses for f in found} == {
        SECOND.address: (),
        FIRST.address: ("vf0 on the host is a part of br0",),
    }


def test_a_function_that_another_domain_or_the_host_has_is_refused_by_its_address_too(
    configs: dict[str, tuple[DomainConfig, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Interface("52:54:00:00:00:01", type="hostdev", source=FIRST.address)
    configs["web-01"] = (DomainConfig("web-01", "u", interfaces=(card,)),)
    machine = Machine(tmp_path)
    machine.net("eth1", CARD.path, "br0")
    monkeypatch.setattr("psutil.net_if_addrs", dict)
    there = host(CARD, FIRST, SECOND, THIRD, local=True)
    with pytest.raises(BadInput, match=f"{FIRST.address} is in use: web-01 has it"):
        virtual.refuse_in_use(there, FIRST.address, "db-01", machine.root)
    with pytest.raises(BadInput, match="eth1 on the host is a part of br0"):
        virtual.refuse_in_use(there, CARD.address, "db-01", machine.root)
    virtual.refuse_in_use(there, FIRST.address, "web-01", machine.root)
    virtual.refuse_in_use(there, SECOND.address, "db-01", machine.root)
    virtual.refuse_in_use(there, "0000:ff:00.0", "db-01", machine.root)


def test_bridges_are_the_hosts_and_those_of_networks() -> None:
    there = host(
        net("eth0", "computer", net_mac="52:54:00:00:00:09", net_state="up"),
        net("virbr0", "computer"),
        networks={
            "u": Network("lab", "u", "default", True, True, True, bridge="virbr0"),
        },
        interfaces={"br0": HostInterface("lab", "br0", "", True, "bridge", ("192.0.2.7",))},
    )
    assert virtual.links_of(there, bridges=True) == [
        ("br0", "bridge 192.0.2.7"),
        ("virbr0", "of network default"),
    ]
    assert virtual.links_of(there, bridges=False) == [("eth0", "52:54:00:00:00:09 up")]
