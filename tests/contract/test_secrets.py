"""Secrets of a real libvirtd: defined, given a value, listed, undefined; the value never told."""

from __future__ import annotations

import base64
import logging
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.contract.cli import ROOT, tuivirt
from tests.contract.conftest import Heard
from tests.contract.pool import TestPool
from tests.contract.test_cli_asking import Typist
from tests.support.guests import Define
from tuivirt.actions.catalog import find_action
from tuivirt.actions.runner import Tasks
from tuivirt.backend import hotplug, secret_verbs
from tuivirt.backend.errors import Aborted, BadInput, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.backend.secrets import named_secret

WORD = "correct horse battery"


@pytest.fixture
def usage(host: Host) -> Iterator[str]:
    """The name of a secret that is removed at the end, if it is there."""
    name = f"/tuivirt-test/{uuid.uuid4().hex}"
    yield name
    for each in host.conn.listAllSecrets(0):
        if each.usageID() == name:
            each.undefine()


@pytest.fixture
def value_file(tmp_path: Path) -> Path:
    path = tmp_path / "value"
    path.write_text(WORD)
    return path


def asked(host: Host, verb: Callable[[threading.Event], str], *answers: str | None) -> str:
    """Run it where the program does, and answer what it asks; None dismisses."""
    aborted = threading.Event()
    outcome: Future[str] = host.actions.submit(lambda: verb(aborted))
    seen: Any = None
    for answer in answers:
        while (question := host.snapshot.question) is None or question is seen:
            assert not outcome.done(), outcome.exception()
            host.wait_changed(20)
        seen = question
        if answer is None:
            question.dismiss()
        else:
            question.answer(answer)
    said = outcome.result(20)
    assert host.snapshot.question is None
    return said


def there(host: Host, usage: str) -> Any:
    return host.conn.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_VOLUME, usage)


def is_there(host: Host, usage: str) -> bool:
    return any(each.usageID() == usage for each in host.conn.listAllSecrets(0))


def test_one_is_defined_with_a_value_that_is_asked_for_and_never_told(
    host: Host, usage: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    heard = Heard()
    told: list[Task] = []
    action = find_action("secret-define")
    assert action is not None
    values = {"usage": usage, "description": "of a test", "ephemeral": True}

    def run(_aborted: threading.Event) -> str:
        ref = Ref(host.name, Kind.HOST, host.name)
        tasks = Tasks(heard)
        done = tasks.run_sync(action, host, ref, host.name, values, on_change=told.append)
        told.append(done)
        return done.text

    said = asked(host, run, WORD, WORD)
    secret = there(host, usage)
    assert told[-1].state is TaskState.DONE
    assert said == (
        f"host here has the secret volume {usage}, {secret.UUIDString()}, and its value; "
        "kept in the daemon's memory alone: gone when that ends"
    )
    assert secret.value(0) == WORD.encode()
    assert told[-1].virsh.endswith(f"secret-set-value {secret.UUIDString()} --interactive")
    assert WORD not in caplog.text
    assert WORD not in repr(told)
    assert WORD not in repr(heard._events)


def test_typed_in_two_ways_left_or_aborted_nothing_is_made(host: Host, usage: str) -> None:
    def define(aborted: threading.Event) -> str:
        return secret_verbs.define(host, {"usage": usage}, aborted)

    with pytest.raises(BadInput, match="typed in two ways") as two:
        asked(host, define, WORD, "other")
    assert WORD not in str(two.value)
    with pytest.raises(TuivirtError, match="you did not answer"):
        asked(host, define, WORD, None)
    with pytest.raises(BadInput, match=f"no value was typed for the secret volume {usage}"):
        asked(host, define, "")
    with pytest.raises(BadInput, match="description holds no control characters"):
        secret_verbs.define(host, {"usage": usage, "description": "a\x1bb"}, threading.Event())
    stop = threading.Event()
    stop.set()
    with pytest.raises(Aborted):
        secret_verbs.define(host, {"usage": usage}, stop)
    assert host.snapshot.question is None
    assert not is_there(host, usage)


def test_one_that_came_while_the_value_was_typed_is_left_as_it_is(host: Host, usage: str) -> None:
    number = str(uuid.uuid4())

    def define(aborted: threading.Event) -> str:
        return secret_verbs.define(host, {"usage": usage, "uuid": number}, aborted)

    aborted = threading.Event()
    outcome = host.actions.submit(lambda: define(aborted))
    while (first := host.snapshot.question) is None:
        host.wait_changed(20)
    xml = (
        f"<secret ephemeral='no' private='no'><uuid>{number}</uuid><description>theirs"
        f"</description><usage type='volume'><volume>{usage}</volume></usage></secret>"
    )
    host.conn.secretDefineXML(xml, 0).setValue(b"theirs", 0)
    first.answer(WORD)
    while (second := host.snapshot.question) is None or second is first:
        host.wait_changed(20)
    second.answer(WORD)
    with pytest.raises(BadInput, match=f"there is one already: volume {usage}"):
        outcome.result(20)
    assert there(host, usage).value(0) == b"theirs"
    assert "theirs" in secret_verbs.xml_of(host, number)


def test_what_took_no_value_is_gone_again_and_its_xml_needs_no_flag_of_a_newer_daemon(
    host: Host, usage: str, value_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags: list[int] = []
    define = libvirt.virConnect.secretDefineXML

    def noted(conn: Any, xml: str, flag: int = 0) -> Any:
        flags.append(flag)
        return define(conn, xml, flag)

    def refused(*_: Any) -> int:
        raise libvirt.libvirtError("the disk is full")

    monkeypatch.setattr(libvirt.virConnect, "secretDefineXML", noted)
    monkeypatch.setattr(libvirt.virSecret, "setValue", refused)
    with pytest.raises(TuivirtError, match="nothing is left of it"):
        secret_verbs.define(host, {"usage": usage, "file": str(value_file)}, threading.Event())
    assert flags == [0]
    assert not is_there(host, usage)


def test_virsh_is_told_the_uuid_of_one_that_was_named_by_its_usage(
    host: Host, usage: str, value_file: Path
) -> None:
    secret_verbs.define(host, {"usage": usage, "file": str(value_file)}, threading.Event())
    number = there(host, usage).UUIDString()
    given: tuple[tuple[str, dict[str, Any]], ...] = (
        ("secret-dumpxml", {}),
        ("secret-set-value", {"file": str(value_file)}),
        ("secret-undefine", {}),
    )
    for name, more in given:
        action = find_action(name)
        assert action is not None
        ref = Ref(host.name, Kind.HOST, host.name)
        done = Tasks(Heard()).run_sync(action, host, ref, host.name, {"secret": usage, **more})
        assert done.state is TaskState.DONE
        assert f"{name} {number}" in done.virsh
        assert usage not in done.virsh


def test_a_file_a_uuid_and_flags_make_it_what_was_said(
    host: Host, usage: str, value_file: Path
) -> None:
    number = str(uuid.uuid4())
    never = threading.Event()
    values = {"usage": usage, "uuid": number, "private": True, "file": str(value_file)}
    said = secret_verbs.define(host, values, never)
    assert said.endswith(f"{number}, and its value; told to no client")
    assert f"{number}  volume  {usage}  (private)" in secret_verbs.as_text(host).splitlines()
    with pytest.raises(libvirt.libvirtError):
        there(host, usage).value(0)
    assert WORD not in secret_verbs.xml_of(host, number)
    with pytest.raises(BadInput, match="there is one already") as taken:
        secret_verbs.define(host, {"usage": usage, "file": str(value_file)}, never)
    assert "secret-set-value" in taken.value.advice


def test_another_value_is_taken_as_it_is_or_from_base64(
    host: Host, usage: str, value_file: Path
) -> None:
    never = threading.Event()
    secret_verbs.define(host, {"usage": usage, "file": str(value_file)}, never)
    value_file.write_bytes(b"with an end\n")
    values = {"secret": usage, "file": str(value_file)}
    said = secret_verbs.set_value(host, values, never)
    assert said.endswith("the line end at the end of the file is a part of it")
    assert there(host, usage).value(0) == b"with an end\n"
    value_file.write_bytes(base64.encodebytes(b"\x00\xff bytes"))
    secret_verbs.set_value(host, {**values, "base64": True}, never)
    assert there(host, usage).value(0) == b"\x00\xff bytes"
    value_file.write_text(f"no base64: {WORD}!")
    with pytest.raises(BadInput, match="is no base64") as wrong:
        secret_verbs.set_value(host, {**values, "base64": True}, never)
    assert WORD not in f"{wrong.value} {wrong.value.advice}"
    said = asked(
        host, lambda aborted: secret_verbs.set_value(host, {"secret": usage}, aborted), "a", "a"
    )
    assert "has its new value" in said
    assert there(host, usage).value(0) == b"a"
    with pytest.raises(TuivirtError, match="No such file"):
        secret_verbs.set_value(host, {"secret": usage, "file": str(value_file) + "x"}, never)


def test_who_names_it_is_told_before_it_is_undefined(
    pool: TestPool, define: Define, value_file: Path
) -> None:
    host, path = pool.host, str(pool.folder / "a.img")
    secret_verbs.define(host, {"usage": path, "file": str(value_file)}, threading.Event())
    try:
        pool.make("a.img", secret=path, allocation="0")
        pool.make("b.img", allocation="0")
        pool.handle.refresh(0)
        guest = define(memory_mib=32)
        name = guest.domain.name()
        hotplug.attach_disk(host, guest.uuid, hotplug.DiskRequest(f"{pool.name}/a.img"))
        plan = secret_verbs.plan_undefine(host, {"secret": path})
        (risk,) = plan.of(Weight.RISK)
        assert risk.text == (f"domain {name}, volume {pool.name}/a.img cannot be opened without it")
        with pytest.raises(TuivirtError, match=f"domain {name}"):
            secret_verbs.undefine(host, {"secret": path})
        assert is_there(host, path)
    finally:
        number = there(host, path).UUIDString()
        said = secret_verbs.undefine(host, {"secret": number}, force=True)
    assert said == f"host here has no secret volume {path} ({number}) any more"
    assert not is_there(host, path)
    with pytest.raises(BadInput, match="has no secret"):
        named_secret(host, path)


def test_one_that_nobody_names_goes_without_force(host: Host, usage: str, value_file: Path) -> None:
    secret_verbs.define(host, {"usage": usage, "file": str(value_file)}, threading.Event())
    assert not secret_verbs.plan_undefine(host, {"secret": usage}).of(Weight.RISK)
    secret_verbs.undefine(host, {"secret": usage})
    assert not is_there(host, usage)


def test_on_the_command_line_it_is_asked_for_without_echo(
    host: Host, qemu_uri: str, usage: str
) -> None:
    one = Typist("-c", qemu_uri, "secret-define", usage)
    for prompt in (f"The value of the secret volume {usage}: ", "The same once more: "):
        one.until(prompt)
        assert not one.echoes
        one.type(f"{WORD}\n")
    assert one.ended() == 0
    assert WORD not in one.said
    assert "and its value" in one.said
    assert there(host, usage).value(0) == WORD.encode()


def test_on_the_command_line_standard_input_gives_it_and_without_a_terminal_it_is_said_how(
    host: Host, qemu_uri: str, usage: str
) -> None:
    ran = tuivirt("-c", qemu_uri, "secret-define", usage)
    assert ran.status == 1
    assert "nobody can be asked here" in ran.err
    assert "--file takes it from a file, of which - is standard input" in ran.err
    argv = [sys.executable, "-m", "tuivirt", "-c", qemu_uri, "secret-define", usage, "--file", "-"]
    done = subprocess.run(
        argv, cwd=ROOT, input=WORD, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert there(host, usage).value(0) == WORD.encode()
    ran = tuivirt("-c", qemu_uri, "secret-list")
    assert f"volume  {usage}" in ran.out
    ran = tuivirt("-c", qemu_uri, "secret-undefine", usage)
    assert (ran.status, ran.err) == (0, "")
    assert not is_there(host, usage)
