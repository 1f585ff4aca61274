"""A verb of the program, run in a copy of this process: here an interpreter starts in 2 s."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import NoReturn

from tests.contract import cli
from tests.contract.cli import Ran


def tuivirt(*arguments: str, **env: str) -> Ran:
    """As `tests.contract.cli.tuivirt`, from the same entry on, but for the interpreter's start.

    A copy has none of this process's threads: while there are any, a new process it is.
    """
    if threading.active_count() > 1:
        return cli.tuivirt(*arguments, **env)
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            try:
                _become(arguments, env, out.fileno(), err.fileno())
            finally:
                os._exit(70)  # Not reached but by a defect in here.
        _pid, status = os.waitpid(child, 0)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    return Ran(os.waitstatus_to_exitcode(status), *texts)


def _become(arguments: tuple[str, ...], env: dict[str, str], out: int, err: int) -> NoReturn:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.environ.pop("LIBVIRT_DEFAULT_URI", None)
    os.environ.update(env)
    os.chdir(Path(__file__).parents[2])
    sys.argv = ["tuivirt", *arguments]
    from tuivirt.__main__ import main

    main()
