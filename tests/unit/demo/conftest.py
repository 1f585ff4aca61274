"""A demo host on which nothing happens by itself, and an ear for its events."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tuivirt.demo.connection import DemoConnection, open_demo


class Ear:
    """Hears domain events of one family; the first is waited for, never slept for."""

    def __init__(self, connection: DemoConnection, event: int, domain: Any = None) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self._changed = threading.Condition()
        self.number = connection.domainEventRegisterAny(domain, event, self._hear, "opaque")

    def _hear(self, _connection: Any, domain: Any, *rest: Any) -> None:
        with self._changed:
            self.heard.append((domain, *rest))
            self._changed.notify_all()

    def wait(self, wanted: Callable[[tuple[Any, ...]], bool] = bool) -> tuple[Any, ...]:
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(wanted, self.heard)), 20), self.heard
            return next(filter(wanted, self.heard))


@pytest.fixture
def demo() -> Iterator[DemoConnection]:
    connection = open_demo("demo:///?life=0", False)
    yield connection
    connection.close()


@pytest.fixture
def readonly() -> Iterator[DemoConnection]:
    connection = open_demo("demo:///?life=0", True)
    yield connection
    connection.close()


def disk(target: str, path: str = "/var/lib/libvirt/images/spare-01.qcow2") -> str:
    return (
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
        f"<source file='{path}'/><target dev='{target}' bus='virtio'/></disk>"
    )
