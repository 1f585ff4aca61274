"""Run for ssh: carries one question to the tuivirt that started it, and the answer back.

A program of its own, for a Python without site-packages: it imports nothing of ours. Arguments:
the socket, the question. Status 0: answered, the answer on standard output; 1: not.
"""

from __future__ import annotations

import os
import socket
import sys


def main(path: str, prompt: str) -> int:
    """Ask, and wait; whoever ends this process withdraws the question."""
    hint = os.environ.get("SSH_ASKPASS_PROMPT", "")
    question = f"{hint}\n{prompt}".encode(errors="surrogateescape")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        try:
            door.connect(path)
            door.sendall(len(question).to_bytes(4, "big") + question)
            answer = b""
            while part := door.recv(4096):
                answer += part
        except OSError:
            return 1  # tuivirt has gone, and with it who could answer.
    if not answer:
        return 1
    # The first byte says that there is an answer, which may be empty.
    os.write(sys.stdout.fileno(), answer[1:] + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], " ".join(sys.argv[2:])))
