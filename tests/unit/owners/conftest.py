"""Hosts that are ended with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.unit.owners.fakes import Domain, FakeHost


@pytest.fixture
def hosts() -> Iterator[Callable[..., Any]]:
    made: list[FakeHost] = []

    def make(name: str, *domains: Domain, **options: Any) -> Any:
        made.append(FakeHost(name, *domains, **options))
        return made[-1]

    yield make
    for each in made:
        if each.conn.waits is not None:
            each.conn.waits.set()
        each.answers.close()
