"""What happens on the demo host by itself."""

from __future__ import annotations

import libvirt
import pytest

from tests.unit.demo.conftest import Ear
from tuivirt.demo import life
from tuivirt.demo.connection import open_demo


@pytest.mark.parametrize("readonly", [False, True])
def test_something_happens_now_and_then(monkeypatch: pytest.MonkeyPatch, readonly: bool) -> None:
    monkeypatch.setattr(life, "BREATH_S", (0.01, 0.02))
    demo = open_demo("demo:///?seed=2", readonly)
    agent = Ear(demo, libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE)
    balloon = Ear(demo, libvirt.VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE)
    restart = Ear(
        demo,
        libvirt.VIR_DOMAIN_EVENT_ID_REBOOT if readonly else libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
        demo.lookupByName(life.RESTARTED),
    )
    for ear, name in ((agent, "web-01"), (balloon, "db-01"), (restart, life.RESTARTED)):
        assert ear.wait()[0].name() == name
    demo.close()


def test_it_goes_on_when_its_guests_are_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life, "BREATH_S", (0.01, 0.02))
    demo = open_demo("demo:///", False)
    demo.lookupByName(life.RESTARTED).destroy()
    demo.lookupByName("db-01").destroy()
    Ear(demo, libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE).wait()
    demo.close()
