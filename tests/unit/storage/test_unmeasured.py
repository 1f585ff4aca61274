"""Encrypting though QEMU could not measure the processor at first."""

from __future__ import annotations

from collections.abc import Callable

import libvirt
import pytest

from tuivirt.backend.storage.create import advice_for
from tuivirt.backend.storage.unmeasured import TRIES, until_measured
from tuivirt.demo.errors import failure

UNMEASURED = failure(
    libvirt.VIR_ERR_INTERNAL_ERROR, "qemu-img: /a.img: Unable to get accurate CPU usage"
)
FULL = failure(libvirt.VIR_ERR_INTERNAL_ERROR, "qemu-img: /a.img: No space left on device")


def failing(*errors: Exception) -> tuple[Callable[[], str], list[Exception]]:
    """A call that fails of these in turn, then is done; and what is left of them."""
    left = list(errors)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "made"

    return call, left


def test_it_is_tried_again_until_it_was_measured() -> None:
    call, left = failing(*[UNMEASURED] * 3)
    assert until_measured(call) == "made"
    assert left == []


def test_what_fails_of_something_else_is_not_tried_again() -> None:
    call, left = failing(UNMEASURED, FULL, UNMEASURED)
    with pytest.raises(libvirt.libvirtError, match="No space left"):
        until_measured(call)
    assert left == [UNMEASURED]


def test_it_ends_some_time_and_says_what_to_do() -> None:
    call, left = failing(*[UNMEASURED] * (TRIES + 1))
    with pytest.raises(libvirt.libvirtError) as told:
        until_measured(call)
    assert left == [UNMEASURED]
    assert "try again" in advice_for(told.value)
