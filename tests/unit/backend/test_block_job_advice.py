"""What is advised where libvirt refuses a block job."""

from __future__ import annotations

import libvirt
import pytest

from tuivirt.backend.block_jobs.follow import advice_for


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("'blockdev-add': Could not open '/x': No such file or directory", "does not see it"),
        ("'blockdev-add': Could not open '/x': Permission denied", "may not write there"),
        ("'blockdev-add': Could not open '/x': Read-only file system", "name another folder"),
        ("'blockdev-add': Failed to get \"write\" lock", "another process has the image"),
        ("cannot add, an earlier block job runs", "another job runs on this disk"),
    ],
)
def test_it_is_about_what_was_said(said: str, advice: str) -> None:
    error = libvirt.libvirtError("")
    error.err = (1, 10, f"unable to execute QEMU command {said}", 2, "", "", "", 0, 0)
    assert advice in advice_for(error)
