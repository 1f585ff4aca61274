"""Tags, group and note: kept by libvirt, seen by colleagues, beside what others keep there."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial

import libvirt
import pytest

from tests.contract.cli import TEST, tuivirt
from tests.contract.conftest import Heard, Place, started
from tests.support.guests import Guest, domain_xml, idle_guest, image_folder, unique_name
from tuivirt.backend import labels
from tuivirt.backend.errors import ReadOnly
from tuivirt.backend.events import Event
from tuivirt.backend.host import Host
from tuivirt.backend.model.domain import UNLABELLED, Labels
from tuivirt.backend.xml.labels import NAMESPACE

ELEMENT = libvirt.VIR_DOMAIN_METADATA_ELEMENT
LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG
THEIRS = "https://example.org/theirs"


@pytest.fixture(scope="module")
def idle(qemu_uri: str) -> Iterator[Place]:
    """A running QEMU guest in which nothing is."""
    with image_folder() as folder, idle_guest(qemu_uri, folder, unique_name("label")) as guest:
        heard = Heard()
        host = started(qemu_uri, heard)
        yield Place("qemu", host, guest.uuid, heard)
        host.close()


@pytest.fixture(params=["test_driver", "demo", "idle"])
def bare(request: pytest.FixtureRequest) -> Place:
    """A guest on which nothing is written."""
    place: Place = request.getfixturevalue(request.param)
    domain = place.host.domain(place.uuid)
    for uri in (NAMESPACE, THEIRS):
        if uri in domain.XMLDesc(0):
            domain.setMetadata(ELEMENT, None, None, uri, LIVE | CONFIG)
    place.heard.forget()
    return place


def test_what_is_written_is_in_both_configurations_and_its_event_is_told(bare: Place) -> None:
    assert bare.run(labels.tag, "web #prod") == f"{bare.name} has the tags #web #prod"
    assert bare.heard.of_family("metadata-change").detail["namespace"] == NAMESPACE
    bare.run(labels.set_group, "shop & more")
    bare.run(labels.set_note, "one\ntwo <three>")
    for saved in (False, True):
        xml = bare.xml(saved=saved)
        assert f'xmlns:tuivirt="{NAMESPACE}"' in xml
        assert "<tuivirt:tag>prod</tuivirt:tag>" in xml
    assert labels.labels_of(bare.host, bare.uuid) == Labels(
        ("web", "prod"), "shop & more", "one\ntwo <three>"
    )


def test_nothing_of_ours_is_left_when_all_is_taken_away_and_what_others_keep_stays(
    bare: Place,
) -> None:
    domain = bare.host.domain(bare.uuid)
    domain.setMetadata(ELEMENT, "<thing a='1'>kept</thing>", "their", THEIRS, LIVE | CONFIG)
    bare.run(labels.tag, "web")
    assert bare.run(labels.untag, "WEB") == f"{bare.name} has no tags"
    for saved in (False, True):
        assert NAMESPACE not in bare.xml(saved=saved)
        assert "kept" in bare.xml(saved=saved)


def test_what_another_version_has_written_beside_ours_is_kept(bare: Place) -> None:
    domain = bare.host.domain(bare.uuid)
    text = "<labels><tag>web</tag><owner mail='a@b'>Anna</owner></labels>"
    domain.setMetadata(ELEMENT, text, "tuivirt", NAMESPACE, LIVE | CONFIG)
    bare.run(labels.tag, "prod")
    bare.run(labels.untag, "web")
    for side in (LIVE, CONFIG):
        now = domain.metadata(ELEMENT, NAMESPACE, side)
        assert "Anna" in now
        assert "mail=" in now
        assert "web" not in now


def test_of_many_who_tag_at_once_none_loses_a_tag(bare: Place) -> None:
    wanted = [f"tag-{number}" for number in range(12)]
    runs = [
        bare.host.actions.submit(partial(labels.tag, bare.host, bare.uuid, tag)) for tag in wanted
    ]
    for run in runs:
        run.result(60)
    assert set(labels.labels_of(bare.host, bare.uuid).tags) == set(wanted)


class Watched:
    """A host as the screen has it, and what it shows of one guest."""

    def __init__(self, place: Place) -> None:
        self._changed = threading.Condition()
        self.host = Host("watched", place.host.uri, publish=self._heard)
        self._uuid = place.uuid

    def _heard(self, _event: Event) -> None:
        with self._changed:
            self._changed.notify_all()

    def shows(self, labels: Labels) -> None:
        """Wait until the list has these labels."""

        def shown() -> object:
            domain = self.host.snapshot.domains.get(self._uuid)
            return domain is not None and domain.labels == labels

        with self._changed:
            assert self._changed.wait_for(shown, 20), self.host.snapshot.domains.get(self._uuid)


def virsh(place: Place, *words: str) -> str:
    """What a colleague's ``virsh metadata`` says."""
    argv = ["virsh", "-q", "-c", place.host.uri, "metadata", place.name, NAMESPACE, *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_a_colleague_and_the_list_see_what_the_other_writes_at_once(idle: Place) -> None:
    domain = idle.host.domain(idle.uuid)
    said = "<labels><tag>theirs</tag><group>shop</group></labels>"
    virsh(idle, "--key", "any", "--set", said, "--live", "--config")
    watched = Watched(idle)
    watched.host.start()
    try:
        watched.shows(Labels(("theirs",), "shop"))
        labels.tag(watched.host, idle.uuid, "ours")
        watched.shows(Labels(("theirs", "ours"), "shop"))
        assert "<tag>theirs</tag><tag>ours</tag>" in "".join(virsh(idle).split())
        virsh(idle, "--remove", "--live", "--config")
        watched.shows(UNLABELLED)
    finally:
        watched.host.close()
        domain.setMetadata(ELEMENT, None, None, NAMESPACE, LIVE | CONFIG)


def test_labels_outlive_the_guests_run_and_are_changed_while_it_is_off(
    qemu_uri: str, define: Callable[..., Guest]
) -> None:
    guest = define(unique_name("label"), serial=False, kernel=False, memory_mib=32)
    host = started(qemu_uri, Heard())
    try:
        labels.tag(host, guest.uuid, "web")
        guest.start()
        assert labels.labels_of(host, guest.uuid).tags == ("web",)
        labels.untag(host, guest.uuid, "web")
        labels.tag(host, guest.uuid, "db")
        guest.destroy()
        assert labels.labels_of(host, guest.uuid).tags == ("db",)
        guest.domain.undefine()
        guest.conn.createXML(domain_xml(guest.name, serial=False, kernel=False, memory_mib=32), 0)
        transient = host.conn.lookupByName(guest.name).UUIDString()
        assert labels.set_group(host, transient, "shop") == f"{guest.name} is in the group shop"
        host.domain(transient).destroy()
    finally:
        host.close()


def test_a_read_only_connection_writes_nothing(idle: Place) -> None:
    host = started(idle.host.uri, Heard(), readonly=True)
    try:
        with pytest.raises(ReadOnly):
            labels.tag(host, idle.uuid, "web")
        assert labels.labels_of(host, idle.uuid) == UNLABELLED
    finally:
        host.close()


def test_the_command_line_writes_shows_and_picks_by_them(idle: Place) -> None:
    at = ("-c", idle.host.uri)
    for words, said in [
        (("tag", idle.name, "web", "#prod"), f"{idle.name} has the tags #web #prod"),
        (("untag", idle.name, "PROD"), f"{idle.name} has the tags #web"),
        (("set-group", idle.name, "my", "shop"), f"{idle.name} is in the group my shop"),
        (("set-note", idle.name, "ask Anna"), f"{idle.name} has a note"),
    ]:
        ran = tuivirt(*at, *words)
        assert (ran.status, ran.out.strip()) == (0, said)
    mine = {d["name"]: d for d in tuivirt(*at, "list", "domains", "-o", "json").json}[idle.name]
    assert (mine["tags"], mine["group"], mine["note"]) == (["web"], "my shop", "ask Anna")
    picked = tuivirt(*at, "list", "domains", "--tag", "WEB", "--group", "My Shop").out
    assert "#web" not in picked
    assert [line.split()[1] for line in picked.splitlines()[1:]] == [idle.name]
    assert idle.name not in tuivirt(*at, "list", "domains", "--group", "").out
    assert tuivirt(*at, "unset-group", idle.name).out == f"{idle.name} is in no group\n"
    assert tuivirt(*at, "unset-note", idle.name).out == f"{idle.name} has no note\n"
    tuivirt(*at, "untag", idle.name, "web")
    assert NAMESPACE not in idle.xml(saved=True)


def test_the_command_line_refuses_what_cannot_be_meant() -> None:
    for words, why in [
        (("tag", "test", "a\x01"), "cannot hold the character"),
        (("tag", "test"), "required: TAGS"),
        (("set-group", "test", " "), "the group is empty"),
        (("set-note", "test", "x" * 4001), "the note is too long"),
        (("list", "networks", "--tag", "a"), "networks have no tags"),
    ]:
        ran = tuivirt(*TEST, *words)
        assert ran.status == 2
        assert why in ran.err
