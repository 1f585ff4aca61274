"""Options become libvirt's flags and parameters, and what cannot be together is refused."""

from __future__ import annotations

from typing import Any, cast

import libvirt
import pytest

from tuivirt.actions.catalog import listed
from tuivirt.backend.errors import BadInput
from tuivirt.backend.migration.changes import set_max_downtime, set_speed
from tuivirt.backend.migration.options import CHOICES, check, flags_of, params_of, settled


def flags(**values: Any) -> int:
    return flags_of(settled(values, active=True, persistent=True))


def test_a_running_guest_goes_live_is_defined_there_and_undefined_here() -> None:
    assert flags() == (
        libvirt.VIR_MIGRATE_LIVE
        | libvirt.VIR_MIGRATE_PERSIST_DEST
        | libvirt.VIR_MIGRATE_UNDEFINE_SOURCE
    )


def test_one_that_is_off_goes_offline_and_a_transient_one_stays_transient() -> None:
    off = settled({}, active=False, persistent=True)
    assert flags_of(off) & libvirt.VIR_MIGRATE_OFFLINE
    transient = settled({}, active=True, persistent=False)
    assert flags_of(transient) == libvirt.VIR_MIGRATE_LIVE


def test_what_is_to_be_kept_here_and_not_there_is_not_flagged() -> None:
    assert flags(keep=True, transient=True) == libvirt.VIR_MIGRATE_LIVE


def test_a_tunnel_is_peer_to_peer() -> None:
    assert flags(tunnelled=True) & libvirt.VIR_MIGRATE_PEER2PEER


def test_every_flag_and_parameter_of_the_table_is_libvirts_and_is_set() -> None:
    for choice in CHOICES:
        value: Any = True if choice.type is bool else choice.type("7")
        if choice.flag:
            assert flags_of({choice.name: value}) == choice.flag
        if choice.param:
            assert params_of({choice.name: value}) == {choice.param: value}
    assert params_of(dict.fromkeys((choice.name for choice in CHOICES), None)) == {}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"live": True, "offline": True}, "--live excludes --offline"),
        ({"keep": True, "undefinesource": True}, "--undefinesource excludes --keep"),
        ({"copy_storage_all": True, "shared_storage": True}, "excludes --shared-storage"),
        ({"tunnelled": True, "migrateuri": "tcp://x"}, "--tunnelled excludes --migrateuri"),
        ({"timeout_postcopy": True}, "--timeout-postcopy needs --timeout"),
        ({"parallel_connections": 2}, "--parallel-connections needs --parallel"),
        ({"migrateuri": "10.0.0.1"}, "--migrateuri cannot be '10.0.0.1'"),
        ({"bandwidth": 10**20}, "--bandwidth cannot be 10+: the most is 8796093022207"),
        ({"max_downtime": 10**20}, "--max-downtime cannot be 10+: the most is 2000000"),
        ({"parallel": True, "parallel_connections": 2**40}, "the most is 255"),
    ],
)
def test_options_that_cannot_be_together_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        check(values)


def test_the_most_that_may_be_said_is_not_refused() -> None:
    most = {choice.name: choice.maximum for choice in CHOICES if choice.maximum is not None}
    check({**most, "parallel": True})
    check({**{name: str(number) for name, number in most.items()}, "parallel": True})
    check(dict.fromkeys(most, ""))


def test_a_number_as_it_was_typed_is_held_against_the_most_as_well() -> None:
    with pytest.raises(BadInput, match="--max-downtime cannot be 2000001"):
        check({"max_downtime": "2000001"})


def test_what_libvirt_cannot_be_told_while_it_is_moved_is_refused_as_well() -> None:
    with pytest.raises(BadInput, match="the downtime cannot be"):
        set_max_downtime(cast(Any, None), "u", 10**20)
    with pytest.raises(BadInput, match="the speed cannot be"):
        set_speed(cast(Any, None), "u", 10**20)


@pytest.mark.parametrize(
    ("values", "active"),
    [({"live": True}, False), ({"offline": True}, True), ({"postcopy": True}, False),
     ({"transient": True}, False)],
)  # fmt: skip
def test_options_that_its_state_forbids_are_refused(values: dict[str, Any], active: bool) -> None:
    with pytest.raises(BadInput):
        settled(values, active=active, persistent=True)


def test_a_password_in_a_uri_is_not_in_the_virsh_command() -> None:
    given = {"dest": "srv2", "desturi": "qemu+tcp://op:secret@srv2/system"}
    command = listed()["migrate"].equivalent("web-01", given)
    assert "secret" not in command
    assert "op@srv2" in command


def test_the_virsh_command_has_virshs_options_and_no_other() -> None:
    command = listed()["migrate"].equivalent(
        "web-01",
        {
            "dest": "srv2",
            "desturi": "qemu+ssh://srv2/system",
            "migrateuri": "tcp://10.0.0.2",
            "live": True,
            "copy_storage_all": True,
            "bandwidth": 50,
            "keep": True,
            "max_downtime": 300,
        },
    )
    assert command == (
        "virsh migrate web-01 qemu+ssh://srv2/system tcp://10.0.0.2 --live --copy-storage-all"
        " --bandwidth 50"
    )
