"""Host devices handed over and taken back, on the demo; the lab does it with a kernel's devices."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Queue

import pytest

from tests.contract.conftest import Place
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.model.passthrough import Task, Weight
from tuivirt.backend.model.when import When
from tuivirt.backend.passthrough import hand_over as module
from tuivirt.backend.passthrough.bound import driver_now
from tuivirt.backend.passthrough.hand_over import Wish, hand_over, plan_for
from tuivirt.backend.passthrough.take_back import take_back
from tuivirt.backend.sides import Sides, read_sides

GPU, SOUND = "0000:65:00.0", "0000:65:00.1"
TAKEN = "0000:04:00.0"
"""The demo's other GPU, which a running guest of it has."""
EQUAL = ("001:004", "001:005")
IDENTITY = "0403:6001"


@pytest.fixture
def place(demo: Place) -> Iterator[Place]:
    yield demo
    for address in (GPU, SOUND, *EQUAL):
        if address in {*addresses(demo, live=True), *addresses(demo, live=False)}:
            take_back(demo.host, demo.uuid, address)


def sides(place: Place) -> Sides:
    return read_sides(place.host.domain(place.uuid), "cannot look")


def addresses(place: Place, *, live: bool) -> list[str]:
    config = sides(place).live if live else sides(place).saved
    assert config is not None
    return [each.node_device for each in config.devices if each.kind == "hostdev"]


def driver(host: Host, address: str) -> str:
    (device,) = (d for d in host.snapshot.devices.values() if d.address == address)
    return driver_now(host, device)


def test_a_gpu_goes_with_its_sound_and_comes_back_to_its_driver(place: Place) -> None:
    before = driver(place.host, GPU), driver(place.host, SOUND)
    text = hand_over(place.host, place.uuid, Wish(GPU))
    assert "now and from the next boot on" in text
    assert addresses(place, live=True) == addresses(place, live=False) == [GPU, SOUND]
    assert (driver(place.host, GPU), driver(place.host, SOUND)) == ("vfio-pci", "vfio-pci")

    outcome = take_back(place.host, place.uuid, GPU)
    assert not outcome.asked
    assert addresses(place, live=True) == addresses(place, live=False) == []
    assert (driver(place.host, GPU), driver(place.host, SOUND)) == before
    assert before[0] in outcome.text


def test_a_plan_changes_nothing_and_says_what_would_be_done(place: Place) -> None:
    plan = plan_for(place.host, place.uuid, Wish(GPU))
    assert [step.task for step in plan.steps] == [Task.UNBIND] * 2 + [Task.HAND_OVER] * 2
    assert GPU in plan.lost[0]
    assert driver(place.host, GPU) == "amdgpu"
    assert addresses(place, live=True) == []


def test_for_the_next_boot_it_stays_with_its_driver(place: Place) -> None:
    hand_over(place.host, place.uuid, Wish(GPU, When.NEXT_BOOT))
    assert addresses(place, live=True) == []
    assert addresses(place, live=False) == [GPU, SOUND]
    assert driver(place.host, GPU) == "amdgpu"
    assert "next boot" in take_back(place.host, place.uuid, GPU).text
    assert addresses(place, live=False) == []


def test_a_device_of_a_running_guest_is_refused_and_the_guest_named(place: Place) -> None:
    with pytest.raises(BadInput) as caught:
        hand_over(place.host, place.uuid, Wish(TAKEN), force=True)
    assert "gpu-train runs with" in str(caught.value)
    assert "detach-hostdev gpu-train" in caught.value.advice
    assert addresses(place, live=True) == []


def test_a_risk_is_taken_only_when_asked_for(place: Place) -> None:
    network = next(d.address for d in place.host.snapshot.devices.values() if d.virtual_functions)
    plan = plan_for(place.host, place.uuid, Wish(network))
    assert plan.of(Weight.RISK)
    with pytest.raises(BadInput) as caught:
        hand_over(place.host, place.uuid, Wish(network))
    assert "--force" in caught.value.advice
    assert addresses(place, live=True) == []


def test_what_is_there_already_is_not_handed_over_again(place: Place) -> None:
    hand_over(place.host, place.uuid, Wish(GPU))
    with pytest.raises(BadInput, match="already"):
        hand_over(place.host, place.uuid, Wish(GPU))


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_step_that_fails_leaves_all_as_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    before = driver(place.host, GPU), driver(place.host, SOUND)
    add, calls = module._add, iter(range(1, 9))

    def fails(*given: object) -> None:
        if next(calls) == fails_at:
            raise TuivirtError("cannot", "the lamp went out")
        add(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_add", fails)
    with pytest.raises(TuivirtError, match="the lamp went out") as caught:
        hand_over(place.host, place.uuid, Wish(GPU))
    assert addresses(place, live=True) == addresses(place, live=False) == []
    assert (driver(place.host, GPU), driver(place.host, SOUND)) == before
    assert "Undone" in str(caught.value)
    assert not caught.value.done


def test_one_of_two_equal_usb_devices_is_named_by_its_place(place: Place) -> None:
    with pytest.raises(BadInput, match="2 host devices"):
        hand_over(place.host, place.uuid, Wish(IDENTITY))
    hand_over(place.host, place.uuid, Wish(EQUAL[1]))
    assert addresses(place, live=True) == [EQUAL[1]]
    with pytest.raises(BadInput, match="equal"):
        hand_over(place.host, place.uuid, Wish(EQUAL[0], by_identity=True))


def test_what_a_guest_keeps_is_followed_and_given_back_when_it_lets_go(place: Place) -> None:
    deaf = Place("demo", place.host, place.host.domain("legacy-nt").UUIDString(), place.heard)
    hand_over(deaf.host, deaf.uuid, Wish(GPU, When.NOW))
    outcome = take_back(deaf.host, deaf.uuid, GPU, timeout_s=0.1)
    assert outcome.pending
    ended: Queue[str | BaseException] = Queue()
    outcome.on_settled(ended.put)
    deaf.host.domain(deaf.uuid).destroy()
    assert "amdgpu again" in str(ended.get(timeout=20))
    assert driver(deaf.host, GPU) == "amdgpu"
