"""Events in words, and reasons for a connection that could not be opened."""

from __future__ import annotations

import os
import subprocess
import sys

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


def test_a_refusal_is_known_by_its_code_as_its_words_are_in_the_language_of_the_host() -> None:
    error = libvirt.libvirtError("")
    words = "Authentifikation gescheitert"
    error.err = (libvirt.VIR_ERR_AUTH_FAILED, 20, words, 2, words, None, None, -1, -1)
    assert "join the group libvirt" in explain(error, "qemu:///system").advice


def test_the_librarys_own_words_stay_english_whatever_the_operators_language() -> None:
    script = (
        "import locale, libvirt, tuivirt.app\n"
        "try: libvirt.open('qemu+unix:///system?socket=/nonexistent')\n"
        "except libvirt.libvirtError: pass\n"
        "print(locale.setlocale(locale.LC_MESSAGES))"
    )
    german = {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "de"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=german, capture_output=True, text=True, check=True
    )
    # Only in the locale C is LANGUAGE left alone.
    assert done.stdout.strip() == "C"


def test_a_password_in_a_uri_is_not_told_with_the_reason() -> None:
    uri = "qemuu+tcp://root:s3@cret@127.0.0.1:1/system"
    with pytest.raises(libvirt.libvirtError) as caught:
        libvirt.open(uri)
    problem = explain(caught.value, uri)
    assert "cret" not in f"{problem} {problem.advice}"
    assert "root@127.0.0.1:1" in problem.what
