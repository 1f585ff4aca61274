"""The lab host, started once for all the cases that a run asks for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.lab.host import Lab


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A running host with an IOMMU; it ends with the session."""
    with Lab() as host:
        yield host
