"""The form of a new disk: what it is made of decides what is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.forms import FormFacts
from tuivirt.widgets.form import FormDialog
from tuivirt.widgets.menu import Menu

from . import factory
from .driver import DrivenApp, check_golden, on_top, screen_text
from .test_device_forms import Q35, go_to, labels, opened, words
from .things import VOLUMES, answer, driven, settle

OFF = factory.fleet(factory.host([factory.domain(1, "web-01", DomainState.SHUTOFF)]))
SIZE = (80, 24)
CEPH = "c2177883-f1bb-47f0-914d-32a22e3a8804"


@pytest.fixture(autouse=True)
def facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the look-up for the form tells."""
    answer(monkeypatch, form_facts=FormFacts(Q35, buses={"disk": "virtio"}))


async def network(pilot: Any, app: DrivenApp, protocol: str = "") -> FormDialog:
    """The form for a disk on a storage server."""
    form = await opened(pilot, app, "attach-disk")
    say(form, sourcetype="network", **({"protocol": protocol} if protocol else {}))
    await go_to(pilot, form, "protocol")
    return form


def say(form: FormDialog, **values: str) -> None:
    """Have fields say this, as if it had been typed."""
    for name, value in values.items():
        form.fill(next(field for field in form.fields if field.name == name), value)


def wished(app: DrivenApp) -> dict[str, Any]:
    """What was asked for, without what says nothing."""
    ((verb, name, values),) = app.recorded.wishes
    assert (verb, name) == ("attach-disk", "web-01")
    return {name: value for name, value in values.items() if value not in ("", None)}


async def test_the_form_begins_at_the_source_and_says_what_that_is() -> None:
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-disk")
        assert labels(form)[:3] == ["Kind", "Source", "Target"]
        assert "Force" not in labels(form), "it is one of the others"
        assert form.fields[form.at].name == "source"
        assert "‹ as the source says ›" in words(form)
        await pilot.press(*"/dev/sdb")
        assert "‹ block device, as the source says ›" in words(form)
        await pilot.press("ctrl+u", *"nbd://h/vda")
        assert "‹ network, as the source says ›" in words(form)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert wished(app) == {
            "source": "nbd://h/vda",
            "type": "disk",
            "when": "auto",
            "force": False,
        }


async def test_a_volume_is_chosen_from_those_of_the_hosts_pools(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the list that has the block devices too, as nobody has said yet what it is to be."""
    used = replace(VOLUMES[0], users=("db-01",))
    many = tuple(replace(used, pool="big", name=f"v{n:04}", users=()) for n in range(3000))
    broken = {"nas": "the pool's server does not answer"}
    found = "tuivirt.screens.host_choice.volumes_to_choose"
    monkeypatch.setattr(found, lambda _host: ((used, *many), broken))
    answer(monkeypatch, block_devices=())
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-disk")
        assert "ctrl+o: volumes and devices" in words(form)
        await pilot.press("ctrl+o")
        await settle(app, pilot)
        await pilot.press("enter")
        await settle(app, pilot)
        menu = on_top(app)
        assert isinstance(menu, Menu)
        assert "images/web-01.qcow2" in screen_text(app)
        assert "40 G  qcow2  used by db-01" in screen_text(app)
        await pilot.press(*"nas/")
        assert "the pool's server does not answer" in screen_text(app)
        await pilot.press("enter")
        assert on_top(app) is menu, "it cannot be chosen"
        await pilot.press("ctrl+u", *"2999", "enter")
        await pilot.pause()
        assert on_top(app) is form
        assert form.values["source"] == "big/v2999"
        assert "‹ volume, as the source says ›" in words(form)


async def test_a_network_disk_is_asked_for_by_the_fields_of_its_protocol() -> None:
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await network(pilot, app)
        assert labels(form)[:6] == ["Kind", "Protocol", "Transport", "Server", "Port", "Export"]
        assert form.values["port"] == "10809"
        check_golden("attach-disk-nbd-80x24", screen_text(app))
        await go_to(pilot, form, "server")
        await pilot.press(*"10.0.0.5")
        say(form, source="vda")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert wished(app) == {
            "sourcetype": "network",
            "source": "nbd://10.0.0.5:10809/vda",
            "type": "disk",
            "when": "auto",
            "force": False,
        }


async def test_a_socket_takes_the_place_of_a_server() -> None:
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await network(pilot, app)
        await go_to(pilot, form, "transport")
        await pilot.press(*"unix")
        assert labels(form)[:5] == ["Kind", "Protocol", "Transport", "Socket", "Export"]
        say(form, socket="/run/a.sock")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert wished(app)["source"] == "nbd+unix:///?socket=/run/a.sock"


async def test_what_is_missing_is_said_before_anything_is_tried() -> None:
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await network(pilot, app, "iscsi")
        assert form.values["port"] == "3260"
        await pilot.press("ctrl+s")
        assert "Server: is missing" in words(form)
        say(form, server="san")
        await pilot.press("ctrl+s")
        assert "Source: its target/unit is missing" in words(form)
        say(form, source="iqn.2026-01.org.example:disks/1", user="me")
        await pilot.press("ctrl+s")
        assert "who logs in needs a secret" in words(form)
        assert app.recorded.wishes == []


async def test_a_secret_is_chosen_from_those_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, secrets=[(CEPH, "ceph", "client.admin")])
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await network(pilot, app, "rbd")
        assert form.values["port"] == ""
        say(form, source="vms/web", user="admin")
        await go_to(pilot, form, "secret_uuid")
        await pilot.press("ctrl+o")
        await settle(app, pilot)
        menu = on_top(app)
        assert isinstance(menu, Menu)
        assert "client.admin" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert wished(app) == {
            "sourcetype": "network",
            "source": "rbd:vms/web",
            "user": "admin",
            "secret_uuid": CEPH,
            "type": "disk",
            "when": "auto",
            "force": False,
        }


async def test_a_uri_that_was_typed_fills_in_the_fields_of_its_protocol() -> None:
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-disk")
        say(form, source="https://h/a.iso?x=1")
        await go_to(pilot, form, "sourcetype")
        await pilot.press("n")
        values = form.values
        assert (values["protocol"], values["server"], values["port"]) == ("https", "h", "443")
        assert (values["source"], values["query"]) == ("a.iso", "x=1")


async def test_a_password_is_refused_with_what_to_do_instead() -> None:
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-disk")
        say(form, source="http://me:pw@h/a")
        await pilot.press("ctrl+s")
        assert "a password has no place in a URI" in words(form)
        assert app.recorded.wishes == []


async def test_the_fields_of_every_protocol_are_in_reach_on_a_small_screen() -> None:
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await network(pilot, app)
        for _protocol in form.fields[form.at].choices:
            await pilot.press("right")
            assert "Server" in labels(form)
        await go_to(pilot, form, "more")
        await pilot.press("enter", "up", "up")
        for _step in form.fields:
            await pilot.press("down")
            if form.at < len(form.fields):
                assert f"▸ {form.fields[form.at].label}" in screen_text(app)


async def test_what_is_said_of_a_field_stays_in_sight_in_a_form_that_is_too_long() -> None:
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await network(pilot, app)
        await go_to(pilot, form, "more")
        await pilot.press("enter")
        for name, said in (("tls", "Encrypt the way."), ("sourcetype", "what it is made of")):
            await go_to(pilot, form, name)
            assert said in screen_text(app)
        await go_to(pilot, form, "serial")
        await pilot.press("ctrl+s")
        assert "▸ Serial" in screen_text(app)
        assert "Server: is missing" in screen_text(app)
        await pilot.press("tab")
        assert "[ attach a disk ]" in screen_text(app)
