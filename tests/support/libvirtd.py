"""The daemon that tests talk to: the machine's own, or a private one that may be ill-treated."""

from __future__ import annotations

import contextlib
import grp
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import libvirt

from tests.support.needs import missing, need_programs, need_root

SYSTEM = "qemu:///system"


def answers(uri: str) -> str:
    """Empty when a connection can be opened, else libvirt's reason."""
    try:
        libvirt.open(uri).close()
    except libvirt.libvirtError as error:
        return str(error)
    return ""


def until(true: Callable[[], bool], what: str, timeout: float = 30, pause: float = 0.02) -> None:
    """Wait for something that has no event of its own; AssertionError when it does not come."""
    deadline = time.monotonic() + timeout
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout} s")
        time.sleep(pause)


@contextlib.contextmanager
def system_daemon() -> Iterator[str]:
    """The machine's own daemon; started when it does not answer, and only then stopped again."""
    reason = answers(SYSTEM)
    if not reason:
        yield SYSTEM
        return
    if os.geteuid() != 0:
        missing(f"{SYSTEM} does not answer and only root can start it: {reason}")
    need_programs("libvirtd", "virtlogd", "qemu-system-x86_64")
    if Path("/run/systemd/system").exists():
        subprocess.run(["systemctl", "start", "libvirtd"], check=True)
        yield SYSTEM
        return  # systemd stops it by itself when nobody talks to it any more.
    _give_kvm_to_its_group()
    # Consoles are locked there; without systemd nobody may have made it.
    Path("/run/lock").mkdir(mode=0o1777, exist_ok=True)
    _started.extend(program for program in _DAEMONS if _start(program))
    try:
        reason = answers(SYSTEM)
        if reason:
            missing(f"libvirtd was started and does not answer: {reason}")
        yield SYSTEM
    finally:
        for program in reversed(_started):
            with contextlib.suppress(ProcessLookupError):
                os.kill(_pid(program), signal.SIGTERM)
        _started.clear()


_DAEMONS = ("virtlogd", "libvirtd")
_started: list[str] = []
"""Those of the machine's own that were started here, in that order."""
_private: list[PrivateLibvirtd] = []
crashes: list[str] = []
"""When it was found that libvirtd had ended by itself, and was started again."""


def _start(program: str) -> bool:
    """Returns when the daemon listens; False where it refuses, as one runs already."""
    return subprocess.run([program, "-d"], capture_output=True, text=True).returncode == 0


def _pid(program: str) -> int:
    return int(Path(f"/run/{program}.pid").read_text())


def revive() -> bool:
    """Start the machine's own libvirtd again if it was started here and crashed; whether it was.

    libvirtd 9.0 may crash over a client that is gone while it has calls under way, and tests end
    many clients. The suite's summary tells of it.
    """
    if "libvirtd" not in _started or not start_again():
        return False
    crashes.append(time.strftime("%H:%M:%S"))
    return True


def start_again() -> bool:
    """Start libvirtd if it ran and has ended; whether it had. It listens when this returns."""
    return not alive(_pid("libvirtd")) and _start("libvirtd")


def revive_private() -> None:
    """The same for all that a module's tests share."""
    revived = [each for each in _private if each.revive()]
    crashes.extend(f"{time.strftime('%H:%M:%S')} (a private one)" for _ in revived)


def _give_kvm_to_its_group() -> None:
    """Do what udev's rule does, where no udev runs.

    libvirt probes QEMU again at every look-up, 4 s each, while it could open /dev/kvm itself and
    QEMU's user may not.
    """
    device = Path("/dev/kvm")
    try:
        group = grp.getgrnam("kvm").gr_gid
        if device.stat().st_gid != group:
            os.chown(device, 0, group)
            device.chmod(0o660)
    except (KeyError, FileNotFoundError):
        return  # No such group, or no such device: then QEMU's user is refused nothing.


def alive(pid: int) -> bool:
    """Whether the process runs: neither gone nor waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# The first process of the private daemon's namespaces: it collects orphans and waits for its end.
_FIRST = """
import signal, subprocess, sys
subprocess.run(["sh", "-eu", "-c", sys.argv[1], "sh", *sys.argv[2:]], check=True)
print("ready", flush=True)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    signal.pause()
"""

# Empty folders over libvirt's own, so that the two daemons share nothing they could fight for.
_SET_UP = """
folder=$1 name=$2
mount --make-rprivate /
cp -a /etc/libvirt/. "$folder/etc"
# Neither the machine's own domains nor its networks and pools come up here.
for gone in qemu/*.xml qemu/autostart qemu/networks/autostart storage/autostart; do
    rm -rf "$folder/etc"/$gone
done
{ printf 'host_uuid = "%s"\n' "$3"; cat "$folder/etc/more.conf"; } >>"$folder/etc/libvirtd.conf"
# Both would use the same cgroup paths, and change the owners of the same files.
printf 'cgroup_controllers = [%s]\nuser = "root"\ngroup = "root"\n' "$4" \
    >>"$folder/etc/qemu.conf"
printf 'dynamic_ownership = 0\nremember_owner = 0\nsecurity_driver = "none"\n' \
    >>"$folder/etc/qemu.conf"
for pair in run:/run/libvirt etc:/etc/libvirt lib:/var/lib/libvirt log:/var/log/libvirt \
    cache:/var/cache/libvirt; do
    mkdir -p "${pair#*:}"
    mount --bind "$folder/${pair%%:*}" "${pair#*:}"
done
mkdir -p /run/lock
mount -t tmpfs tmpfs /run/lock
if [ -d "$folder/over" ]; then
    (cd "$folder/over" && find . -type f) | while read -r file; do
        mount --bind "$folder/over/$file" "/$file"
    done
fi
hostname "$name"
virtlogd -d -p /run/libvirt/virtlogd.pid
"""
_BOOT = """
rm -rf /run/libvirt/* /run/lock/*
virtlogd -d -p /run/libvirt/virtlogd.pid
"""


class PrivateLibvirtd:
    """A libvirtd in namespaces of its own: a second host on this machine.

    It may be killed, stopped and started as a test likes; the guests in it survive the daemon
    and end with ``stop``. Use it as a context manager, or call ``stop``.
    """

    def __init__(
        self,
        name: str = "private",
        *,
        settings: str = "",
        files: Mapping[str, str] | None = None,
        listen: bool = False,
        cgroups: Sequence[str] = (),
    ) -> None:
        """``settings`` are lines of libvirtd.conf; ``listen``: to TLS and TCP, as those say.

        ``cgroups`` are the controllers that its guests come under, as ``cpuacct``: their names must
        not be those of another daemon's guests then.

        ``files`` are seen in the place of the machine's own, by path.
        """
        need_root()
        need_programs("libvirtd", "virtlogd", "unshare", "nsenter", "setpriv", "python3")
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix=f"tuivirtd-{name}-", dir="/tmp"))
        self.folder.chmod(0o755)
        for part in ("run", "etc", "lib", "log", "cache"):
            (self.folder / part).mkdir()
        (self.folder / "etc" / "more.conf").write_text(settings)
        for path, text in (files or {}).items():
            over = self.folder / "over" / path.lstrip("/")
            over.parent.mkdir(parents=True, exist_ok=True)
            over.write_text(text)
            over.chmod(0o755)  # It may be in the place of a program.
        self._listen = ["--listen"] if listen else []
        self.uri = f"qemu+unix:///system?socket={self.folder / 'run' / 'libvirt-sock'}"
        self.pid: int | None = None
        """libvirtd's process as this machine numbers it; None while it is not running."""
        # Nothing of it outlives this process, however that ends.
        argv = ["setpriv", "--pdeathsig", "KILL", "unshare", "-m", "-u", "-p", "-C", "--fork"]
        argv += ["--kill-child=KILL", "--mount-proc", "python3", "-c", _FIRST]
        argv += [_SET_UP, str(self.folder), name, str(uuid.uuid4())]
        argv.append(", ".join(f'"{each}"' for each in cgroups))
        pipe = subprocess.PIPE
        self._outer = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
        )
        try:
            assert self._outer.stdout is not None
            if self._outer.stdout.readline() != "ready\n":
                _out, errors = self._outer.communicate()
                missing(f"no private libvirtd here: {errors.strip()}")
            self.start()
        except BaseException:
            self.stop()
            raise

    def _children(self) -> list[int]:
        path = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        try:
            return [int(word) for word in path.read_text().split()]
        except FileNotFoundError:
            return []

    @property
    def _first(self) -> int:
        """The first process in the namespaces."""
        return self._children()[0]

    def start(self) -> None:
        """Start the daemon (again); it answers when this returns."""
        argv = ["nsenter", "-t", str(self._first), "-m", "-u", "-p", "-C"]
        argv += ["libvirtd", "-d", "-p", "/run/libvirt/test.pid", *self._listen]
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode:
            log = self.folder / "log" / "libvirtd.log"
            text = log.read_text()[-2000:] if log.exists() else ""
            raise RuntimeError(f"private libvirtd did not start: {done.stderr}{text}")
        self.pid = self._outer_pid(int((self.folder / "run" / "test.pid").read_text()))
        until(lambda: not answers(self.uri), f"{self.uri} answers")

    def _inside(self) -> Iterator[tuple[int, int]]:
        """The processes in there, as this machine numbers them and as they are numbered there."""
        space = os.readlink(f"/proc/{self._first}/ns/pid")
        for entry in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError):
                if os.readlink(entry.parent / "ns/pid") != space:
                    continue
                numbers = entry.read_text().split("NSpid:", 1)[1].split("\n", 1)[0].split()
                yield int(numbers[0]), int(numbers[-1])

    def _outer_pid(self, inner: int) -> int:
        """The process that is numbered ``inner`` in there."""
        for outer, number in self._inside():
            if number == inner:
                return outer
        raise RuntimeError(f"process {inner} of the private libvirtd is gone")

    def _signal(self, number: signal.Signals) -> int:
        if self.pid is None:
            raise RuntimeError("the private libvirtd does not run")
        os.kill(self.pid, number)
        return self.pid

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Kill the daemon, as a crash does; its guests go on. Returns when it is gone."""
        pid = self._signal(number)
        self.pid = None
        until(lambda: not alive(pid), "the private libvirtd ends")
        self._clear()

    def revive(self) -> bool:
        """Start it again if it has crashed by itself; whether it had."""
        if self.pid is None or alive(self.pid):
            return False
        self.pid = None
        self._clear()
        self.start()
        return True

    def _clear(self) -> None:
        """Take away what a killed daemon leaves behind."""
        for name in ("libvirt-sock", "libvirt-sock-ro", "libvirt-admin-sock", "test.pid"):
            (self.folder / "run" / name).unlink(missing_ok=True)

    def sigstop(self) -> None:
        """Let the daemon stop answering, with its connections open."""
        self._signal(signal.SIGSTOP)

    def sigcont(self) -> None:
        """Let it answer again."""
        self._signal(signal.SIGCONT)

    @property
    def alive(self) -> bool:
        """Whether the daemon runs."""
        return self.pid is not None and alive(self.pid)

    def restart(self) -> None:
        """Kill it and start it again."""
        if self.pid is not None:
            self.kill()
        self.start()

    def power_off(self) -> None:
        """End the daemon and all its guests at once, as a host does that loses its power."""
        self.pid = None
        ended = [outer for outer, inner in self._inside() if inner != 1]
        for pid in ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not any(map(alive, ended)), "all that ran on the host has ended")

    def power_on(self) -> None:
        """Start it again as a host that has booted: nothing of what is running is kept."""
        argv = ["nsenter", "-t", str(self._first), "-m", "-u", "-p", "-C", "sh", "-eu", "-c"]
        subprocess.run([*argv, _BOOT], check=True)
        self.start()

    def stop(self) -> None:
        """End the daemon, all guests in it and all that it wrote."""
        if self in _private:
            _private.remove(self)
        self.pid = None
        first = self._children()
        self._outer.kill()  # The namespaces' first process dies with it, and all others with that.
        self._outer.wait()
        until(lambda: not any(map(alive, first)), "the private libvirtd's processes end")
        for end in (self._outer.stdout, self._outer.stderr):
            if end is not None:
                end.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> PrivateLibvirtd:
        _private.append(self)
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()
