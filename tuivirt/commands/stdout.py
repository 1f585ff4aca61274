"""Standard output, and what becomes of it when it cannot be written."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


class CannotWrite(Exception):
    """Standard output takes no more: the disk is full, say. The text is the system's reason."""


def put(line: str) -> None:
    """Print a line at once.

    Raises BrokenPipeError when its reader has left, CannotWrite when it fails otherwise.
    """
    if sys.stdout is None:
        raise CannotWrite("it is closed")
    with _failing():
        print(line, flush=True)


def flush() -> None:
    """Have everything written that was printed. Raises as ``put`` does."""
    if sys.stdout is not None:  # Then nothing was.
        with _failing():
            sys.stdout.flush()


@contextlib.contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotWrite(error.strerror or str(error)) from error


def give_up() -> None:
    """Drop what could not be written: Python would try, and complain, once more at its end."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
