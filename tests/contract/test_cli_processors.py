"""vCPUs, memory and pins from the command line: statuses, advice in options, virsh's words."""

from __future__ import annotations

import pytest

from tests.contract.cli import TEST, tuivirt

DEMO = ("--demo",)


def test_a_pin_is_told_with_what_virsh_would_be_typed() -> None:
    ran = tuivirt(*DEMO, "vcpupin", "web-01", "0", "0-3,^2", "-o", "json")
    assert ran.status == 0
    assert ran.json["text"] == (
        "vCPU 0 of web-01 may run on CPU 0-1,3 alone, now and from the next boot on"
    )
    assert ran.json["virsh"] == "virsh vcpupin web-01 0 '0-3,^2' --live --config"
    ran = tuivirt(*DEMO, "emulatorpin", "web-01", "all", "--live", "-o", "json")
    assert ran.json["virsh"] == "virsh emulatorpin web-01 r --live"


def test_a_size_is_told_to_virsh_as_it_takes_it() -> None:
    ran = tuivirt(*DEMO, "setmem", "web-01", "1.5 GiB", "--config", "-o", "json")
    assert ran.json["text"] == "web-01 has 1.5 GiB (4 GiB before), from the next boot on"
    assert ran.json["virsh"] == "virsh setmem web-01 1572864KiB --config"


def test_the_number_of_an_io_thread_that_was_left_open_is_told() -> None:
    ran = tuivirt(*DEMO, "iothreadadd", "web-01", "-o", "json")
    assert ran.json["virsh"] == "virsh iothreadadd web-01 1 --live --config"


@pytest.mark.parametrize(
    ("arguments", "why", "advice"),
    [
        (("setvcpus", "test", "9"), "while it runs it can have 2", "(--maximum)"),
        (("setvcpus", "test", "8", "--maximum", "--live"), "while it runs", "(--config)"),
        (("set-topology", "test", "--sockets", "3"), "makes 3 vCPUs", "(--maximum)"),
        (("setmem", "test", "1TiB"), "while it runs it can have 8 GiB", "(setmaxmem)"),
        (("setmem", "test", "2"), "2 KiB, with which no guest lives", "2GiB or 512MiB"),
        (("vcpupin", "test", "0", "77"), "has no CPU 77", "It has 0-15"),
        (("iothreaddel", "test", "4"), "it has none", ""),
    ],
)
def test_what_is_refused_fails_with_the_way_out(
    arguments: tuple[str, ...], why: str, advice: str
) -> None:
    ran = tuivirt(*TEST, *arguments)
    assert (ran.status, ran.out) == (1, "")
    assert why in ran.err
    assert advice in ran.err


@pytest.mark.parametrize(
    "arguments",
    [("setvcpus", "test", "many"), ("setvcpus", "test", "0"), ("vcpupin", "test", "-1", "0")],
)
def test_what_is_no_number_is_bad_usage(arguments: tuple[str, ...]) -> None:
    assert tuivirt(*TEST, *arguments).status == 2
