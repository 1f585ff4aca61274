"""Mediated devices asked of a libvirt that is made up; a kernel's own are in the lab."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import libvirt
import pytest

from tuivirt.backend import mdevs
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.inventory import read_devices
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.host import HostInfo, HostSnapshot
from tuivirt.backend.model.ref import Ref
from tuivirt.backend.xml.domain import parse_domain

BOARD, PLAIN = "pci_0000_05_00_0", "pci_0000_06_00_0"
UUID, OTHER = "c1b4e7a0-0000-4000-8000-00000000000a", "c1b4e7a0-0000-4000-8000-00000000000b"


def failure(code: int, text: str) -> libvirt.libvirtError:
    error = libvirt.libvirtError(text)
    error.err = (code, 0, text, 2, "", "", "", -1, -1)
    return error


class Made:
    """A mediated device of the made-up libvirt."""

    def __init__(self, node: Node, uuid: str, kind: str, *, there: bool, defined: bool) -> None:
        self.node, self.uuid, self.kind = node, uuid, kind
        self.there, self.defined, self.auto = there, defined, False

    def name(self) -> str:
        return f"mdev_{self.uuid.replace('-', '_')}_0000_05_00_0"

    def XMLDesc(self, _flags: int) -> str:
        return (
            f"<device><name>{self.name()}</name><parent>{BOARD}</parent><capability type='mdev'>"
            f"<type id='{self.kind}'/><uuid>{self.uuid}</uuid></capability></device>"
        )

    def isActive(self) -> int:
        return int(self.there)

    def isPersistent(self) -> int:
        return int(self.defined)

    def autostart(self) -> int:
        return int(self.auto)

    def setAutostart(self, on: int) -> None:
        self.node.obey()
        self.auto = bool(on)

    def create(self, _flags: int) -> None:
        self.node.obey()
        self.there = True

    def destroy(self) -> None:
        self.node.obey()
        self.there = False

    def undefine(self, _flags: int) -> None:
        self.node.obey()
        self.defined = False


class Node:
    """The node devices of the made-up libvirt: a board with room for two, and a plain one."""

    def __init__(self) -> None:
        self.made: dict[str, Made] = {}
        self.refuses: libvirt.libvirtError | None = None
        self.deaf = False
        """It takes the calls, and does nothing."""

    def obey(self) -> None:
        if self.refuses is not None:
            raise self.refuses

    def listAllDevices(self, _flags: int) -> list[Any]:
        plain = [self.nodeDeviceLookupByName(name) for name in (BOARD, PLAIN)]
        return [*plain, *(each for each in self.made.values() if each.there or each.defined)]

    def nodeDeviceLookupByName(self, name: str) -> Any:
        if name in (BOARD, PLAIN):
            return SimpleNamespace(XMLDesc=lambda _flags: self._pci(name))
        for each in self.made.values():
            if each.name() == name and (each.there or each.defined):
                return each
        raise failure(libvirt.VIR_ERR_NO_NODE_DEVICE, "no node device")

    def _pci(self, name: str) -> str:
        left = 2 - sum(each.there for each in self.made.values())
        kinds = "".join(
            f"<type id='{kind}'><name>{kind} one</name><deviceAPI>vfio-pci</deviceAPI>"
            f"<availableInstances>{left}</availableInstances></type>"
            for kind in ("small", "large")
        )
        types = f"<capability type='mdev_types'>{kinds}</capability>" if name == BOARD else ""
        slot = name.split("_")[2]
        place = f"<domain>0</domain><bus>{int(slot)}</bus><slot>0</slot><function>0</function>"
        capability = f"<capability type='pci'>{place}{types}</capability>"
        return f"<device><name>{name}</name>{capability}</device>"

    def _add(self, xml: str, *, there: bool) -> Made:
        self.obey()
        root = ElementTree.fromstring(xml)
        assert root.findtext("parent") == BOARD
        kind = root.find("capability/type")
        assert kind is not None
        uuid = root.findtext("capability/uuid") or ""
        there = there and not self.deaf
        made = Made(self, uuid, kind.get("id", ""), there=there, defined=not there)
        self.made[uuid] = made
        return made

    def nodeDeviceCreateXML(self, xml: str, _flags: int) -> Made:
        return self._add(xml, there=True)

    def nodeDeviceDefineXML(self, xml: str, _flags: int) -> Made:
        return self._add(xml, there=False)


class Hands:
    """As much of a host as is used."""

    def __init__(self, node: Node, *, local: bool = False) -> None:
        self.name = "h"
        self.conn = node
        self.local = local
        self.sampling = False
        self.touched: list[Ref] = []

    @property
    def snapshot(self) -> HostSnapshot:
        web = Domain("h", "u1", "web", 1, DomainState.RUNNING)
        return HostSnapshot(
            "h",
            "qemu:///system",
            info=HostInfo("qemu:///system", local=self.local),
            domains={"u1": web},
            devices=read_devices(self.conn, "h"),
        )

    def require_write(self) -> None:
        return None

    def touch(self, ref: Ref) -> None:
        self.touched.append(ref)

    def subscribe(self, _subscriber: Any) -> Any:
        return lambda: None


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def host(node: Node, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(mdevs, "configs_of", lambda _host: {})
    monkeypatch.setattr(mdevs, "CONFIRM_TIMEOUT_S", 0.0)
    return Hands(node)


def test_one_that_is_made_is_there_and_both_it_and_its_parent_are_read_again(
    host: Any, node: Node
) -> None:
    assert "is there" in mdevs.create(host, BOARD, "small", UUID)
    made = node.made[UUID]
    assert (made.kind, made.there, made.defined) == ("small", True, False)
    assert {ref.key for ref in host.touched} == {BOARD, made.name()}


def test_without_a_uuid_one_is_made_up(host: Any, node: Node) -> None:
    mdevs.create(host, BOARD, "small")
    mdevs.create(host, BOARD, "large")
    assert len(node.made) == 2


def test_one_that_is_defined_is_listed_as_not_there_until_it_is_started(
    host: Any, node: Node
) -> None:
    assert "is defined" in mdevs.define(host, BOARD, "large", UUID)
    name = node.made[UUID].name()
    listed = host.snapshot.devices[name]
    assert (listed.active, listed.persistent, listed.autostart) == (False, True, False)
    mdevs.autostart(host, name, True)
    mdevs.start(host, name)
    listed = host.snapshot.devices[name]
    assert (listed.active, listed.persistent, listed.autostart) == (True, True, True)
    assert mdevs.stop(host, name) == f"{UUID} is stopped"
    mdevs.undefine(host, name)
    assert name not in host.snapshot.devices


def test_undefined_while_it_is_there_it_stays_until_it_is_stopped(host: Any, node: Node) -> None:
    mdevs.define(host, BOARD, "large", UUID)
    name = node.made[UUID].name()
    mdevs.start(host, name)
    assert "there until it is stopped" in mdevs.undefine(host, name)
    assert mdevs.stop(host, name) == f"{UUID} is gone"


@pytest.mark.parametrize(
    ("parent", "kind", "uuid", "reason"),
    [
        ("pci_0000_09_00_0", "small", "", "there is no device"),
        (PLAIN, "small", "", "makes no mediated devices"),
        (BOARD, "huge", "", "it makes small, large"),
        (BOARD, "small", "1234", "no UUID"),
        (BOARD, "small", UUID.upper(), "is there already"),
    ],
)
def test_what_cannot_be_is_refused_before_libvirt_is_asked(
    host: Any, node: Node, parent: str, kind: str, uuid: str, reason: str
) -> None:
    mdevs.create(host, BOARD, "large", UUID)
    for make in (mdevs.create, mdevs.define):
        with pytest.raises(BadInput, match=reason):
            make(host, parent, kind, uuid)
    assert list(node.made) == [UUID]


def test_without_room_none_is_made_nor_started_but_may_be_defined(host: Any, node: Node) -> None:
    mdevs.create(host, BOARD, "small")
    mdevs.create(host, BOARD, "small")
    with pytest.raises(BadInput, match="no more of small"):
        mdevs.create(host, BOARD, "small", UUID)
    mdevs.define(host, BOARD, "small", UUID)
    with pytest.raises(BadInput, match="no more of small"):
        mdevs.start(host, node.made[UUID].name())


WITHOUT = "<domain><name>web</name><devices/></domain>"
WITH = f"""<domain><name>web</name><devices>
  <hostdev mode='subsystem' type='mdev' model='vfio-pci'>
    <source><address uuid='{UUID}'/></source></hostdev></devices></domain>"""


def test_one_that_a_running_domain_has_is_not_stopped(
    host: Any, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    mdevs.create(host, BOARD, "small", UUID)
    name = node.made[UUID].name()
    there = {"db": (parse_domain(WITH),), "web": (parse_domain(WITH), parse_domain(WITHOUT))}
    monkeypatch.setattr(mdevs, "configs_of", lambda _host: there)
    with pytest.raises(BadInput, match="web runs with it") as caught:
        mdevs.stop(host, name)
    assert f"detach-hostdev web {UUID}" in caught.value.advice
    assert node.made[UUID].there


def test_one_that_domains_get_at_their_next_boot_only_is_stopped(
    host: Any, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    mdevs.create(host, BOARD, "small", UUID)
    name = node.made[UUID].name()
    there = {"db": (parse_domain(WITH),), "web": (parse_domain(WITHOUT), parse_domain(WITH))}
    monkeypatch.setattr(mdevs, "configs_of", lambda _host: there)
    assert mdevs.stop(host, name) == f"{UUID} is gone"


@pytest.mark.parametrize(
    ("verb", "reason"),
    [(mdevs.start, "there already"), (mdevs.undefine, "not defined")],
)
def test_what_it_is_already_or_is_not_is_said(
    host: Any, node: Node, verb: Any, reason: str
) -> None:
    mdevs.create(host, BOARD, "small", UUID)
    with pytest.raises(BadInput, match=reason):
        verb(host, node.made[UUID].name())


def test_what_is_no_mediated_device_is_not_started(host: Any) -> None:
    with pytest.raises(BadInput, match="no mediated device"):
        mdevs.start(host, BOARD)


def test_libvirts_own_refusal_keeps_its_code_and_its_words(host: Any, node: Node) -> None:
    node.refuses = failure(libvirt.VIR_ERR_INTERNAL_ERROR, "Unable to start: busy")
    with pytest.raises(TuivirtError, match=r"Unable to start: busy \(libvirt error 1\)"):
        mdevs.create(host, BOARD, "small", UUID)


def test_a_host_without_mdevctl_is_told_what_to_install(host: Any, node: Node) -> None:
    node.refuses = failure(libvirt.VIR_ERR_INTERNAL_ERROR, "Cannot find 'mdevctl' in path")
    with pytest.raises(TuivirtError) as caught:
        mdevs.define(host, BOARD, "small", UUID)
    assert "package mdevctl" in caught.value.advice


def test_of_this_machine_it_is_seen_before_libvirt_is_asked(
    node: Node, host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_args, **_more: None)
    host.local = True
    with pytest.raises(BadInput, match="mdevctl, which is not installed"):
        mdevs.create(host, BOARD, "small", UUID)
    assert node.made == {}


def test_what_libvirt_took_and_did_not_do_is_no_success(host: Any, node: Node) -> None:
    node.deaf = True
    with pytest.raises(TuivirtError, match="it is not there"):
        mdevs.create(host, BOARD, "small", UUID)
