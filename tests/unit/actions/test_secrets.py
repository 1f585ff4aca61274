"""What virsh is told of a secret: its UUID, and where the value comes from."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from tuivirt.actions.catalog import listed
from tuivirt.backend import secret_verbs
from tuivirt.backend.errors import BadInput

UUID = "7c2a4a60-6f0f-4f0c-9b57-0d6c0a2f1c11"


def virsh_of(name: str, **given: Any) -> str:
    """The command, as it was last told."""
    action = listed()[name]
    told: list[str] = []

    def chose(**values: Any) -> None:
        told.append(action.equivalent("h", {**given, **values, "its_uri": "x:///"}))

    run: Any = SimpleNamespace(host=None, aborted=threading.Event(), chose=chose)
    action.function(run, None, **given)
    return told[-1]


@pytest.fixture(autouse=True)
def one_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each verb finds the same one, and does nothing to it."""
    for verb in ("define", "set_value", "undefine", "xml_of"):
        monkeypatch.setattr(secret_verbs, verb, lambda *_, chose, **__: chose(UUID))


def test_to_define_one_and_give_it_its_value_takes_virsh_two_commands() -> None:
    define = "virsh -c x:/// secret-define SECRET.xml; virsh -c x:/// secret-set-value"
    assert virsh_of("secret-define", usage="/a b") == f"{define} {UUID} --interactive"
    said = virsh_of("secret-define", usage="/a b", file="-")
    assert said == f"{define} {UUID} --plain --file /dev/stdin"
    said = listed()["secret-define"].equivalent("h", {"usage": "/a b"})
    assert said.endswith("virsh secret-set-value UUID --interactive")


def test_one_that_is_named_by_its_usage_is_told_by_its_uuid() -> None:
    assert virsh_of("secret-dumpxml", secret="/a b") == f"virsh -c x:/// secret-dumpxml {UUID}"
    assert virsh_of("secret-undefine", secret="/a b") == f"virsh -c x:/// secret-undefine {UUID}"
    said = virsh_of("secret-set-value", secret="/a b", file="-", base64=True)
    assert said == f"virsh -c x:/// secret-set-value {UUID} --file /dev/stdin"


@pytest.mark.parametrize("wrong", ["a\x1bb", "a\udc80b", "a\uffffb"])
def test_a_description_that_no_xml_may_hold_is_refused_before_anything_is_asked(wrong: str) -> None:
    with pytest.raises(BadInput, match="description holds no control characters"):
        listed()["secret-define"].convert({"usage": "/a", "description": wrong})
    listed()["secret-define"].convert({"usage": "/a", "description": "two\nlines\tof \u00a0é"})
