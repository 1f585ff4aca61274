"""The lab hosts, each started once for all the cases that a run asks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.support.lab.host import Lab
from tests.support.lab.machine import HOSTS, Iommu


class Hosts:
    """The hosts that a run needs, in the order in which it uses them.

    While one is in use the next comes up, and the guest in it: that takes a minute and a half,
    nearly all of it on one processor. Three at once are slower than two.
    """

    def __init__(self, wanted: Sequence[Iommu]) -> None:
        self._wanted = list(wanted)
        self._starting: dict[Iommu, Future[Lab]] = {}
        # Its threads last as long as the hosts: one ends with the thread that started it.
        self._starters = ThreadPoolExecutor(2, "lab")

    def running(self, iommu: Iommu) -> Lab:
        """That host; those before it end. Raises what its start raised."""
        for before in list(self._starting):
            if HOSTS.index(before) < HOSTS.index(iommu):
                self._stop(before)
        self._start(iommu)
        for after in self._wanted:
            if HOSTS.index(after) > HOSTS.index(iommu):
                self._start(after)
                break
        return self._starting[iommu].result()

    def close(self) -> None:
        for iommu in list(self._starting):
            self._stop(iommu)
        self._starters.shutdown()

    def _start(self, iommu: Iommu) -> None:
        if iommu not in self._starting:
            self._starting[iommu] = self._starters.submit(Lab, iommu)

    def _stop(self, iommu: Iommu) -> None:
        starting = self._starting.pop(iommu)
        if starting.exception() is None:  # Otherwise whoever wanted it was told.
            starting.result().stop()


@pytest.fixture(scope="session")
def lab_with(request: pytest.FixtureRequest) -> Iterator[Callable[[Iommu], Lab]]:
    """A running host with that IOMMU. It ends when a later one of `HOSTS` is asked for."""
    asked = {
        item.callspec.params.get("host", HOSTS[-1])
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and "lab_with" in item.fixturenames
        and hasattr(item, "callspec")
    }
    hosts = Hosts([host for host in HOSTS if host in asked])
    yield hosts.running
    hosts.close()


@pytest.fixture
def lab(lab_with: Callable[[Iommu], Lab]) -> Lab:
    """The host that most is tried on."""
    return lab_with("intel")
