"""Where something is to lie that is named by its pool, and whether it is seen there."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tuivirt.backend.errors import BadInput
from tuivirt.backend.host import Host
from tuivirt.backend.storage import place


def of(pool: Any) -> Host:
    return cast(Host, SimpleNamespace(name="srv1", pool=lambda _key: pool, touch=lambda _ref: None))


@pytest.mark.parametrize("path", ["rbd/web", "gv0/web.img", "ip-10.0.0.1:3260-iscsi-iqn-lun-1"])
def test_a_volume_on_a_storage_server_is_no_place_for_a_file(path: str) -> None:
    volume = SimpleNamespace(path=lambda: path, info=lambda: [3, 0, 0])
    pool = SimpleNamespace(
        name=lambda: "far", isActive=lambda: 1, storageVolLookupByName=lambda _name: volume
    )
    with pytest.raises(BadInput) as refused:
        place.place_of(of(pool), "far/web", "cannot copy vda of web")
    assert str(refused.value) == (
        f"cannot copy vda of web: volume web of pool far lies on a storage server ({path}), and "
        "has no path on the host"
    )
    assert "name a path" in refused.value.advice


@pytest.mark.parametrize("aborted", [False, True])
def test_a_pool_whose_server_is_silent_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, aborted: bool
) -> None:
    monkeypatch.setattr(place, "SEEN_S", 60.0 if aborted else 0.05)
    ended, stop, told = threading.Event(), threading.Event(), list[str]()
    pool = SimpleNamespace(
        name=lambda: "nfs", UUIDString=lambda: "u", refresh=lambda _flags: ended.wait(60)
    )
    if aborted:
        stop.set()
    try:
        said = place.seen(
            of(pool), place.Place("/nfs/x", pool=pool), stop, lambda text, _part: told.append(text)
        )
    finally:
        ended.set()
    why = (
        "is no longer followed: it goes on: libvirt cannot stop it"
        if aborted
        else "has not ended within 0.05 s: it goes on"
    )
    assert said == f"; pool nfs does not show it yet: the refresh of pool nfs {why}"
    assert told[0] == "it is made; refreshing pool nfs"
