"""What a host says when libvirt does not find, or does not answer."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NoReturn

import libvirt
import pytest

from tests.ui import factory
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.host import Host


def test_a_domain_that_cannot_be_looked_up_is_called_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lookup(_uuid: str) -> NoReturn:
        raise libvirt.libvirtError("client socket is closed")

    conn: Any = SimpleNamespace(lookupByUUIDString=lookup)
    monkeypatch.setattr(Host, "conn", property(lambda _host: conn))
    host = Host("lab", "test:///default", publish=lambda _event: None)
    domain = factory.domain(1, "web-01")
    host._snapshot = replace(host.snapshot, domains={domain.uuid: domain})
    with pytest.raises(TuivirtError) as caught:
        host.domain(domain.uuid)
    assert caught.value.what == "cannot look up domain web-01"


def test_a_domain_that_has_gone_meanwhile_is_called_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = libvirt.libvirtError("no domain")
    gone.err = (libvirt.VIR_ERR_NO_DOMAIN, 0, "Domain not found: 6f9a", 0, "", "", "", 0, 0)

    def lookup(_key: str) -> NoReturn:
        raise gone

    conn: Any = SimpleNamespace(lookupByUUIDString=lookup, lookupByName=lookup)
    monkeypatch.setattr(Host, "conn", property(lambda _host: conn))
    host = Host("lab", "test:///default", publish=lambda _event: None)
    domain = factory.domain(1, "web-01")
    host._snapshot = replace(host.snapshot, domains={domain.uuid: domain})
    with pytest.raises(TuivirtError) as caught:
        host.domain(domain.uuid)
    assert str(caught.value).startswith("host lab has no domain 'web-01' any more")
    assert "6f9a" not in str(caught.value)
