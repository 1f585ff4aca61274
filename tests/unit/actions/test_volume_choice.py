"""How much is read of a host's volumes before one can be chosen, over all of its pools."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tuivirt.actions import lookups, volume_choice
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.model.resources import Volume

SIZES = {"big": 400, "broken": 1, "fast": 300, "images": 150, "iso": 3, "none": 0}


def bare(name: str) -> tuple[Volume, ...]:
    return tuple(Volume("srv1", name, f"v{n}", f"{name}/v{n}", "") for n in range(SIZES[name]))


def test_many_are_counted_over_all_pools_and_the_smaller_ones_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []

    def volumes(_host: Any, key: str, *_more: Any) -> tuple[Volume, ...]:
        read.append(key)
        if key == "broken":
            raise TuivirtError("cannot list its volumes", "stale file handle")
        return bare(key)

    monkeypatch.setattr(volume_choice, "names", lambda _host, key: bare(key))
    monkeypatch.setattr(lookups, "volumes", volumes)
    pools = {name: SimpleNamespace(name=name, uuid=name, active=True) for name in SIZES}
    pools["off"] = SimpleNamespace(name="off", uuid="off", active=False)
    host: Any = SimpleNamespace(snapshot=SimpleNamespace(pools=pools))
    found, problems = volume_choice.volumes_to_choose(host)
    assert read == ["broken", "iso", "images", "fast"]
    assert list(dict.fromkeys(each.pool for each in found)) == ["big", "fast", "images", "iso"]
    assert len(found) == sum(SIZES.values()) - 1
    assert problems == {"broken": "cannot list its volumes: stale file handle"}
