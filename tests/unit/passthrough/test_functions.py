"""How many virtual functions a device shows, set through a made-up kernel."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.passthrough.things import HOST, Machine, by_name, pci
from tuivirt.backend.errors import BadInput, ReadOnly, TuivirtError
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.host import HostInfo, HostSnapshot
from tuivirt.backend.passthrough import functions
from tuivirt.backend.passthrough.functions import set_functions

CARD = pci("0000:05:00.0", pci_class="020000", virtual_most=4, virtual_functions=("0000:05:10.0",))
FUNCTION = pci("0000:05:10.0", 9, pci_class="020000", physical_function="0000:05:00.0")
PLAIN = pci("0000:06:00.0")


class Hands:
    """As much of a host as is used."""

    def __init__(self, *, local: bool = True) -> None:
        self.name = HOST
        web = Domain(HOST, "u1", "web", 1, DomainState.RUNNING)
        self.snapshot = HostSnapshot(
            HOST,
            "qemu:///system",
            info=HostInfo("qemu:///system", local=local),
            domains={"u1": web},
            devices=by_name(CARD, FUNCTION, PLAIN),
        )
        self.told: list[str] = []

    def require_write(self) -> None:
        return None

    def touch(self, ref: Any) -> None:
        self.told.append(ref.key)

    def refresh(self) -> None:
        self.told.append("all")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    machine.write(f"{CARD.path}/sriov_numvfs", "1")
    machine.write(f"{CARD.path}/sriov_totalvfs", "4\n")
    monkeypatch.setattr(functions, "_SEEN_S", 0.0)
    monkeypatch.setattr(functions, "configs_of", lambda _host: {})
    return machine


def there(machine: Machine) -> str:
    return (machine.root / CARD.path.lstrip("/") / "sriov_numvfs").read_text()


def test_the_number_is_set_and_the_list_read_again(machine: Machine) -> None:
    host: Any = Hands()
    assert set_functions(host, CARD.name, 3, root=machine.root).endswith("has 3 virtual functions")
    assert there(machine) == "3"
    assert host.told == [CARD.name, "all"]


@pytest.mark.parametrize("count", [5, -1])
def test_more_than_there_can_be_is_refused(machine: Machine, count: int) -> None:
    host: Any = Hands()
    with pytest.raises(BadInput, match="between 0 and 4"):
        set_functions(host, CARD.name, count, root=machine.root)
    assert there(machine) == "1"


def test_a_device_without_any_is_refused(machine: Machine) -> None:
    host: Any = Hands()
    with pytest.raises(BadInput, match="no virtual functions"):
        set_functions(host, PLAIN.name, 1, root=machine.root)


def test_of_another_machine_it_says_what_to_type_there(machine: Machine) -> None:
    host: Any = Hands(local=False)
    with pytest.raises(BadInput) as caught:
        set_functions(host, CARD.name, 3, root=machine.root)
    assert f"echo 3 > {CARD.path}/sriov_numvfs" in caught.value.advice


def test_one_that_a_guest_runs_with_keeps_them_all(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    host: Any = Hands()
    monkeypatch.setattr(functions, "users_of_devices", lambda *_: {FUNCTION.name: ("web",)})
    with pytest.raises(BadInput, match="web runs with"):
        set_functions(host, CARD.name, 3, force=True, root=machine.root)
    assert there(machine) == "1"


def test_a_refusal_of_the_kernel_has_the_old_ones_made_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    host: Any = Hands()
    write = Path.write_text

    def refuses(path: Path, text: str, *more: Any, **others: Any) -> int:
        if text == "3":
            raise OSError(28, "No space left on device")
        return write(path, text, *more, **others)

    monkeypatch.setattr(Path, "write_text", refuses)
    with pytest.raises(TuivirtError, match="No space left") as caught:
        set_functions(host, CARD.name, 3, root=machine.root)
    assert there(machine) == "1"
    assert "made again" in caught.value.advice


def test_a_read_only_connection_changes_nothing(machine: Machine) -> None:
    def refuse() -> None:
        raise ReadOnly("the connection is read-only")

    host: Any = SimpleNamespace(require_write=refuse)
    with pytest.raises(ReadOnly):
        set_functions(host, CARD.name, 3, root=machine.root)
    assert there(machine) == "1"
