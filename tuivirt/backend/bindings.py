"""libvirt's Python module, imported for less, and what its library logs."""

from __future__ import annotations

import os
import sys
import threading
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
        hush()
        import libvirt  # noqa: F401
    finally:
        sys.modules["typing"] = typing


LONGEST_LOG = 65536
_ITS_SETTINGS = ("LIBVIRT_LOG_OUTPUTS", "LIBVIRT_DEBUG", "LIBVIRT_LOG_FILTERS")
_log = -1
"""A file in memory that libvirt's library logs to."""


def hush() -> None:
    """Have libvirt log where `logged` looks, not to standard error, across the screen.

    Before it is imported, as that is when it looks. Where the operator has said where to, or the
    system has no files in memory, nothing is changed.
    """
    global _log
    if "libvirt" in sys.modules or any(name in os.environ for name in _ITS_SETTINGS):
        return
    if not hasattr(os, "memfd_create"):
        return
    _log = os.memfd_create("libvirt-log")
    os.environ["LIBVIRT_LOG_OUTPUTS"] = f"3:file:/proc/self/fd/{_log}"
    try:
        import libvirt  # noqa: F401
    finally:
        del os.environ["LIBVIRT_LOG_OUTPUTS"]


def logged() -> list[str]:
    """The warnings of this thread's libvirt calls: some reasons are told there alone."""
    if _log < 0:
        return []
    mine = f": {threading.get_native_id()}: warning : "
    text = os.pread(_log, LONGEST_LOG, 0).decode(errors="replace")
    lines = (line.partition(mine) for line in text.splitlines())
    return [said.partition(" : ")[2] for _when, is_mine, said in lines if is_mine]


def forget_logged() -> None:
    """Free what was logged; called with each error, as they are logged as well."""
    if _log >= 0 and os.fstat(_log).st_size > LONGEST_LOG:
        os.ftruncate(_log, 0)


class _Vague:
    """Stands for a type with parameters, whichever they are."""

    def __getitem__(self, _parameters: object) -> _Vague:
        return self


class _VagueTyping(ModuleType):
    """``typing``, with types that take no parameters."""

    Callable = Dict = List = Optional = Tuple = Union = _Vague()

    def __getattr__(self, name: str) -> Any:
        return getattr(typing, name)
