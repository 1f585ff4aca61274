"""Guests moved between two real hosts while somebody looks on, and what befalls them on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import libvirt
import pytest

from tests.contract.cli import tuivirt
from tests.e2e.operator import PROMPT, Operator
from tests.support.guests import Disk, Guest, domain_xml, make_image, unique_name
from tests.support.libvirtd import PrivateLibvirtd, until
from tests.support.two_hosts import BY, IMAGES, TwoHosts

Sit = Callable[..., Operator]

WIDE = (160, 50)
CPU, FEATURE = "Nehalem", "avx512f"
"""A model that is told to have more on the far host than a QEMU there can give."""


@pytest.fixture(scope="module")
def two() -> Iterator[TwoHosts]:
    models = Path("/usr/share/libvirt/cpu_map") / f"x86_{CPU}.xml"
    more = models.read_text().replace("</model>", f"<feature name='{FEATURE}'/></model>", 1)
    with TwoHosts(far_files={str(models): more}) as two:
        yield two


@pytest.fixture(autouse=True)
def _clean(two: TwoHosts) -> Iterator[None]:
    yield
    two.clear()


def state_on(daemon: PrivateLibvirtd, name: str) -> int | None:
    """libvirt's number of its state there; None: it is not there."""
    with closing(libvirt.open(daemon.uri)) as conn:
        found = [each for each in conn.listAllDomains() if each.name() == name]
        try:
            return int(found[0].state()[0]) if found else None
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return None  # It went between the two calls.
            raise


def reads(at: Operator, said: str) -> None:
    """Wait for a sentence that the screen has in several lines."""
    until(lambda: said in " ".join(at.text.split()), f"{said!r} on the screen:\n{at.text}")


def fill_in(at: Operator, bandwidth: int, *, limit: int | None = None) -> None:
    """The form of a move, up to its plan."""
    at.sees("Images copied")
    at.press("Tab", "Tab")
    if limit is not None:
        at.press("C-u")
        at.type(str(limit))
        at.press("Tab")
    at.type(str(bandwidth))
    at.press("Tab", "Tab", "Enter", "Tab")
    at.sees("▸ Memory goes to")
    at.type(BY[1])
    at.press("C-s")


def move(at: Operator, name: str, bandwidth: int = 1) -> None:
    """From the list; its task is seen under way."""
    at.go_to("domains")
    at.type(":migrate")
    at.press("Enter")
    at.sees("Move to another host: ")
    fill_in(at, bandwidth)
    at.accept(f"move the running {name}")
    at.go_to("tasks")
    at.sees(rf"running +{name}.*images: \d+ MiB left")


def test_a_move_from_the_command_line_takes_disk_and_open_console_along(
    operator: Sit, two: TwoHosts
) -> None:
    name = unique_name("cli")
    make_image(two.image(two.near, f"{name}.img"), "8M")
    disk = Disk(Path(IMAGES, f"{name}.img"))
    guest = Guest.define(two.near.uri, domain_xml(name, disks=[disk]))
    guest.boot().close()
    at = operator(env=two.env)
    at.pick(name)
    at.open_pane()
    at.type("clear; echo from here | dd of=/dev/vda conv=fsync 2>/dev/null; n=0")
    at.press("Enter")
    at.type("while sleep 1; do n=$((n+1)); echo tick $n; done")
    at.press("Enter")
    at.sees("^tick 2$")

    ran = tuivirt("migrate", f"{name}@near", "far", *BY, **two.env)
    assert (ran.status, ran.err) == (0, "")
    assert re.match(rf"{name} runs on far now \(moved in .* s, downtime \d+ ms\)$", ran.out)
    assert state_on(two.near, name) is None

    at.sees("its console goes on there")
    last = max(int(number) for number in re.findall(r"^tick (\d+)$", at.text, re.MULTILINE))
    at.sees(rf"^tick {last + 2}$")
    at.press("C-c")
    at.sees(rf"^{PROMPT}")
    at.type("clear; head -c 9 /dev/vda; echo; echo moved $((40 + 3))")
    at.press("Enter")
    at.sees(rf"^from here\nmoved 43\n{PROMPT}$")
    at.leave_pane()
    at.sees(rf"run +{name}.* far$")


def test_a_move_that_fails_names_the_host_and_what_is_where_and_the_list_is_true(
    operator: Sit, two: TwoHosts
) -> None:
    networks = []
    for daemon in (two.near, two.far):
        conn = libvirt.open(daemon.uri)
        networks.append(conn.networkDefineXML("<network><name>lab</name></network>"))
        networks[-1].create()
    card = "<interface type='network'><source network='lab'/><model type='virtio'/></interface>"
    guest = two.idle(two.near, "web", fill_mib=20, interfaces=[card])
    guest.start()
    at = operator(env=two.env, size=WIDE)
    at.pick("web")

    def stays(said: str = "") -> None:
        at.sees(r"failed +web")
        reads(at, "web was not moved to far (it goes on running on near, and nothing of it is on")
        reads(at, said)
        at.go_to("domains")
        at.sees(r"run +web.* near$")
        at.sees(r"Domains 1 of 1\b")
        assert state_on(two.near, "web") == libvirt.VIR_DOMAIN_RUNNING
        assert state_on(two.far, "web") is None

    # Both daemons die under it, one after the other.
    move(at, "web")
    two.far.kill()
    at.sees("connection lost")
    two.far.start()
    stays("web.img that was made there is removed again")
    assert not two.image(two.far, "web.img").exists()
    move(at, "web")
    two.near.restart()
    stays()

    # What it needs there goes when the plan was read already.
    at.type(":migrate")
    at.press("Enter")
    at.sees("Move to another host: ")
    fill_in(at, 1)
    at.sees("move the running web")
    there = libvirt.open(two.far.uri)
    there.networkLookupByName("lab").destroy()
    at.accept("move the running web")
    at.sees(r"the network lab is off on far")
    at.sees("tuivirt net-start lab@far")
    assert state_on(two.near, "web") == libvirt.VIR_DOMAIN_RUNNING
    assert state_on(two.far, "web") is None
    there.close()


def test_two_go_at_once_the_third_waits_and_an_emptying_is_stopped_half_way(
    operator: Sit, two: TwoHosts
) -> None:
    slow = [two.idle(two.near, f"slow-{number}", fill_mib=20) for number in (1, 2, 3)]
    for guest in slow:
        guest.start()
    at = operator(env=two.env, size=WIDE)
    at.type("/slow")
    at.press("Enter")
    at.sees("Domains 3 of 3")
    at.press("N", "g", "Space", "Space", "Space")
    at.type(":migrate")
    at.press("Enter")
    at.sees("Move to another host: 3 domains")
    fill_in(at, 1)
    at.accept("move the running slow-1")
    at.go_to("tasks")
    at.sees(r"(.*running +slow-[12]@near .*\n){2}")
    at.sees(r"running +slow-3@near .*waits for its turn")
    # It was asked for last, and so it stands on top.
    at.press("g", "C-k")
    at.answer("Abort: Move to another host of slow-3@near", "y")
    at.sees(r"aborted +slow-3")
    at.sees(r"slow-3\S* was not begun")
    assert at.now(r"running +slow-1")
    for guest in slow[:2]:
        guest.domain.abortJob()
    at.sees(r"failed +slow-1")
    at.sees(r"failed +slow-2")

    two.idle(two.near, "quick", memory_mib=40).start()
    at.go_to("hosts")
    at.type("/near")
    at.press("Enter")
    at.sees("Hosts 1 of 2")
    at.type(":evacuate")
    at.press("Enter")
    at.sees("Evacuate: near")
    fill_in(at, 2, limit=1)
    at.sees("quick → far, 40 MiB")
    at.sees("slow-3 → far, 32 MiB")
    at.sees("4 of 4 running domains go, 136 MiB in all, 1 at a time")
    at.accept("4 of 4 running domains go")
    at.go_to("tasks")
    at.sees(r"running +near +Evacuate .*1 of 4 done, now slow-1")
    at.sees(r"running +slow-1@near")
    at.type("/evacuate")
    at.press("Enter")
    at.press("C-k")
    at.answer("Abort: Evacuate of near", "y")
    at.sees(r"aborted +near +Evacuate")
    for said in (
        "evacuating near was aborted: 1 of 4 domains have left near",
        "quick runs on far now",
        "moving slow-1 to far was aborted: it goes on running on near",
        "slow-2 was not begun, and runs on near",
        "slow-3 was not begun, and runs on near",
    ):
        reads(at, said)
    for guest in slow:
        assert state_on(two.near, guest.name) == libvirt.VIR_DOMAIN_RUNNING
        assert state_on(two.far, guest.name) is None
    assert state_on(two.far, "quick") == libvirt.VIR_DOMAIN_RUNNING


def test_all_that_two_real_hosts_tell_against_a_move_is_found_before(two: TwoHosts) -> None:
    name = "tied"
    with closing(libvirt.open(two.near.uri)) as conn:
        conn.networkCreateXML("<network><name>only-near</name></network>")
        pool = f"<pool type='dir'><name>fast</name><target><path>{IMAGES}</path></target></pool>"
        conn.storagePoolCreateXML(pool, 0).createXML(
            "<volume><name>more.img</name><capacity>4096</capacity></volume>", 0
        )
    card = "<interface type='network'><source network='only-near'/></interface>"
    volume = (
        "<disk type='volume' device='disk'><source pool='fast' volume='more.img'/>"
        "<target dev='vdb' bus='virtio'/></disk>"
    )
    cpu = f"<cpu mode='custom' match='exact'><model>{CPU}</model></cpu>"
    guest = two.idle(
        two.near, name, interfaces=[card], extra_devices=volume, extra_memory=cpu, ports=5
    )
    guest.start()
    snapshot = "<name>s</name><creationTime>1</creationTime><state>shutoff</state>"
    guest.domain.snapshotCreateXML(
        f"<domainsnapshot>{snapshot}{guest.domain.XMLDesc()}</domainsnapshot>",
        libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE,
    )
    ran = tuivirt("migrate", name, "far", "--dry-run", *BY, **two.env)
    assert ran.status == 1
    for said in (
        "far has no network only-near",
        "far has no active pool fast",
        "far does not have its CPU: ",
        "tied has 1 snapshot, which libvirt does not move",
    ):
        assert f"Refused: {said}" in ran.err
    assert FEATURE in ran.err

    card = "<hostdev mode='subsystem' type='pci'><source><address bus='7'/></source></hostdev>"
    off = two.idle(two.near, "given", extra_devices=card)
    ran = tuivirt("migrate", off.name, "far", "--dry-run", **two.env)
    assert ran.status == 0
    assert re.search("Note: given has .*07:00.0.* of near", ran.out)
