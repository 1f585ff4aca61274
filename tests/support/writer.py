"""A guest that writes to its disk all the time, and knows what it has written."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

from tests.support.serial import Serial

BLOCK, BLOCKS = 16384, 64

_LOOP = (
    "i=0; while [ -e /go-{target} ]; do "
    "dd if=/dev/urandom of=/b-{target} bs={block} count=1; n=$((i%{blocks})); "
    "for f in /twin-{target} /dev/{target}; do "
    "dd if=/b-{target} of=$f bs={block} seek=$n conv=notrunc,fsync; done; "
    "i=$((i+1)); done 2>/dev/null; echo $i >/count-{target}"
)


class Writer:
    """Random blocks over and over into the first MiB of a disk, each also into a file in memory."""

    def __init__(self, shell: Serial, target: str = "vda") -> None:
        self.shell = shell
        """Another, once its console was broken off."""
        self._target = target
        twin = f"dd if=/dev/{target} of=/twin-{target} bs={BLOCK} count={BLOCKS} 2>/dev/null"
        shell.run(f"{twin}; >/go-{target}")
        loop = _LOOP.format(target=target, block=BLOCK, blocks=BLOCKS)
        shell.run(f"sh -c '{loop}' & echo $! >/pid-{target}")

    def stop(self) -> int:
        """Stop it; how many blocks it has written. AssertionError where the disk has other ones."""
        self.shell.run(f"rm /go-{self._target}; wait $(cat /pid-{self._target})")
        self.check()
        return int(self.shell.run(f"cat /count-{self._target}").split()[-1])

    def check(self) -> None:
        """AssertionError where the disk holds anything else than what was written."""
        assert first_of(self.shell, self._target) == self._twin()

    def _twin(self) -> str:
        return _sum(self.shell.run(f"md5sum </twin-{self._target}"))


def first_of(shell: Serial, target: str = "vda") -> str:
    """The checksum of a disk's first MiB, as the guest reads it from there."""
    shell.run("echo 3 >/proc/sys/vm/drop_caches")
    argv = f"dd if=/dev/{target} bs={BLOCK} count={BLOCKS} 2>/dev/null | md5sum"
    return _sum(shell.run(argv))


def _sum(said: str) -> str:
    # The shell may tell of a job that has ended in between.
    found = re.search(r"\b[0-9a-f]{32}\b", said)
    assert found is not None, said
    return found[0]


def filled_image(path: Path, mib: int = 24, *, seed: int = 1) -> Path:
    """A qcow2 image of that size full of what does not compress."""
    raw = path.with_suffix(".fill")
    raw.write_bytes(random.Random(seed).randbytes(mib << 20))
    argv = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(path)]
    subprocess.run(argv, check=True, capture_output=True)
    raw.unlink()
    path.chmod(0o666)
    return path


def overlay(path: Path, below: Path, form: str = "qcow2") -> Path:
    """An empty image on another."""
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(below), "-F", form, str(path)]
    subprocess.run(argv, check=True, capture_output=True)
    path.chmod(0o666)
    return path


def is_whole(path: Path) -> bool:
    """Whether ``qemu-img check`` finds nothing broken; space that leaks is no damage."""
    argv = ["qemu-img", "check", str(path)]
    return subprocess.run(argv, capture_output=True, check=False).returncode in (0, 3)
