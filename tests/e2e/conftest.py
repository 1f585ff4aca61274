"""The program as an operator has it: in a terminal, on real QEMU guests, driven by keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.operator import Operator
from tests.support.libvirtd import PrivateLibvirtd
from tests.support.tmux import Terminal

SMALL, LARGE = (80, 24), (160, 50)


@pytest.fixture(params=[SMALL, LARGE], ids=["80x24", "160x50"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """Columns and rows of the terminal: the least that must do, and a roomy one."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def operator(terminal: Callable[..., Terminal]) -> Callable[..., Operator]:
    """Sits down at a terminal: ``operator("-c", uri, size=(160, 50))``; the list is filled."""

    def sit_down(
        *arguments: str,
        size: tuple[int, int] = SMALL,
        first: str = r"Domains \d+ of",
        **more: object,
    ) -> Operator:
        cols, rows = size
        one = Operator(terminal(*arguments, cols=cols, rows=rows, **more))
        one.sees(first)
        return one

    return sit_down


@pytest.fixture
def daemon(private_libvirtd: PrivateLibvirtd) -> Iterator[PrivateLibvirtd]:
    """A daemon to ill-treat; it always ends able to answer, so that all that hangs comes free."""
    yield private_libvirtd
    if private_libvirtd.pid is not None:
        private_libvirtd.sigcont()


@pytest.fixture
def slow_ticks(tmp_path: Path) -> dict[str, str]:
    """Settings with the longest interval: no figure moves while two screens are compared."""
    (tmp_path / "tuivirt").mkdir()
    (tmp_path / "tuivirt/config.toml").write_text("interval = 60.0\n")
    return {"XDG_CONFIG_HOME": str(tmp_path)}
