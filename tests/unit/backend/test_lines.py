"""Which socket a connection has, and how it is ended without libvirt's help."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tuivirt.backend import mute, opening


@contextmanager
def listening_at(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        yield listening


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[socket.socket]:
    with listening_at(tmp_path / "sock") as listening:
        yield listening


def uri_of(daemon: socket.socket) -> str:
    return f"qemu+unix:///system?socket={daemon.getsockname()}"


def connect(daemon: socket.socket) -> socket.socket:
    end = socket.socket(socket.AF_UNIX)
    end.connect(daemon.getsockname())
    return end


def test_the_socket_of_a_new_connection_is_known_and_ended_so_that_both_sides_see_it(
    daemon: socket.socket,
) -> None:
    before = opening.sockets()
    with connect(daemon) as mine, daemon.accept()[0] as theirs:
        line = opening.line_of(uri_of(daemon), before)
        assert line is not None
        assert line[0] == mine.fileno()
        opening.cut(line)
        assert (mine.recv(1), theirs.recv(1)) == (b"", b"")
        opening.forget(line)


def test_of_two_to_one_place_that_came_up_at_once_none_is_taken(daemon: socket.socket) -> None:
    before = opening.sockets()
    with connect(daemon), connect(daemon):
        assert opening.line_of(uri_of(daemon), before) is None


def test_what_is_anothers_is_not_taken(daemon: socket.socket) -> None:
    before = opening.sockets()
    with connect(daemon):
        first = opening.line_of(uri_of(daemon), before)
        with connect(daemon) as mine:
            second = opening.line_of(uri_of(daemon), before)
            assert second is not None
            assert second[0] == mine.fileno()
            opening.forget(second)
        opening.forget(first)


def test_a_try_that_is_given_up_takes_no_connection_along_that_came_up_meanwhile(
    daemon: socket.socket,
) -> None:
    before = opening.sockets()
    with connect(daemon) as well, daemon.accept()[0] as theirs:
        line = opening.line_of(uri_of(daemon), before)
        with connect(daemon) as stuck:
            assert mute._shut(uri_of(daemon), before)
            assert stuck.recv(1) == b""
            theirs.sendall(b"x")
            assert well.recv(1) == b"x"
        opening.forget(line)


def test_of_two_that_came_up_at_once_each_is_known_by_where_it_leads(
    daemon: socket.socket, tmp_path: Path
) -> None:
    before = opening.sockets()
    with listening_at(tmp_path / "other") as far, connect(daemon) as one, connect(far) as two:
        lines = [opening.line_of(uri_of(each), before) for each in (daemon, far)]
        assert [line and line[0] for line in lines] == [one.fileno(), two.fileno()]
        for line in lines:
            opening.forget(line)


def test_of_two_that_are_bound_to_one_name_each_is_known_by_the_file_that_it_leads_to(
    tmp_path: Path,
) -> None:
    before = opening.sockets()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with listening_at(tmp_path / "sock") as first:
        (tmp_path / "sock").rename(tmp_path / "one" / "sock")
        with listening_at(tmp_path / "sock") as second:
            (tmp_path / "sock").rename(tmp_path / "two" / "sock")
            paths = [tmp_path / name / "sock" for name in ("one", "two")]
            ends = [socket.socket(socket.AF_UNIX) for _ in paths]
            for end, path in zip(ends, paths, strict=True):
                end.connect(str(path))
            taken = [each.accept()[0] for each in (first, second)]
            assert ends[0].getpeername() == ends[1].getpeername()
            uris = [f"qemu+unix:///system?socket={path}" for path in paths]
            lines = [opening.line_of(uri, before) for uri in uris]
            assert [line and line[0] for line in lines] == [end.fileno() for end in ends]
            for each in (*ends, *taken):
                each.close()
            for line in lines:
                opening.forget(line)


def test_of_two_ssh_that_came_up_at_once_each_is_known_by_its_process() -> None:
    before = opening.sockets()
    pairs = [socket.socketpair() for _ in range(2)]
    started = [subprocess.Popen(["cat"], stdin=theirs.fileno()) for _ours, theirs in pairs]
    for _ours, theirs in pairs:
        theirs.close()
    lines = [opening.line_of("qemu+ssh://host/system", before, each.pid) for each in started]
    assert [line and line[0] for line in lines] == [ours.fileno() for ours, _theirs in pairs]
    for line, each, (ours, _theirs) in zip(lines, started, pairs, strict=True):
        opening.forget(line)
        ours.close()
        assert each.wait(10) == 0


@pytest.mark.parametrize("uri", ["qemu+ssh://host/system", "qemu+tcp://127.0.0.1/system", "alias"])
def test_a_socket_that_leads_elsewhere_is_not_taken(daemon: socket.socket, uri: str) -> None:
    before = opening.sockets()
    with connect(daemon):
        assert opening.line_of(uri, before) is None


def test_a_program_at_the_other_end_is_sshs() -> None:
    before = opening.sockets()
    ours, theirs = socket.socketpair()
    number = theirs.fileno()
    with ours:
        theirs.detach()
        with socket.socket(fileno=number):
            assert opening.line_of("qemu+ssh://host/system", before) is None
        line = opening.line_of("qemu+ssh://host/system", before)
        assert line is not None
        assert line[0] == ours.fileno()
        opening.forget(line)


def test_a_number_that_has_come_to_mean_something_else_is_left_alone(
    daemon: socket.socket,
) -> None:
    before = opening.sockets()
    with connect(daemon) as mine:
        line = opening.line_of(uri_of(daemon), before)
        assert line is not None
    with connect(daemon) as other, daemon.accept()[0], daemon.accept()[0] as theirs:
        opening.cut((other.fileno(), line[1]))
        theirs.sendall(b"x")
        assert other.recv(1) == b"x"
    opening.cut(line)
    opening.forget(line)
    assert mine.fileno() == -1
