"""Storage servers on this machine: NBD by qemu-nbd, HTTP by Python's own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ANSWER_S = 10.0


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def nbd_server(image: Path, export: str, socket_path: Path | None = None) -> Iterator[str]:
    """Export an image over TCP, or at a Unix socket; the export's URI."""
    port = free_port()
    where = ["-p", str(port), "-b", "127.0.0.1"]
    uri = f"nbd://127.0.0.1:{port}/{export}"
    if socket_path is not None:
        where, uri = ["-k", str(socket_path)], f"nbd+unix:///{export}?socket={socket_path}"
    pid_file = image.with_suffix(f".{port}.pid")
    # Its parent ends once it listens. Shared, as a test may leave a guest that has it still.
    argv = ["qemu-nbd", "--fork", f"--pid-file={pid_file}", "-t", "-e", "8", "-f", "raw"]
    subprocess.run([*argv, "-x", export, *where, str(image)], check=True, timeout=ANSWER_S)
    if socket_path is not None:
        socket_path.chmod(0o777)
    try:
        yield uri
    finally:
        os.kill(int(pid_file.read_text()), signal.SIGTERM)


@contextlib.contextmanager
def http_server(folder: Path) -> Iterator[str]:
    """Serve a folder; its URL."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(ANSWER_S)


@contextlib.contextmanager
def greeter(words: bytes) -> Iterator[int]:
    """A server that says these words to its first caller; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            with contextlib.suppress(OSError):
                call, _address = server.accept()
                with call:
                    call.sendall(words)

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join(ANSWER_S)
