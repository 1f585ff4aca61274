"""Skips a test that needs what this machine lacks, and says what in the summary."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skip the running test (or all that use the running fixture).

    ``TUIVIRT_NO_SKIP=1`` makes it a failure, for machines that have to have everything.
    """
    if os.environ.get("TUIVIRT_NO_SKIP"):
        pytest.fail(f"this machine lacks something and may not: {reason}", pytrace=False)
    pytest.skip(reason)


def need_programs(*names: str) -> None:
    """Skip unless all these programs are there."""
    absent = [name for name in names if shutil.which(name) is None]
    if absent:
        missing(f"no {', '.join(absent)} on this machine")


def need_root() -> None:
    """Skip unless running as root."""
    if os.geteuid() != 0:
        missing("needs root")
