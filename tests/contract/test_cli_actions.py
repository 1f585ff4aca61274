"""The verbs that change something: an exit status that can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import libvirt
import pytest

from tests.contract.cli import TEST, tuivirt
from tests.support import guests
from tests.support.guests import Guest

UUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"
"""Of the domain of libvirt's test driver."""


@pytest.mark.parametrize("name", ["test", UUID, UUID.upper(), "1", "test@local"])
def test_a_domain_is_named_by_name_uuid_or_id_and_host(name: str) -> None:
    ran = tuivirt(*TEST, "destroy", name)
    assert (ran.status, ran.out, ran.err) == (0, "test is off\n", "")


def test_an_unknown_domain_fails_with_what_to_look_at() -> None:
    ran = tuivirt(*TEST, "destroy", "nosuch")
    assert ran.status == 1
    assert "there is no domain 'nosuch' on local" in ran.err
    assert "tuivirt list domains" in ran.err


def test_of_several_objects_one_failing_makes_it_1_and_the_rest_is_done() -> None:
    ran = tuivirt(*TEST, "suspend", "nosuch", "test")
    assert ran.status == 1
    assert ran.out == "test is paused\n"


def test_options_may_stand_between_the_words() -> None:
    ran = tuivirt(*TEST, "suspend", "nosuch", "-o", "json", "test")
    assert ran.json["text"] == "test is paused"
    ran = tuivirt(*TEST, "change-media", "test", "sda", "--insert", "/no/such.iso")
    assert ran.status == 1
    assert "test has no drive sda" in ran.err


def test_libvirts_refusal_keeps_its_text_and_names_the_host() -> None:
    ran = tuivirt(*TEST, "start", "test")
    assert ran.status == 1
    assert "local: cannot start test" in ran.err
    assert "already running" in ran.err


def test_a_readonly_connection_is_refused() -> None:
    for arguments in (["--readonly", "destroy", "test"], ["destroy", "test", "--readonly"]):
        ran = tuivirt(*TEST, *arguments)
        assert ran.status == 1
        assert "read-only" in ran.err


def test_a_name_that_is_on_two_hosts_must_say_which(tmp_path: Path) -> None:
    path = tmp_path / "other.xml"
    path.write_text(
        "<node><domain type='test'><name>test</name><memory>1024</memory>"
        "<os><type>hvm</type></os></domain></node>"
    )
    two = (*TEST, "-c", f"test://{path}")
    ran = tuivirt(*two, "destroy", "test")
    assert ran.status == 1
    assert "test@local, test@local-other.xml" in ran.err
    assert tuivirt(*two, "destroy", "test@local-other.xml").status == 0


def test_where_a_host_is_missing_only_name_at_host_is_sure_enough() -> None:
    two = (*TEST, "-c", "qemu:///system?socket=/nowhere/sock")
    ran = tuivirt(*two, "destroy", "test")
    assert ran.status == 1
    assert "Say test@local" in ran.err
    sure = tuivirt(*two, "destroy", "test@local")
    assert (sure.status, sure.err) == (0, "")


def test_an_action_as_json_says_what_virsh_would_have_done() -> None:
    done = tuivirt(*TEST, "destroy", "test", "-o", "json").json
    assert (done["state"], done["name"], done["host"]) == ("done", "test", "local")
    assert done["virsh"] == "virsh -c test:///default destroy test"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["net-destroy", "default"], "network default is stopped\n"),
        (["net-autostart", "default"], "network default starts with the host\n"),
        (["pool-destroy", "default-pool"], "pool default-pool is stopped\n"),
        (["pool-refresh", "default-pool"], "pool default-pool is refreshed: 0 volumes\n"),
        (["pool-autostart", "default-pool"], "pool default-pool starts with the host\n"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_networks_and_pools_have_their_verbs(arguments: list[str], said: str) -> None:
    ran = tuivirt(*TEST, *arguments)
    assert (ran.status, ran.out) == (0, said)


def test_a_password_on_the_command_line_is_bad_usage_and_not_repeated() -> None:
    ran = tuivirt(*TEST, "attach-disk", "test", "http://me:hunter2@h/a.iso")
    assert ran.status == 2
    assert "a password has no place in a URI" in ran.err
    assert "hunter2" not in ran.err


class TestOnQemu:
    """A defined domain of a real host."""

    @pytest.fixture
    def off(self, define: Callable[..., Guest]) -> Guest:
        return define(kernel=False)

    def test_attach_disk_persistent_on_one_that_is_off_is_in_its_configuration(
        self, off: Guest, images: Path, qemu_uri: str
    ) -> None:
        image = guests.make_image(images / "data.img")
        ran = tuivirt("-c", qemu_uri, "attach-disk", off.name, str(image), "--persistent")
        assert (ran.status, ran.err) == (0, "")
        assert "vda" in ran.out
        assert str(image) in off.domain.XMLDesc(0)
        again = tuivirt("-c", qemu_uri, "attach-disk", off.name, str(image), "--persistent")
        assert again.status == 1
        assert "already attached" in again.err
        ran = tuivirt("-c", qemu_uri, "detach-disk", off.name, "vda", "--config")
        assert ran.status == 0
        assert str(image) not in off.domain.XMLDesc(0)

    def test_attach_disk_takes_the_target_that_is_given(
        self, off: Guest, images: Path, qemu_uri: str
    ) -> None:
        image = guests.make_image(images / "data.img")
        ran = tuivirt("-c", qemu_uri, "attach-disk", off.name, str(image), "--target", "vdc")
        assert ran.status == 0
        assert "<target dev='vdc' bus='virtio'/>" in off.domain.XMLDesc(0)

    def test_attach_disk_live_on_one_that_is_off_changes_nothing(
        self, off: Guest, images: Path, qemu_uri: str
    ) -> None:
        image = guests.make_image(images / "data.img")
        before = off.domain.XMLDesc(0)
        ran = tuivirt("-c", qemu_uri, "attach-disk", off.name, str(image), "--live")
        assert ran.status == 1
        assert off.domain.XMLDesc(0) == before

    def test_a_missing_file_fails_and_changes_nothing(self, off: Guest, qemu_uri: str) -> None:
        before = off.domain.XMLDesc(0)
        ran = tuivirt("-c", qemu_uri, "attach-disk", off.name, "/nowhere/x.img", "--persistent")
        assert ran.status == 1
        assert "/nowhere/x.img" in ran.err
        assert off.domain.XMLDesc(0) == before

    def test_a_detach_that_the_guest_does_not_answer_is_no_success(
        self, idle_guest: Guest, images: Path, qemu_uri: str
    ) -> None:
        image = guests.make_image(images / "data.img")
        attached = tuivirt(
            "-c", qemu_uri, "attach-disk", idle_guest.name, str(image), "--target", "vdb", "--live"
        )
        assert (attached.status, attached.err) == (0, "")
        ran = tuivirt(
            "-c", qemu_uri, "detach-disk", idle_guest.name, "vdb", "--live", "--timeout", "1"
        )
        assert ran.status == 1
        assert "vdb" in ran.err

    def test_the_command_that_would_have_detached_it_names_the_configuration_it_was_in(
        self, off: Guest, images: Path, qemu_uri: str
    ) -> None:
        image = guests.make_image(images / "data.img")
        assert off.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED) == 0
        tuivirt("-c", qemu_uri, "attach-disk", off.name, str(image), "--config")
        ran = tuivirt("-c", qemu_uri, "detach-disk", off.name, "vda", "-o", "json")
        assert ran.status == 0
        assert ran.json["virsh"] == f"virsh detach-disk {off.name} vda --config"

    def test_the_first_line_of_stats_holds_figures_of_a_running_domain(
        self, idle_guest: Guest, qemu_uri: str
    ) -> None:
        ran = tuivirt("-c", qemu_uri, "stats", "--interval", "0.5", "--count", "1", "-o", "json")
        assert ran.status == 0
        (domain,) = (d for d in ran.json["domains"] if d["name"] == idle_guest.name)
        assert domain["state"] == "running"
        assert domain["cpu_percent"] is not None
        assert domain["memory_rss_kib"] > 0

    def test_start_and_destroy_are_done_when_they_say_so(self, off: Guest, qemu_uri: str) -> None:
        assert tuivirt("-c", qemu_uri, "start", off.name, "--paused").status == 0
        assert off.active
        assert tuivirt("-c", qemu_uri, "destroy", off.uuid).status == 0
        assert not off.active

    def test_a_refusal_names_the_option_that_helps_in_a_sentence_of_its_own(
        self, idle_guest: Guest, qemu_uri: str
    ) -> None:
        with idle_guest.serial():
            ran = tuivirt("-c", qemu_uri, "console", idle_guest.name)
        assert ran.status == 1
        assert ran.err.endswith("\n  Take it over (--force) if nobody needs it\n")

    def test_what_helps_is_told_in_options_to_a_program_too(
        self, idle_guest: Guest, qemu_uri: str
    ) -> None:
        ran = tuivirt("-c", qemu_uri, "shutdown", idle_guest.name, "--timeout", "0.1", "-o", "json")
        assert ran.status == 1
        assert ran.json["advice"] == "wait longer (--timeout), or force it off"

    def test_the_console_of_one_that_is_off_is_refused_to_a_script(
        self, off: Guest, qemu_uri: str
    ) -> None:
        ran = tuivirt("-c", qemu_uri, "console", off.name)
        assert ran.status == 1
        assert f"{off.name} is off" in ran.err


def test_a_device_of_any_kind_comes_and_goes_by_a_verb_of_its_kind(
    define: Callable[..., Guest],
) -> None:
    guest = define()
    ran = tuivirt("attach-sound", guest.name, "--model", "ich9", "--config")
    assert (ran.status, ran.err) == (0, "")
    assert "sound card" in ran.out
    ran = tuivirt("update-sound", guest.name, "--codecs", "duplex,micro")
    assert (ran.status, ran.err) == (0, "")
    xml = guest.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    assert "<codec type='micro'/>" in xml
    ran = tuivirt("attach-memory", guest.name, "--size", "1 furlong")
    assert ran.status == 1
    assert "'furlong' is no unit of size" in ran.err
    assert tuivirt("detach-sound", guest.name).status == 0
    assert "<sound" not in guest.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)


def test_what_cannot_be_plugged_in_is_refused_with_the_option_for_the_next_boot(
    define: Callable[..., Guest],
) -> None:
    guest = define(kernel=False)
    guest.start()
    ran = tuivirt("attach-tpm", guest.name)
    assert ran.status == 1
    assert "a TPM cannot be plugged into a running guest" in ran.err
    assert "for the next boot (--config)" in ran.err
