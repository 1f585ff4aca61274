"""Events in words, and reasons for a connection that could not be opened."""

from __future__ import annotations

import libvirt
import pytest

from tuivirt.backend.families import SOURCES, Family
from tuivirt.backend.opening import explain


def test_every_event_family_of_libvirt_python_is_declared() -> None:
    declared = {family.constant for source in SOURCES for family in source.families}
    prefixes = (
        "VIR_DOMAIN_EVENT_ID_",
        "VIR_NETWORK_EVENT_ID_",
        "VIR_STORAGE_POOL_EVENT_ID_",
        "VIR_NODE_DEVICE_EVENT_ID_",
    )
    offered = {
        name for name in dir(libvirt) if name.startswith(prefixes) and not name.endswith("_LAST")
    }
    assert offered <= declared


def family(word: str) -> Family:
    return next(f for s in SOURCES for f in s.families if f.word == word)


def test_a_life_cycle_event_says_what_and_why() -> None:
    what, detail = family("lifecycle").describe((5, 1))
    assert what == "stopped (destroyed)"
    assert detail == {"event": 5, "detail": 1, "reason": "destroyed"}


def test_a_number_that_is_newer_than_this_program_is_still_told() -> None:
    assert family("lifecycle").describe((99, 3))[0] == "unknown (99)"


def test_a_device_event_names_the_device() -> None:
    what, detail = family("device-removal-failed").describe(("virtio-disk1",))
    assert "virtio-disk1" in what
    assert detail["device"] == "virtio-disk1"


@pytest.mark.parametrize(
    ("uri", "advice"),
    [
        ("qemu+unix:///system?socket=/nonexistent/sock", "start the daemon"),
        ("qemuu:///system", "check the URI"),
        ("test:///nonexistent.xml", "virsh -c test"),
        ("qemu+tcp://127.0.0.1:1/system", "nothing listens"),
    ],
)
def test_a_uri_that_cannot_be_opened_gives_libvirts_reason_and_what_to_try(
    uri: str, advice: str
) -> None:
    with pytest.raises(libvirt.libvirtError) as caught:
        libvirt.open(uri)
    problem = explain(caught.value, uri)
    assert uri in problem.what
    assert problem.why == caught.value.get_error_message()
    assert problem.code == caught.value.get_error_code()
    assert advice in problem.advice


def test_a_password_in_a_uri_is_not_told_with_the_reason() -> None:
    uri = "qemuu+tcp://root:s3@cret@127.0.0.1:1/system"
    with pytest.raises(libvirt.libvirtError) as caught:
        libvirt.open(uri)
    problem = explain(caught.value, uri)
    assert "cret" not in f"{problem} {problem.advice}"
    assert "root@127.0.0.1:1" in problem.what
