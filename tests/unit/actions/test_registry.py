"""Every action's declaration is complete, and a wrong one is refused."""

from __future__ import annotations

import re
from typing import Annotated, Any

import pytest

from tuivirt.actions import registry
from tuivirt.actions.catalog import ACTIONS, for_kind, listed
from tuivirt.actions.registry import Action, Option, Parameter, Run, action
from tuivirt.actions.template import synopsis
from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.host import HostInfo, HostSnapshot, Link
from tuivirt.backend.model.ref import Kind
from tuivirt.backend.model.when import When

OF_THE_SCREENS = {
    "colon", "slash", "question_mark", "escape", "enter", "space", "ctrl+space", "l", "a",
    "j", "k", "g", "G", "ctrl+r", "q", "ctrl+q", "ctrl+p", "ctrl+c",
}  # fmt: skip


def domain(state: DomainState, **changes: Any) -> Domain:
    number = 1 if state.active else None
    return Domain("h", "u" * 32, "web-01", number, state, **changes)


@pytest.fixture(params=listed().values(), ids=list(listed()))
def each(request: pytest.FixtureRequest) -> Action:
    found: Action = request.param
    return found


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test declares is forgotten again."""
    monkeypatch.setattr(registry, "ACTIONS", dict(ACTIONS))
    monkeypatch.setattr(registry, "_taken_keys", dict(registry._taken_keys))


OF_LIBVIRT = {
    "pool-define-as",
    "find-storage-pool-sources-as",
    "restore",
    "save-image-info",
    *(f"secret-{verb}" for verb in ("list", "dumpxml", "define", "set-value", "undefine")),
}
"""What is done to a host by one of libvirt's calls: the daemon is the one that virsh is told of."""
WITHOUT_LIBVIRT = {"set-functions", *(each.name for each in for_kind(Kind.HOST))} - OF_LIBVIRT
"""What libvirt has no call for, so that virsh cannot do it either."""


def test_an_action_has_a_sentence_of_help_for_itself_and_each_parameter(each: Action) -> None:
    assert each.help.endswith(".")
    assert each.help[0].isupper()
    assert each.title[0].isupper()
    assert each.api.startswith("vir") or each.name in WITHOUT_LIBVIRT
    for parameter in each.parameters:
        assert parameter.help
        assert parameter.label


def test_no_key_of_an_action_is_a_sort_key_or_one_of_the_screens(each: Action) -> None:
    assert not re.fullmatch("[A-Z]", each.key)
    assert each.key not in OF_THE_SCREENS


def test_a_destructive_action_asks_and_sits_behind_ctrl_or_a_form(each: Action) -> None:
    if each.destructive:
        assert "{name}" in each.confirm
        asks_by_form = any(p.required for p in each.parameters)
        assert each.key == "" or each.key.startswith("ctrl+") or asks_by_form


def test_a_virsh_template_fills_to_a_command_with_nothing_left_open(each: Action) -> None:
    typed: dict[type, Any] = {str: "x y", int: 3}
    values = {p.name: typed.get(p.type, p.default) for p in each.parameters}
    for given in (values, {p.name: "z" for p in each.parameters if p.required}):
        command = each.equivalent("web 01", given)
        if each.name in WITHOUT_LIBVIRT:
            assert command == ""
            continue
        assert command.startswith("virsh ")
        assert ("'web 01'" in command) is (each.object is not Kind.HOST)
        assert not re.search(r"[\[\]{}]|None|  ", command)
    assert "{" not in synopsis(each.virsh)


def test_keys_are_unique_within_an_object() -> None:
    for kind in Kind:
        keys = [a.key for a in for_kind(kind) if a.key]
        assert len(keys) == len(set(keys))


def test_domains_come_first_and_keep_the_order_of_their_declaration() -> None:
    names = [a.name for a in for_kind(Kind.DOMAIN)]
    assert names[:2] == ["start", "shutdown"]
    assert names.index("undefine") < names.index("attach-disk") < names.index("console")


def test_the_virsh_command_quotes_what_a_shell_would_take_apart() -> None:
    attach = ACTIONS["attach-disk"]
    command = attach.equivalent("a;b", {"source": "/x  [y] {z}", "target": "vdb"})
    assert command == ("virsh attach-disk 'a;b' '/x  [y] {z}' vdb --type disk --persistent")


@pytest.mark.parametrize(
    ("values", "rest"),
    [
        ({}, ""),
        ({"kind": "external"}, " --disk-only"),
        ({"kind": "external", "memory": True, "memspec": "/m"}, " --memspec /m"),
        ({"leave_out": "vdb, vdc"}, " --diskspec vdb,snapshot=no --diskspec vdc,snapshot=no"),
        (
            {"kind": "external", "its_disks": ("vda,snapshot=external,file=/a b",)},
            " --disk-only --diskspec 'vda,snapshot=external,file=/a b'",
        ),
    ],
)
def test_the_virsh_command_of_a_snapshot_says_which_disks_and_how(
    values: dict[str, Any], rest: str
) -> None:
    command = listed()["snapshot-create"].equivalent("web", values)
    assert command == f"virsh snapshot-create-as web --atomic{rest}"
    assert "[--diskspec DISKS ...]" in synopsis(listed()["snapshot-create"].virsh)


@pytest.mark.parametrize(
    ("when", "flags"),
    [
        (When.AUTO, "--persistent"),
        (When.NOW, "--live"),
        (When.NEXT_BOOT, "--config"),
        (When.BOTH, "--live --config"),
    ],
)
def test_when_becomes_the_flags_that_virsh_has_for_it(when: When, flags: str) -> None:
    command = ACTIONS["detach-disk"].equivalent("web", {"target": "vdb", "when": when})
    assert command == f"virsh detach-disk web vdb {flags}"


@pytest.mark.parametrize(
    ("active", "persistent", "flags"),
    [
        (True, True, "--live --config"),
        (True, False, "--live"),
        (False, True, "--config"),
    ],
)
def test_a_time_left_to_the_domain_is_told_as_what_it_means_for_that_one(
    active: bool, persistent: bool, flags: str
) -> None:
    domain = Domain(
        "h",
        "uuid",
        "web",
        1 if active else None,
        DomainState.RUNNING if active else DomainState.SHUTOFF,
        persistent=persistent,
    )
    command = ACTIONS["detach-disk"].equivalent("web", {"target": "vdb"}, domain)
    assert command == f"virsh detach-disk web vdb {flags}"


def test_virsh_change_media_is_never_given_the_flag_it_does_not_have() -> None:
    assert ACTIONS["change-media"].equivalent("web", {"path": "sda", "eject": True}) == (
        "virsh change-media web sda --eject --live --config"
    )


def test_an_action_is_refused_by_the_state_of_its_domain() -> None:
    off, on = domain(DomainState.SHUTOFF), domain(DomainState.RUNNING)
    assert ACTIONS["shutdown"].refusal(off) == "web-01 is off"
    assert ACTIONS["shutdown"].refusal(on) == ""
    assert ACTIONS["start"].refusal(on) == "web-01 is on already"
    assert ACTIONS["resume"].refusal(on) == "web-01 is not paused"
    assert ACTIONS["resume"].refusal(domain(DomainState.PAUSED)) == ""
    assert "transient" in ACTIONS["undefine"].refusal(domain(DomainState.RUNNING, persistent=False))


def test_a_changing_action_is_refused_on_a_readonly_or_lost_host() -> None:
    on = domain(DomainState.RUNNING)
    readonly = HostSnapshot("h", "x:", Link.CONNECTED, info=HostInfo("x:", readonly=True))
    assert ACTIONS["destroy"].refusal(on, readonly) == "the connection is read-only"
    assert ACTIONS["dumpxml"].refusal(on, readonly) == ""
    lost = HostSnapshot("h", "x:", Link.LOST, info=HostInfo("x:"))
    assert ACTIONS["destroy"].refusal(on, lost) == "host h is not connected"


def test_the_question_names_what_is_lost() -> None:
    asked = ACTIONS["undefine"].question(domain(DomainState.RUNNING))
    assert asked.startswith("Undefine web-01? Its configuration is lost.")
    assert "gone for good" in asked
    transient = domain(DomainState.RUNNING, persistent=False)
    assert "configuration is lost" in ACTIONS["destroy"].question(transient)
    assert "configuration" not in ACTIONS["destroy"].question(domain(DomainState.RUNNING))
    assert ACTIONS["start"].question(domain(DomainState.SHUTOFF)) == ""


def test_values_are_converted_and_unset_ones_get_their_defaults() -> None:
    given = ACTIONS["detach-disk"].convert({"target": "vdb", "when": "next boot", "timeout": "3"})
    assert given == {"target": "vdb", "when": When.NEXT_BOOT, "timeout": 3.0}
    assert ACTIONS["start"].convert({"paused": "yes", "force_boot": ""}) == {
        "paused": True,
        "force_boot": False,
    }


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("detach-disk", {}, "Target is missing"),
        ("detach-disk", {"target": ""}, "Target is missing"),
        ("detach-disk", {"target": "a\0b"}, "NUL"),
        ("detach-disk", {"target": "vdb", "timeout": "soon"}, "it is a number"),
        ("detach-disk", {"target": "vdb", "timeout": "-1"}, "the least is 0"),
        ("detach-disk", {"target": "vdb", "timeout": "inf"}, "finite"),
        ("detach-disk", {"target": "vdb", "when": "later"}, "auto, now, next boot or both"),
        ("shutdown", {"mode": "kindly"}, "one of acpi, agent"),
        ("start", {"paused": "perhaps"}, "yes or no"),
        ("start", {"pause": True}, "start has no pause"),
    ],
)
def test_a_value_that_does_not_fit_is_bad_input(
    name: str, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadInput, match=re.escape(said)):
        ACTIONS[name].convert(values)


def test_an_optional_union_is_converted_as_its_plain_type() -> None:
    mode = next(p for p in ACTIONS["shutdown"].parameters if p.name == "mode")
    assert (mode.type, mode.default, mode.required) == (str, None, False)
    assert Parameter("n", int, "h", "N", required=True).convert("7") == 7


@pytest.mark.usefixtures("declared")
class TestWrongDeclarations:
    def test_without_a_docstring(self) -> None:
        with pytest.raises(TypeError, match="no docstring"):

            @action("domain", virsh="", api="virX")
            def nameless(run: Run, domain: Domain) -> str:
                return ""

    def test_with_the_key_of_another_action_of_that_object(self) -> None:
        with pytest.raises(TypeError, match="key s is start's"):

            @action("domain", key="s", virsh="", api="virX")
            def other(run: Run, domain: Domain) -> str:
                """Do something."""
                return ""

    def test_declared_twice(self) -> None:
        with pytest.raises(TypeError, match="declared twice"):

            @action("domain", virsh="", api="virX")
            def start(run: Run, domain: Domain) -> str:
                """Do something."""
                return ""

    @pytest.mark.parametrize(
        "virsh", ["virsh x {nome}", "virsh x[ --y {nome}]", "virsh x[nome? y]"]
    )
    def test_with_a_template_that_names_no_parameter(self, virsh: str) -> None:
        with pytest.raises(TypeError, match="nome"):

            @action("domain", virsh=virsh, api="virX")
            def other(run: Run, domain: Domain) -> str:
                """Do something."""
                return ""

    def test_with_a_parameter_that_has_no_help(self) -> None:
        @action("domain", virsh="", api="virX")
        def other(run: Run, domain: Domain, *, force: bool = False) -> str:
            """Do something."""
            return ""

        with pytest.raises(TypeError, match="missing"):
            _ = registry.ACTIONS["other"].parameters

    def test_a_good_one_is_registered_under_its_verb(self) -> None:
        @action("network", key="z", virsh="virsh x {name}[ --to {to}]", api="virX")
        def net_move_(run: Run, network: Any, *, to: Annotated[str, Option("where to")]) -> str:
            """Do something."""
            return ""

        made = registry.ACTIONS["net-move"]
        assert made.title == "Net move"
        assert made.parameters[0].flag == "--to"
