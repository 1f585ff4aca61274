"""An sshd of a test's own on 127.0.0.1, with a user that exists in its eyes alone.

The daemon sees other files as /etc/passwd and the like, in a mount namespace: nothing of the
machine is changed, and ssh's own files are a folder's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from .libvirtd import until
from .needs import need_programs, need_root

USER, PASSWORD, PASSPHRASE = "operator", "pass word 1", "a long phrase"

_START = """
folder=$1; shift
mkdir -p /run/sshd
mount --make-rprivate /
for name in passwd shadow group; do mount --bind "$folder/$name" "/etc/$name"; done
mount --bind "$folder/pam" /etc/pam.d/sshd
exec "$@"
"""

_CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
PermitRootLogin yes
UsePAM yes
PasswordAuthentication {password}
KbdInteractiveAuthentication {interactive}
PubkeyAuthentication yes
LoginGraceTime {grace}
MaxStartups 100
{more}
"""

_CLIENT = """
Host *
    User {user}
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile none
    IdentityFile {folder}/key
    IdentitiesOnly yes
    IdentityAgent none
    HashKnownHosts no
    ControlPath none
"""

_LOG = """#!/bin/sh
echo "$$ $*" >>"$0.log"
exec {ssh} -F {config} "$@"
"""


class Sshd:
    """A running sshd; ``uri`` leads to the machine's libvirtd by it.

    The user is root's equal, so that libvirt lets it in. ``bin`` goes to the front of PATH: its
    ``ssh`` knows this daemon's keys and files alone, and writes each of its starts down.
    """

    def __init__(
        self,
        *,
        password: bool = True,
        interactive: bool = False,
        more: str = "",
        grace_s: int = 120,
    ) -> None:
        need_root()
        need_programs("sshd", "ssh", "ssh-keygen", "unshare", "openssl", "setpriv")
        self.folder = Path(tempfile.mkdtemp(prefix="tuivirt-sshd-", dir="/tmp"))
        self.folder.chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.uri = f"qemu+ssh://127.0.0.1:{self.port}/system"
        self.bin = self.folder / "bin"
        self._process: subprocess.Popen[bytes] | None = None
        ssh = shutil.which("ssh")
        self.new_host_key()
        self._keygen("key", PASSPHRASE)
        (self.folder / "authorized_keys").write_text("")
        self._users()
        (self.folder / "sshd_config").write_text(
            _CONFIG.format(
                port=self.port,
                folder=self.folder,
                password="yes" if password else "no",
                interactive="yes" if interactive else "no",
                grace=grace_s,
                more=more,
            )
        )
        config = self.folder / "ssh_config"
        config.write_text(_CLIENT.format(user=USER, folder=self.folder))
        self.bin.mkdir()
        (self.bin / "ssh").write_text(_LOG.format(ssh=ssh, config=config))
        (self.bin / "ssh").chmod(0o755)
        self.know()
        self.start()

    def _keygen(self, name: str, passphrase: str) -> None:
        path = self.folder / name
        for old in (path, path.with_suffix(".pub")):
            old.unlink(missing_ok=True)
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-a", "1", "-N", passphrase, "-C", "test"]
        subprocess.run([*argv, "-f", str(path)], check=True)

    def _users(self) -> None:
        hashed = subprocess.run(
            ["openssl", "passwd", "-6", "-stdin"],
            input=PASSWORD,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        home = self.folder / "home"
        home.mkdir()
        for name, line in (
            ("passwd", f"{USER}:x:0:0::{home}:/bin/sh"),
            ("shadow", f"{USER}:{hashed}:19000:0:99999:7:::"),
            ("group", ""),
        ):
            (self.folder / name).write_text(f"{line}\n" + Path("/etc", name).read_text())
        (self.folder / "shadow").chmod(0o600)
        (self.folder / "pam").write_text(
            "auth required pam_unix.so nodelay\naccount required pam_unix.so\n"
        )

    # -- the daemon ---------------------------------------------------------------------------

    def start(self) -> None:
        """Start it; it listens when this returns."""
        sshd = shutil.which("sshd") or "sshd"
        argv = ["setpriv", "--pdeathsig", "TERM", "unshare", "-m", "sh", "-eu", "-c", _START, "sh"]
        argv += [str(self.folder), sshd, "-D", "-e", "-f", str(self.folder / "sshd_config")]
        with (self.folder / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until(self._listens, "sshd listens")

    def _listens(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"sshd ended: {(self.folder / 'sshd.log').read_text()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def sessions(self) -> list[int]:
        """The processes of those who are connected, in or not."""
        assert self._process is not None
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(word) for word in path.read_text().split()]

    def cut(self) -> None:
        """End all sessions, as a broken line does."""
        for pid in self.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End it and all that it wrote."""
        if self._process is not None:
            for pid in self.sessions():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Sshd:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    # -- who knows whom -----------------------------------------------------------------------

    def new_host_key(self) -> None:
        """Another key for the host, as after it was installed anew; for the next ``start``."""
        self._keygen("host_key", "")

    @property
    def fingerprint(self) -> str:
        """Of the host's key."""
        argv = ["ssh-keygen", "-l", "-f", str(self.folder / "host_key.pub")]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()[1]

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def know(self) -> None:
        """The client knows the host's key."""
        key = (self.folder / "host_key.pub").read_text()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {key}")

    def allow_key(self) -> None:
        """The client's key lets its owner in."""
        shutil.copy(self.folder / "key.pub", self.folder / "authorized_keys")

    def deny_key(self) -> None:
        (self.folder / "authorized_keys").write_text("")

    def starts(self) -> list[str]:
        """Each start of ssh: its process and its arguments."""
        log = self.bin / "ssh.log"
        return log.read_text().splitlines() if log.exists() else []
