"""What ties a running guest to its host, and a target that is older: told before, on real hosts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing

import libvirt
import pytest

from tests.contract.cli import tuivirt
from tests.e2e.operator import Operator
from tests.e2e.test_moving import WIDE, fill_in, reads, state_on
from tests.support.two_hosts import BY, TwoHosts

Sit = Callable[..., Operator]

OLD = "6.2.0"
SHARE = (
    "<filesystem type='mount' accessmode='passthrough'><driver type='virtiofs'/>"
    "<source dir='/mnt'/><target dir='shared'/></filesystem>"
)
SHARED_MEMORY = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"


@pytest.fixture(scope="module")
def two() -> Iterator[TwoHosts]:
    """The far one believes that its QEMU is an older one."""
    with TwoHosts() as two:
        with closing(libvirt.open(two.far.uri)) as conn:
            conn.getDomainCapabilities()
        for file in (two.far.folder / "cache" / "qemu" / "capabilities").glob("*.xml"):
            major, minor, micro = map(int, OLD.split("."))
            number = major * 1_000_000 + minor * 1000 + micro
            text = re.sub(
                r"<version>\d+</version>", f"<version>{number}</version>", file.read_text()
            )
            file.write_text(text)
        two.far.restart()
        yield two


@pytest.fixture(autouse=True)
def _clean(two: TwoHosts) -> Iterator[None]:
    yield
    two.clear()


def test_a_device_that_forbids_a_move_is_named_on_the_screen_and_nothing_is_done(
    operator: Sit, two: TwoHosts
) -> None:
    guest = two.idle(
        two.near,
        "tied",
        extra_devices=SHARE,
        extra_memory=SHARED_MEMORY,
        ports=5,
    )
    guest.start()
    at = operator(env=two.env, size=WIDE)
    at.pick("tied")
    at.type(":migrate")
    at.press("Enter")
    at.sees("Move to another host: ")
    fill_in(at, 1)
    for said in (
        "tied has the shared folder shared, which ties it to its host",
        "Detach it first",
        f"QEMU on far is older: {OLD}, here ",
    ):
        reads(at, said)
    assert state_on(two.near, "tied") == libvirt.VIR_DOMAIN_RUNNING
    assert state_on(two.far, "tied") is None
    assert not two.image(two.far, "tied.img").exists()


def test_an_older_hypervisor_is_a_risk_that_has_to_be_taken_by_name(two: TwoHosts) -> None:
    two.idle(two.near, "web").start()
    ran = tuivirt("migrate", "web", "far", *BY, **two.env)
    assert ran.status == 1
    assert re.search(rf"cannot move web .*QEMU on far is older: {re.escape(OLD)}, here \d", ran.err)
    assert state_on(two.near, "web") == libvirt.VIR_DOMAIN_RUNNING
    assert state_on(two.far, "web") is None
    ran = tuivirt("migrate", "web", "far", "--force", *BY, **two.env)
    assert (ran.status, ran.err) == (0, "")
    assert state_on(two.far, "web") == libvirt.VIR_DOMAIN_RUNNING
    assert state_on(two.near, "web") is None
