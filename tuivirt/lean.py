"""Leaves out what is imported along and never used."""

from __future__ import annotations

import sys


def import_asyncio() -> None:
    """Import asyncio without TLS, which no socket of ours speaks (libvirt's are its own).

    asyncio does without it where the interpreter was built so. That saves 2.5 MiB and 5 ms.
    Who imports ``ssl`` later gets it.
    """
    if "asyncio" in sys.modules or "ssl" in sys.modules:
        return
    sys.modules["ssl"] = None  # type: ignore[assignment]
    try:
        import asyncio  # noqa: F401
    finally:
        del sys.modules["ssl"]
