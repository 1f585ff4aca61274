"""A libvirt call that blocks until a job of the domain is done: how far it is, and its abort."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import libvirt

from .errors import from_libvirt, is_gone
from .lifecycle import Progress

EVERY_S = 0.5


def call_as_job(
    domain: Any,
    call: Callable[[], Any],
    *,
    named: str,
    saying: str,
    aborted: threading.Event | None,
    progress: Progress | None,
) -> tuple[BaseException | None, bool]:
    """What the call raised, or None; and whether libvirt was asked to abort it.

    ``named`` says what it is where it cannot be aborted (*the saving of web-01*), ``saying`` is
    what is told while it lasts. Source: virDomainGetJobStats, virDomainAbortJob.
    """
    ended = threading.Event()
    failure: list[BaseException] = []

    def work() -> None:
        try:
            call()
        except BaseException as error:
            failure.append(error)
        finally:
            ended.set()

    # A thread of its own, so that this one can tell how far it is and abort it.
    threading.Thread(target=work, name=named, daemon=True).start()
    asked = False
    while not ended.wait(EVERY_S):
        if aborted is not None and aborted.is_set():
            # Again and again: one that comes before QEMU has begun is taken, and does nothing.
            asked = _abort(domain, named) or asked
        elif progress is not None:
            progress(saying, _fraction(domain))
    return (failure[0] if failure else None), asked


def _fraction(domain: Any) -> float | None:
    """How far the job is, 0 to 1; None where the driver does not tell."""
    try:
        stats = domain.jobStats(0)
    except libvirt.libvirtError:
        # Not offered by this driver, or the job ended just now: the call itself tells.
        return None
    total = stats.get("data_total") or stats.get("memory_total") or 0
    done = stats.get("data_processed") or stats.get("memory_processed") or 0
    return min(1.0, done / total) if total else None


def _abort(domain: Any, named: str) -> bool:
    """Whether the job was told to end; False when it cannot be yet (it is asked again)."""
    try:
        domain.abortJob()
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID or is_gone(error):
            return False  # No job to abort: not begun, or over.
        raise from_libvirt(error, f"cannot abort {named}") from error
    return True
