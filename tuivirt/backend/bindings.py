"""libvirt's Python module, imported for less."""

from __future__ import annotations

import sys
import typing
from types import ModuleType
from typing import Any


def load() -> None:
    """Import libvirt without what its functions' annotations mean, which nothing asks for.

    It has 300 types made of them while it is imported, with their names compiled. That saves
    0.25 MiB and 1 ms. For the main thread, before there are others.
    """
    if "libvirt" in sys.modules:
        return
    sys.modules["typing"] = _VagueTyping("typing")
    try:
        import libvirt  # noqa: F401
    finally:
        sys.modules["typing"] = typing


class _Vague:
    """Stands for a type with parameters, whichever they are."""

    def __getitem__(self, _parameters: object) -> _Vague:
        return self


class _VagueTyping(ModuleType):
    """``typing``, with types that take no parameters."""

    Callable = Dict = List = Optional = Tuple = Union = _Vague()

    def __getattr__(self, name: str) -> Any:
        return getattr(typing, name)
