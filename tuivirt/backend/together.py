"""Calls that are made at the same time, for a line whose every turn there and back counts.

One after the other, what a list takes costs a turn for each call: over a line of 50 ms that is
2 s until 100 domains are listed. libvirt's client takes calls of many threads and sends them as
they come, and so all of them together cost one turn.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import libvirt

from .traffic import Traffic

WIDTH = 40
"""How many threads there are at most, each for as long as there are calls left."""


def together(
    calls: Sequence[Callable[[], Any]], nudge: Callable[[], Any], width: int = WIDTH
) -> list[Any]:
    """What the calls give, in their order, once the last of them has ended.

    ``nudge`` is a small call on the same connection, see `Traffic`. What the first of them, in
    their order, raises is raised, when all have ended; so a call that hangs keeps this waiting.
    """
    if len(calls) < 2:
        return [call() for call in calls]
    results: list[Any] = [None] * len(calls)
    errors: dict[int, BaseException] = {}

    def nudged() -> None:
        # Whether it fails does not matter: the calls will be told the same.
        with contextlib.suppress(libvirt.libvirtError):
            nudge()

    traffic = Traffic("together-traffic", nudged)
    numbers = itertools.count()  # Whose next is whole to all threads.

    def work() -> None:
        while (number := next(numbers)) < len(calls):
            try:
                with traffic.job():
                    results[number] = calls[number]()
            except BaseException as error:
                errors[number] = error

    threads = [
        threading.Thread(target=work, name="together", daemon=True)
        for _ in range(min(width, len(calls)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    traffic.close()
    if errors:
        first = errors[min(errors)]
        # An error knows this frame: with what it holds, the connection too, it would be a circle.
        errors.clear()
        try:
            raise first
        finally:
            del first
    return results
