"""The lab hosts, each started once for all the cases that a run asks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.lab.host import Lab
from tests.support.lab.machine import Iommu


@pytest.fixture(scope="session")
def lab_with() -> Iterator[Callable[[Iommu], Lab]]:
    """A running host with that IOMMU. It ends when another is asked for: two are slow together."""
    running: dict[Iommu, Lab] = {}

    def stop() -> None:
        while running:
            running.popitem()[1].stop()

    def start(iommu: Iommu) -> Lab:
        if iommu not in running:
            stop()
            running[iommu] = Lab(iommu)
        return running[iommu]

    yield start
    stop()


@pytest.fixture
def lab(lab_with: Callable[[Iommu], Lab]) -> Lab:
    """The host that most is tried on."""
    return lab_with("intel")
