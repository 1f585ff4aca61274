"""What speaks against a move, and the steps of one that nothing speaks against."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tuivirt.backend.errors import BadInput
from tuivirt.backend.migration.migrate import refuse
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.model.migration import (
    DiskFacts,
    EvacuationPlan,
    Going,
    Image,
    Place,
    Stamp,
)

from .things import FIRST, HERE, LATER, PATH, POOL, THERE, disk, plan, shared

UNKNOWN = Place()
OTHER = Place("images", "", Stamp(5, 5, 1 << 30))


def test_a_move_that_nothing_speaks_against_is_its_steps() -> None:
    made = plan({"disks": (disk(),), "autostart": True})
    assert made.findings == ()
    assert made.steps == (
        f"make {PATH} (raw, 1 GiB) on srv2 and copy vda to it",
        "move the running web-01 to srv2, live, by tcp://10.0.0.2",
        "define it on srv2",
        "undefine it on srv1; its images there stay, remove them when all is well",
        "have srv2 start it with the host, as srv1 does",
    )


def test_a_domain_that_is_off_is_defined_there() -> None:
    made = plan({"active": False})
    assert made.steps[0] == "define web-01 on srv2; it stays off"
    assert made.values["offline"]
    assert not made.values["live"]


def overlay(**changes: Any) -> DiskFacts:
    """An image on another, of a domain that is off."""
    return disk(format="qcow2", backing=("/off-base",), **changes)


REFUSED: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = [
    ({}, {"connected": False, "why": "no route"}, {}, "srv2 is not connected: no route"),
    ({}, {"readonly": True}, {}, "the connection to srv2 is read-only"),
    ({}, {"same_host": True}, {}, "srv2 is the same host as srv1"),
    ({}, {"hypervisor": "LXC"}, {}, "srv2 runs LXC"),
    ({}, {"name_taken": True}, {}, "another domain called web-01"),
    ({}, {"uuid_of": "web-01", "uuid_active": True}, {}, "the same UUID"),
    ({}, {"uuid_of": "copy"}, {}, "copy with the same UUID"),
    ({"job": "saving"}, {}, {}, "web-01 is busy: saving"),
    ({"snapshots": 2}, {}, {}, "2 snapshots, which libvirt does not move"),
    ({"checkpoints": 1}, {}, {}, "1 checkpoint,"),
    ({"active": False, "managed_save": True}, {}, {}, "a managed save"),
    ({"hostdevs": ("PCI 04:00.0",)}, {}, {}, "a device of its host: PCI 04:00.0"),
    ({"tied": ("the shared folder src",)}, {}, {}, "the shared folder src"),
    ({}, {"machine": "KVM is not supported"}, {}, "cannot run its machine: KVM"),
    ({}, {"cpu": "missing features: avx512f"}, {}, "does not have its CPU: missing features"),
    ({}, {"networks": {}}, {}, "srv2 has no network default"),
    ({}, {"networks": {"default": False}}, {}, "the network default is off on srv2"),
    ({"interfaces": (("bridge", "br7"),)}, {}, {}, "srv2 has no bridge br7"),
    ({"interfaces": (("direct", "eth7"),)}, {}, {}, "srv2 has no interface eth7"),
    ({"disks": (disk(),)}, {}, {"shared_storage": True}, "srv2 has no vda"),
    ({"disks": (disk(),)}, {}, {"tunnelled": True}, "copies no image"),
    ({"disks": (disk(there=OTHER),)}, {}, {}, f"srv2 has another image {PATH}"),
    ({"disks": (disk(format="vmdk"),)}, {}, {}, "the format vmdk"),
    ({"disks": (disk(capacity_bytes=None),)}, {}, {}, "the size of vda"),
    ({"disks": (disk(backing=("/base",)),)}, {}, {}, "lies on /base"),
    ({"disks": (disk(),), "encrypted": frozenset(("vda",))}, {}, {}, "is encrypted"),
    (
        {"active": False, "disks": (disk(source_type="block", there=UNKNOWN),)},
        {},
        {"copy_storage_all": True},
        "of a domain that is off is not copied",
    ),
    (
        {"disks": (disk(backing=("/base",), backing_there=False),)},
        {},
        {"copy_storage_inc": True},
        "srv2 does not have /base",
    ),
    (
        {"disks": (disk(source_type="volume", pool="fast", volume="x", there=UNKNOWN),)},
        {},
        {},
        "no active pool fast",
    ),
    ({"disks": (disk(device="cdrom", readonly=True),)}, {}, {}, "does not have the medium"),
    ({}, {"reaches": ""}, {"p2p": True}, "by a socket of this machine"),
    ({}, {"reaches": "", "hostname": "localhost.localdomain"}, {}, "calls itself localhost"),
    (
        {"disks": (disk(there=Place("images", "", Stamp(5, 5, 7))),)},
        {},
        {"copy_storage_all": True},
        "on srv2 has 7 bytes",
    ),
    (
        {"disks": (disk(there=Place("images", "", Stamp(5, 5, 1 << 30, "", (1 << 30) + 9))),)},
        {},
        {"copy_storage_all": True},
        "on srv2 has 1073741833 bytes",
    ),
    (
        {"disks": (disk(there=OTHER, users_there=("db-01", "db-02")),)},
        {},
        {"copy_storage_all": True},
        f"srv2 has {PATH} as a disk of db-01, db-02",
    ),
    (
        {"disks": (disk(there=UNKNOWN, users_there=("db-03",)),)},
        {},
        {"copy_storage_all": True},
        "as a disk of db-03",
    ),
    (
        {"disks": (disk(source_type="block", there=UNKNOWN, users_there=("db-04",)),)},
        {},
        {"copy_storage_all": True},
        "as a disk of db-04",
    ),
    (
        {"active": False, "disks": (overlay(backing_there=False),)},
        {},
        {},
        "srv2 does not have /off-base",
    ),
]


@pytest.mark.parametrize(("here", "there", "values", "said"), REFUSED, ids=[r[3] for r in REFUSED])
def test_what_cannot_be_is_refused_with_the_reason(
    here: dict[str, Any], there: dict[str, Any], values: dict[str, Any], said: str
) -> None:
    made = plan(here, there, **values)
    assert said in "; ".join(finding.text for finding in made.of(Weight.REFUSED))
    with pytest.raises(BadInput):
        refuse(made, "cannot move web-01", force=True)


RISKS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = [
    ({}, {"memory_free_kib": 1 << 20}, {}, "may use 4096 MiB, and srv2 has 1024 MiB free"),
    ({}, {"hypervisor_version": "6.2.0"}, {}, "QEMU on srv2 is older: 6.2.0"),
    ({"active": False, "tpm": True}, {}, {}, "the TPM state of web-01"),
    ({}, {}, {"keep": True}, "stays defined on srv1 too"),
    ({"disks": (disk(there=OTHER),)}, {}, {"copy_storage_all": True}, "it is overwritten"),
    ({"disks": (disk(there=UNKNOWN),)}, {}, {"copy_storage_all": True}, "if so, it is overwr"),
    ({"disks": (disk(there=UNKNOWN),)}, {}, {"shared_storage": True}, "no pool there holds it"),
    ({"disks": (disk(source_type="block", there=UNKNOWN),)}, {}, {}, "sees the same vda"),
    ({}, {"uuid_of": "web-01"}, {"transient": True}, "web-01 defined already, off"),
    (
        {"active": False, "disks": (overlay(backing_there=True, backing_same=False),)},
        {},
        {},
        "lies on /off-base of srv1, and srv2 has another one",
    ),
    ({"active": False, "disks": (overlay(backing_there=True),)}, {}, {}, "has perhaps another"),
    ({"active": False, "disks": (overlay(),)}, {}, {}, "whether srv2 has /off-base, on which vda"),
]


@pytest.mark.parametrize(("here", "there", "values", "said"), RISKS, ids=[r[3] for r in RISKS])
def test_a_risk_is_taken_only_when_that_is_said(
    here: dict[str, Any], there: dict[str, Any], values: dict[str, Any], said: str
) -> None:
    made = plan(here, there, **values)
    assert made.of(Weight.REFUSED) == ()
    assert said in "; ".join(finding.text for finding in made.of(Weight.RISK))
    refuse(made, "cannot move web-01", force=True)
    with pytest.raises(BadInput, match="cannot move web-01") as caught:
        refuse(made, "cannot move web-01", force=False)
    assert "--force" in caught.value.advice


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({"cpu_unknown": "not offered"}, "whether srv2 has its CPU cannot be told"),
        ({"libvirt_version": "8.0.0"}, "libvirt on srv2 is older"),
        ({"uuid_of": "web-01"}, "srv2 has web-01 defined already, off"),
    ],
)
def test_what_is_worth_knowing_hinders_nothing(there: dict[str, Any], said: str) -> None:
    made = plan(there=there)
    refuse(made, "cannot move web-01", force=False)
    assert said in "; ".join(finding.text for finding in made.of(Weight.NOTE))


def test_a_card_on_a_network_that_is_not_there_hinders_no_domain_that_is_off() -> None:
    made = plan({"active": False}, {"networks": {}})
    assert made.of(Weight.REFUSED) == ()
    assert made.of(Weight.NOTE)[0].text == "srv2 has no network default"


@pytest.mark.parametrize(
    ("same", "values"), [(True, {}), (False, {"copy_storage_inc": True})], ids=["seen", "said"]
)
def test_an_image_of_a_domain_that_is_off_goes_where_its_base_is(
    same: bool, values: dict[str, Any]
) -> None:
    here = {"active": False, "disks": (overlay(backing_there=True, backing_same=same),)}
    assert plan(here, **values).findings == ()


def image(facts: Any, **values: Any) -> Image:
    (move,) = plan({"disks": (facts,)}, **values).disks
    return move.image


def test_an_image_is_left_when_both_hosts_see_the_same_file() -> None:
    assert image(shared()) is Image.SHARED
    assert image(shared(), copy_storage_all=True) is Image.SHARED


def test_an_image_that_the_guest_writes_to_meanwhile_is_known_by_the_times_around() -> None:
    between = Stamp(1500, 1500, 1 << 30)
    seen = disk(there=Place("images", "", between), here_after=Place("images", "", LATER))
    assert image(seen) is Image.SHARED
    stale = replace(seen, there=Place("images", "", Stamp(2500, 2500, 1 << 30)))
    assert image(stale) is Image.OVERWRITE


def test_an_image_whose_times_are_not_known_is_not_taken_for_the_same() -> None:
    assert image(disk(here=UNKNOWN, there=OTHER, here_after=UNKNOWN)) is Image.OVERWRITE
    assert image(disk(here=UNKNOWN, there=OTHER), shared_storage=True) is Image.SHARED


def test_an_image_that_no_pool_knows_is_looked_for_when_it_begins() -> None:
    assert image(disk(there=UNKNOWN)) is Image.LOOK
    assert image(disk(there=POOL)) is Image.COPY


def test_a_servers_disk_and_a_medium_are_not_copied() -> None:
    assert image(disk(source_type="network", path="")) is Image.NONE
    cd = disk(device="cdrom", readonly=True, there=Place("images", "", FIRST))
    assert image(cd) is Image.SHARED
    assert plan({"disks": (cd,)}).steps == plan().steps


@pytest.mark.parametrize(
    ("address", "uri"),
    [("10.0.0.2", "tcp://10.0.0.2"), ("fe80::1", "tcp://[fe80::1]"), ("srv2.lan", "tcp://srv2.lan"),
     ("srv2", None), ("", None), ("127.0.0.1", None), ("127.8.0.1", None), ("::1", None),
     ("localhost", None), ("localhost.localdomain", None)],
)  # fmt: skip
def test_memory_is_sent_to_the_address_of_the_connection_unless_that_may_mean_another(
    address: str, uri: str | None
) -> None:
    assert plan(there={"reaches": address}).values["migrateuri"] == uri
    assert plan(there={"reaches": address}, migrateuri="tcp://x").values["migrateuri"] == "tcp://x"


def test_a_names_line_end_looks_like_no_line_of_ours() -> None:
    assert all("\n" not in line for line in plan({"name": "a\nRefused: b"}).lines)


def test_an_evacuation_tells_who_goes_where_who_stays_and_the_sum() -> None:
    goings = (
        Going("1", "web-01", 2048 << 10, "srv2", plan()),
        Going("2", "gpu", 1024 << 10, "", why="srv2: it has a device of its host"),
    )
    assert EvacuationPlan("srv1", goings, 2).lines == (
        "gpu stays: srv2: it has a device of its host",
        "web-01 → srv2, 2048 MiB",
        "1 of 2 running domains go, 2048 MiB in all, 2 at a time",
    )


def test_the_hosts_of_these_tests_are_right() -> None:
    assert (HERE.host, THERE.name) == ("srv1", "srv2")
