"""Encrypted images by path: told as what they are, and refused before anything is begun."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tuivirt.backend.errors import BadInput
from tuivirt.backend.host import Host
from tuivirt.backend.images import check, convert, listing, rebase, resize


@pytest.fixture(params=["luks", "qcow2"])
def locked(request: pytest.FixtureRequest, images: Path) -> Path:
    """An image that its format, or LUKS within it, encrypts."""
    key, path = images / "key", images / f"a,b.{request.param}"
    key.write_text("a passphrase")
    within = "encrypt." if request.param == "qcow2" else ""
    options = f"{within}key-secret=s,{within}iter-time=10"
    if within:
        options += ",encrypt.format=luks"
    argv = ["qemu-img", "create", "-q", "-f", request.param]
    argv += ["--object", f"secret,id=s,file={key}", "-o", options, str(path), "1M"]
    for _ in range(20):
        made = subprocess.run(argv, capture_output=True, text=True, check=False)
        # On a quick processor QEMU 7.2 finds at times that its measurement took no time at all.
        if "accurate CPU usage" not in made.stderr:
            break
    assert made.returncode == 0, made.stderr
    return path


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("verb", "values"),
    [
        (check, {}),
        (check, {"repair": "leaks"}),
        (convert, {"target": "out.raw"}),
        (convert, {"in_place": True}),
        (resize, {"size": "2MiB"}),
        (rebase, {"flatten": True}),
    ],
)
def test_each_verb_refuses_one_with_the_way_by_hand(
    host: Host, locked: Path, verb: ModuleType, values: Mapping[str, Any]
) -> None:
    before, there = sha(locked), sorted(locked.parent.iterdir())
    given = {**values, "path": str(locked)}
    if "target" in given:
        given["target"] = str(locked.parent / given["target"])
    call = getattr(verb, verb.__name__.rpartition(".")[2])
    with pytest.raises(BadInput, match="is encrypted, and its secret is not asked for") as told:
        call(host, given, force=True)
    form = locked.suffix[1:]
    key = "key-secret" if form == "luks" else "encrypt.key-secret"
    options = f"driver={form},{key}=s,file.filename={str(locked).replace(',', ',,')}"
    assert f"--object secret,id=s,file=FILE (the file holds the value) --image-opts {options}" in (
        told.value.advice
    )
    assert (sha(locked), sorted(locked.parent.iterdir())) == (before, there)
    # What it says works.
    argv = ["qemu-img", "convert", "--object", f"secret,id=s,file={locked.parent / 'key'}"]
    out = locked.parent / "by-hand"
    subprocess.run([*argv, "--image-opts", options, "-O", "raw", str(out)], check=True)
    assert out.stat().st_size == 1 << 20


def test_it_is_told_of_and_not_measured(host: Host, locked: Path) -> None:
    lines = listing.as_text(host, str(locked)).splitlines()
    assert f"{locked}: {locked.suffix[1:]}" in lines
    assert "size: 1 MiB (1048576 bytes)" in lines
    assert "it is encrypted: without its secret no verb here reads it or writes to it" in lines
    with pytest.raises(BadInput, match=r"cannot measure .* is encrypted"):
        listing.measured(host, str(locked), "qcow2")
