"""What a network disk is made of, on the command line and as virsh would be told."""

from __future__ import annotations

from typing import Any

import pytest

from tuivirt.actions.catalog import ACTIONS
from tuivirt.actions.disk_forms import as_options, kind_of
from tuivirt.actions.disk_options import PARAMETERS, as_virsh, fields_of
from tuivirt.backend import hotplug
from tuivirt.backend.errors import BadInput
from tuivirt.backend.hotplug import AttachOutcome, DiskRequest
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.when import When
from tuivirt.backend.xml.disksource import NETWORK
from tuivirt.backend.xml.netdisk import asked_network

ATTACH = ACTIONS["attach-disk"]
WEB = Domain("h", "u" * 32, "web-01", None, DomainState.SHUTOFF)


class FakeRun:
    host = None

    def __init__(self) -> None:
        self.chosen: dict[str, Any] = {}

    def progress(self, text: str, fraction: float | None = None) -> None: ...

    def tell(self, text: str) -> None: ...

    def chose(self, **values: Any) -> None:
        self.chosen |= values


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[DiskRequest]:
    """What the backend was asked for."""
    requests: list[DiskRequest] = []

    def note(_host: Any, _uuid: str, request: DiskRequest, *_rest: Any, **_more: Any) -> Any:
        requests.append(request)
        return AttachOutcome("done", "vda")

    monkeypatch.setattr(hotplug, "attach_disk", note)
    return requests


def virsh_of(**given: Any) -> str:
    """The command that virsh would be given, once it is known what the source is."""
    run = FakeRun()
    values = ATTACH.convert({"when": When.NOW, **given})
    ATTACH.function(run, WEB, **values)
    return ATTACH.equivalent("web-01", {**values, **run.chosen})


def test_every_field_of_a_network_source_has_an_option_and_none_is_the_screens() -> None:
    assert len(PARAMETERS) == len(NETWORK)
    given = {parameter.name: "x" for parameter in PARAMETERS}
    assert fields_of(given).keys() == {field.name for field in NETWORK}
    assert all(parameter.cli_only for parameter in PARAMETERS)
    assert {parameter.name for parameter in PARAMETERS} <= {p.name for p in ATTACH.parameters}


def test_options_and_a_uri_come_to_the_same(asked: list[DiskRequest]) -> None:
    virsh_of(source="vda", source_protocol="nbd", source_host_name="h:1", tls="yes")
    virsh_of(source="nbds://h:1/vda")
    first, second = (asked_network(each.source, each.network) for each in asked)
    assert first == second == {**(first or {}), "server": "h", "port": 1, "tls": True}


@pytest.mark.parametrize(
    ("given", "command"),
    [
        (
            {"source": "nbd://h:1/vda", "target": "vdb"},
            (
                "virsh attach-disk web-01 vda vdb --type disk --sourcetype network"
                " --source-protocol nbd --source-host-name h:1 --live"
            ),
        ),
        (
            {"source": "nbd+unix:///vda?socket=/run/a b"},
            (
                "virsh attach-disk web-01 vda TARGET --type disk --sourcetype network"
                " --source-protocol nbd --source-host-transport unix"
                " --source-host-socket '/run/a b' --live"
            ),
        ),
        (
            {"source": "ftp://h/a.iso"},
            (
                "virsh attach-disk web-01 a.iso TARGET --type disk --mode readonly"
                " --sourcetype network --source-protocol ftp --source-host-name h --live"
            ),
        ),
        ({"source": "nbds://h/vda"}, "virsh attach-device web-01 DEVICE.xml --live"),
        ({"source": "rbd://a,b/p/i"}, "virsh attach-device web-01 DEVICE.xml --live"),
        ({"source": "default/a.img"}, "virsh attach-device web-01 DEVICE.xml --live"),
        ({"source": "/a.img"}, "virsh attach-disk web-01 /a.img TARGET --type disk --live"),
    ],
)
def test_virsh_is_told_as_far_as_its_verb_has_a_word_for_it(
    asked: list[DiskRequest], given: dict[str, Any], command: str
) -> None:
    assert virsh_of(**given) == command


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"source": "http://me:hunter2@h/a"}, "a password has no place"),
        ({"source": "vda", "sourcetype": "network"}, "Protocol: a network disk needs one"),
        ({"source": "/a.img", "port": "3"}, "Port: makes no sense"),
        ({"source": "nbd://h/a", "sourcetype": "file"}, "not as a file"),
        ({"source": "nbd://h/a", "port": "0"}, "the least is 1"),
    ],
)
def test_what_cannot_be_is_refused_before_there_is_a_task(
    given: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        ATTACH.convert(given)
    assert "hunter2" not in str(caught.value)


def test_a_medium_of_another_machine_is_refused_with_what_to_do_instead() -> None:
    with pytest.raises(BadInput, match="attach-disk --type cdrom") as caught:
        ACTIONS["change-media"].convert({"path": "sda", "source": "http://me:hunter2@h/a"})
    assert "hunter2" not in str(caught.value)
    assert ACTIONS["change-media"].convert({"path": "sda", "source": "/a.iso"})


def test_the_form_hands_over_what_no_uri_can_say_for_the_verb_to_refuse() -> None:
    given = {"sourcetype": "network", "protocol": "nbd", "server": "a b", "port": "x"}
    with pytest.raises(BadInput, match="Port cannot be 'x'"):
        ATTACH.convert(as_options(given))
    with pytest.raises(BadInput, match="Server: 'a b' is neither"):
        ATTACH.convert(as_options({**given, "port": ""}))


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("", ""),
        ("/srv/a.img", "file"),
        ("/dev/sdb", "block device"),
        ("default/a", "volume"),
        ("rbd:p/i", "network"),
        ("a", ""),
    ],
)
def test_the_kind_is_told_by_the_source(source: str, kind: str) -> None:
    assert kind_of(source) == kind


def test_a_path_needs_no_other_words_for_virsh() -> None:
    assert as_virsh("/a.img", None) == {}
