"""The screen is started without what it never uses."""

from __future__ import annotations

import subprocess
import sys

LOOK = """
import sys
from tuivirt import lean
lean.import_asyncio()
print("ssl" in sys.modules, "_ssl" in sys.modules)
import asyncio, ssl
print(asyncio.run(asyncio.sleep(0, "runs")), ssl.create_default_context().verify_mode.name)
"""


def test_asyncio_is_there_without_tls_which_whoever_wants_it_still_gets() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOOK], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.splitlines() == ["False False", "runs CERT_REQUIRED"]
