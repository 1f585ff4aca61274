"""``python -m tuivirt``."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import NoReturn

from tuivirt import cli


def main() -> NoReturn:
    """Run the program and end the process with its exit status.

    At once, without Python's own ending: a worker that starts while that takes the threads apart
    crashes the interpreter, and the caller got 139 for something that was done.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal's encoding lacks is told by its codes, not by a traceback.
            stream.reconfigure(errors="backslashreplace")
    try:
        status = cli.main()
    except SystemExit as bad_usage:  # argparse's; it has said why.
        status = bad_usage.code if isinstance(bad_usage.code, int) else 0
    with contextlib.suppress(OSError, ValueError, AttributeError):  # Closed, full or absent.
        sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
