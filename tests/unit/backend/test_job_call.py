"""A call that blocks until its job is done, and is aborted."""

from __future__ import annotations

import threading

import pytest

from tuivirt.backend import job_call


class Deaf:
    """A domain whose job has begun for libvirt, and not yet for QEMU, when it is first aborted."""

    def __init__(self) -> None:
        self.asked = 0
        self.over = threading.Event()

    def abortJob(self) -> None:
        self.asked += 1
        if self.asked > 1:
            self.over.set()

    def work(self) -> None:
        if self.over.wait(30):
            raise RuntimeError("it was aborted")


def test_an_abort_that_came_too_soon_to_be_heeded_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job_call, "EVERY_S", 0.01)
    domain, aborted = Deaf(), threading.Event()
    aborted.set()
    error, asked = job_call.call_as_job(
        domain, domain.work, named="it", saying="", aborted=aborted, progress=None
    )
    assert (str(error), asked) == ("it was aborted", True)
