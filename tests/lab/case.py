"""What a case is: a function that the lab host runs, found by its decorator.

To add one, write a function in a module of ``tests/lab/cases`` and put ``@case()`` above it. It
takes nothing, asserts, and leaves the hardware as it found it (the runner looks). It may call
``tests.support.needs.missing`` and use all of ``tests.support``, as any test.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.lab.machine import Iommu

LIMIT_S = 180.0
"""How long a case may take unless it says otherwise; the first that needs the guest waits for it.

The lab host is ten times slower than ours.
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A function to run in the lab host."""

    name: str
    """Its module's last name and its own: ``devices.a_gpu_is_listed``."""
    run: Callable[[], None]
    limit_s: float
    on: tuple[Iommu, ...]
    """The hosts that it is run on, by their IOMMU."""
    module: str
    early: bool
    """It needs no guest that answers."""


_cases: dict[str, Case] = {}


def case(
    *, limit_s: float = LIMIT_S, on: tuple[Iommu, ...] = ("intel",), early: bool = False
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Declares the function below it a case; they run in the order in which they are written.

    Those that are ``early`` come first: the guest takes most of a minute to boot meanwhile.
    Each kind of host that any chosen case is ``on`` is started once, which takes 15 s.
    """

    def declare(run: Callable[[], None]) -> Callable[[], None]:
        name = f"{run.__module__.rpartition('.')[2]}.{run.__name__}"
        if name in _cases:
            raise ValueError(f"two cases are called {name}")
        _cases[name] = Case(name, run, limit_s, on, run.__module__, early)
        return run

    return declare


def load() -> dict[str, Case]:
    """All cases of ``tests.lab.cases`` by name, those of one module together."""
    from tests.lab import cases

    for module in sorted(info.name for info in pkgutil.iter_modules(cases.__path__)):
        importlib.import_module(f"{cases.__name__}.{module}")
    found = [one for one in _cases.values() if one.module.startswith(cases.__name__)]
    return {one.name: one for one in sorted(found, key=lambda one: not one.early)}


def load_broken() -> dict[str, Case]:
    """The cases that go wrong on purpose, by which the lab itself is tested."""
    from tests.lab import broken

    return {name: one for name, one in _cases.items() if one.module == broken.__name__}
