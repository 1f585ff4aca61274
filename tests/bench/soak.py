"""The program kept busy for minutes while everything beneath it fails: ``script/bench --soak``.

Each round a fault begins (the daemon is killed, stopped, started anew; the line is cut, at once or
in the middle of an answer, or gets slow), somebody works on, the fault ends, and then the list has
to be libvirt's own, and a key answered.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import libvirt

from tests.bench.figure import Figure, bounded, say
from tests.bench.process import memory_kib
from tests.bench.proxy import CountingProxy
from tests.e2e.operator import PANE, Operator
from tests.support.guests import PREFIX, domain_xml, idle_guest, image_folder, make_image
from tests.support.libvirtd import PrivateLibvirtd
from tests.support.tmux import TUIVIRT, Terminal
from tuivirt.screens.rooms import ROOMS

GUESTS = 4
TRUE_WITHIN_S = 60.0
"""For how long the truth is waited for; a try to connect may be due as late as 39 s from now."""
STALLED, SILENT_S = "stalled…", 10.0
FILTERED = r"^ Domains \d+ of \d+ .*  /"
LONG_S = 8.0
"""From when on it is told what took so long."""
KEY_WITHIN_S = 10.0
WORDS = {
    libvirt.VIR_DOMAIN_RUNNING: "run",
    libvirt.VIR_DOMAIN_PAUSED: "paused",
    libvirt.VIR_DOMAIN_SHUTDOWN: "stopping",
    libvirt.VIR_DOMAIN_SHUTOFF: "off",
    libvirt.VIR_DOMAIN_CRASHED: "crashed",
}
"""How the list calls what libvirt calls so."""
MEMORY_GROWS_MOST, OPEN_MORE_MOST = 1.05, 3
WARM_UP = 1 / 4


@dataclass(frozen=True, slots=True)
class Sample:
    """What the program holds, between two rounds."""

    minute: float
    memory_kib: int
    files: int
    threads: int


@dataclass(slots=True)
class Report:
    """What a soak found."""

    seed: int
    rounds: int = 0
    true_after_s: list[float] = field(default_factory=list)
    """From the end of each round's fault until the list was libvirt's own."""
    key_s: list[float] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    crashes: int = 0
    """Of libvirtd 9.0 over a client that is gone while it has calls under way: started again."""
    defects: str = ""
    """What the program's own log says."""

    def figures(self) -> Iterator[Figure]:
        """As the bench's lines."""
        told = f"seed {self.seed}, {self.rounds} rounds, p50 {statistics.median(self.key_s):.2f} s"
        yield bounded("soak: a key answered, at worst", max(self.key_s), "s", KEY_WITHIN_S, told)
        told = f"p50 {statistics.median(self.true_after_s):.2f} s, back-off included"
        worst = max(self.true_after_s)
        yield bounded("soak: list true after a fault, at worst", worst, "s", TRUE_WITHIN_S, told)
        first, last = self._thirds()
        memory = [statistics.median(each.memory_kib for each in part) for part in (first, last)]
        told = f"last third to first: {memory[1] / 1024:.1f} MiB, {memory[0] / 1024:.1f} MiB"
        yield bounded(
            "soak: resident memory", memory[1] / memory[0], "times", MEMORY_GROWS_MOST, told
        )
        for name in ("files", "threads"):
            low, high = (
                statistics.median(getattr(e, name) for e in part) for part in (first, last)
            )
            told = f"last third to first: {high:g}, {low:g}"
            yield bounded(f"soak: {name} more than before", high - low, name, OPEN_MORE_MOST, told)
        yield Figure(
            "soak: crashes of libvirtd itself", self.crashes, "", "its own defect", None, "", True
        )
        tracebacks = self.defects.count("Traceback")
        yield Figure(
            "soak: defects in the log", tracebacks, "", "the target", None, "0", not self.defects
        )

    def _thirds(self) -> tuple[Sequence[Sample], Sequence[Sample]]:
        settled = self.samples[int(len(self.samples) * WARM_UP) :]
        third = max(1, len(settled) // 3)
        return settled[:third], settled[-third:]


class Soak:
    """One daemon with some guests, one line to it, one program on that."""

    def __init__(self, seed: int) -> None:
        self.report = Report(seed)
        self._dice = random.Random(seed)
        self._stack = contextlib.ExitStack()
        self._names: list[str] = []
        self._more: list[str] = []
        """Domains that come and go."""
        self._is_stopped = False
        with contextlib.ExitStack() as stack:
            self.daemon = stack.enter_context(PrivateLibvirtd("soak"))
            self.images = stack.enter_context(image_folder())
            for number in range(GUESTS):
                name = f"{PREFIX}soak-{number}"
                idle_guest(self.daemon.uri, self.images, name, start=number > 0).conn.close()
                self._names.append(name)
            _make_pool(self.daemon.uri, self.images)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
            socket = Path(self.daemon.uri.partition("socket=")[2])
            self.line = stack.enter_context(CountingProxy(folder / "line", socket))
            uri = f"qemu+unix:///system?socket={folder / 'line'}"
            self.terminal = stack.enter_context(Terminal(160, 50, [*TUIVIRT, "-c", uri]))
            self.at = Operator(self.terminal)
            self._stack = stack.pop_all()
        self.at.sees(f"Domains {GUESTS} of {GUESTS}")

    def close(self) -> None:
        """End all of it."""
        self._stack.close()

    def __enter__(self) -> Soak:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    # -- rounds -------------------------------------------------------------------------------

    def run(self, seconds: float, rounds: int = 0) -> Report:
        """Go on for so long, and for so many rounds at least. Raises AssertionError.

        What was done last, and the seed, are in its message.
        """
        began = told = time.monotonic()
        report = self.report
        while (now := time.monotonic()) < began + seconds or report.rounds < rounds:
            self._round()
            report.rounds += 1
            report.samples.append(self._sample((time.monotonic() - began) / 60))
            if now - told > 60:
                told = now
                say(f"round {report.rounds}: {report.samples[-1]}")
        report.defects = self._log()
        return report

    def _round(self) -> None:
        fault = self._dice.choice(self._faults())
        wishes = [self._dice.choice(self._wishes()) for _ in range(self._dice.randint(1, 3))]
        try:
            self._revive()
            end = fault()
            for wish in wishes:
                wish()
            end()
            ended = time.monotonic()
            self._go_home()
            self._true()
            took = time.monotonic() - ended
            self.report.true_after_s.append(took)
            if took > LONG_S:
                did = ", ".join(each.__name__ for each in (fault, *wishes))
                say(f"round {self.report.rounds}: true {took:.1f} s after {did}")
        except (AssertionError, libvirt.libvirtError) as error:
            did = ", ".join(each.__name__ for each in (fault, *wishes))
            where = f"seed {self.report.seed}, round {self.report.rounds}: {did}"
            raise AssertionError(f"{where}: {error}\n{self.at.text}\n{self._log()}") from error

    def _revive(self) -> None:
        if self.daemon.revive():
            self.report.crashes += 1
            say(f"round {self.report.rounds}: libvirtd crashed, and was started again")

    def _sample(self, minute: float) -> Sample:
        pid = self.terminal.pid
        # Which of its pages are shared with others is not the program's doing.
        return Sample(
            round(minute, 2),
            memory_kib(pid, "Anonymous"),
            len(os.listdir(f"/proc/{pid}/fd")),
            len(os.listdir(f"/proc/{pid}/task")),
        )

    def _log(self) -> str:
        path = self.terminal.folder / "STATE" / "tuivirt" / "tuivirt.log"
        return path.read_text() if path.exists() else ""

    # -- faults: each begins one and gives what ends it -----------------------------------------

    def _faults(self) -> list[Callable[[], Callable[[], None]]]:
        return [
            self._nothing,
            self._killed,
            self._stopped,
            self._restarted,
            self._cut,
            self._cut_in_an_answer,
            self._slow,
            self._flapping,
        ]

    def _nothing(self) -> Callable[[], None]:
        return lambda: None

    def _killed(self) -> Callable[[], None]:
        self.daemon.kill()
        return self.daemon.start

    def _stopped(self) -> Callable[[], None]:
        self._is_stopped = True
        self.daemon.sigstop()
        return self._goes_on

    def _goes_on(self) -> None:
        self.daemon.sigcont()
        self._is_stopped = False

    def _restarted(self) -> Callable[[], None]:
        self.daemon.restart()
        return lambda: None

    def _cut(self) -> Callable[[], None]:
        self.line.cut()
        return self.line.cut

    def _cut_in_an_answer(self) -> Callable[[], None]:
        self.line.cut_in = self._dice.randint(1, 20_000)
        return self._line_is_good

    def _slow(self) -> Callable[[], None]:
        self.line.delay_s = self._dice.uniform(0.01, 0.25)
        return self._line_is_good

    def _flapping(self) -> Callable[[], None]:
        for _ in range(3):
            self.line.cut()
            time.sleep(self._dice.uniform(0, 1))
        return self.line.cut

    def _line_is_good(self) -> None:
        self.line.delay_s, self.line.cut_in = 0.0, None
        self.line.count_anew()

    # -- what somebody does meanwhile -----------------------------------------------------------

    def _wishes(self) -> list[Callable[[], None]]:
        return [
            self._walk,
            self._look_at_one,
            self._start,
            self._force_off,
            self._suspend,
            self._resume,
            self._attach,
            self._detach,
            self._console,
            self._others_do_something,
            self._others_do_something,
            self._resize,
            self._refresh,
        ]

    def _walk(self) -> None:
        for room in self._dice.sample(ROOMS, 3):
            self._go_home()
            self.at.go_to(room.word)
            self.at.press("j", "j", "k", "G", "g")

    def _look_at_one(self) -> None:
        self._pick()
        self.at.press("Enter")
        self.at.press(*(["Tab", "Right"] * self._dice.randint(0, 4)), "j", "k")
        self._alive()

    def _start(self) -> None:
        self._pick()
        self.at.press("s")

    def _force_off(self) -> None:
        self._pick()
        self.at.press("C-k")
        time.sleep(0.7)  # The question takes no key that comes at once.
        self.at.press("y")

    def _suspend(self) -> None:
        self._pick()
        self.at.press("p")

    def _resume(self) -> None:
        self._pick()
        self.at.press("u")

    def _attach(self) -> None:
        name = self._pick()
        image = self.images / f"{name}-more.img"
        if not image.exists():
            make_image(image, "1M", "qcow2")
        self.at.press("+")
        time.sleep(0.3)
        if self.at.now("─ Attach a disk: "):
            self.at.type(str(image))
            self.at.press("Tab")
            self.at.type("vdb")
            self.at.press("C-s")

    def _detach(self) -> None:
        self._pick()
        self.at.press("-")
        time.sleep(0.3)
        if self.at.now("─ Detach a disk: "):
            self.at.type("vdb")
            self.at.press("Tab", "Tab", "Tab")
            time.sleep(0.7)
            self.at.press("Enter")

    def _console(self) -> None:
        self._pick()
        self.at.press("c")
        time.sleep(self._dice.uniform(0.1, 1.5))
        if self.at.now(PANE):
            self.at.press("Enter")

    def _resize(self) -> None:
        self.terminal.resize(*self._dice.choice([(80, 24), (160, 50), (120, 30)]))

    def _refresh(self) -> None:
        self.at.press("C-r")

    def _others_do_something(self) -> None:
        """Somebody else, on a connection of their own; where there is no daemon, nobody."""
        if self.daemon.pid is None or self._is_stopped:
            return
        self._revive()
        conn = libvirt.open(self.daemon.uri)
        try:
            if self._more and self._dice.random() < 0.5:
                conn.lookupByName(self._more.pop()).undefine()
            elif len(self._more) < 4:
                name = f"{PREFIX}soak-more-{self._dice.randint(0, 10**6)}"
                conn.defineXML(domain_xml(name, memory_mib=24, kernel=False))
                self._more.append(name)
            domain = conn.lookupByName(self._dice.choice(self._names))
            with contextlib.suppress(libvirt.libvirtError):  # As it is, it may not be possible.
                self._dice.choice([domain.create, domain.destroy, domain.suspend])()
        finally:
            conn.close()

    # -- what must be so ------------------------------------------------------------------------

    def _alive(self) -> None:
        """Whatever is open, keys lead out of it and are answered."""
        self._go_home()

    def _pick(self) -> str:
        """One of the guests that stay, alone in the list and under the cursor."""
        self._go_home()
        name = self._dice.choice(self._names)
        self.at.pick(name)
        return name

    def _go_home(self) -> None:
        """To the whole list of domains, from wherever this is."""
        deadline = time.monotonic() + KEY_WITHIN_S * 3
        while True:
            if self.at.now(PANE):
                self.at.press("C-]", "C-]")
            else:
                self.at.press("Escape")
            time.sleep(0.1)
            self.at.press(":")
            if self._shows_prompt():
                break
            if time.monotonic() > deadline:
                raise AssertionError("no key leads back to the list")
        self.at.type("domains")
        self.at.press("Enter")
        self.at.sees(r"^ Domains \d+ of \d+")
        if self.at.now(FILTERED):
            self.at.press("Escape")
            self.at.sees_no(FILTERED)
        began = time.monotonic()
        self.at.press("?")
        self.at.sees("Every domain", KEY_WITHIN_S)
        self.report.key_s.append(time.monotonic() - began)
        # Seen to be taken, or it and the next key would be one with Alt.
        self.at.press("Escape")
        self.at.sees(r"^ Domains \d+ of \d+")

    def _shows_prompt(self) -> bool:
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            if self.at.now(r"^ :(?! go to)"):
                return True
            time.sleep(0.03)
        return False

    def _true(self) -> None:
        """The list has the names and states that libvirt has."""
        self.terminal.resize(160, 50)
        self._revive()
        conn = libvirt.open(self.daemon.uri)
        deadline = time.monotonic() + TRUE_WITHIN_S
        try:
            while True:
                there = {dom.name(): WORDS[dom.state()[0]] for dom in conn.listAllDomains()}
                text = self.at.text
                words = _rows(text)
                if words == there and f"Domains {len(there)} of {len(there)}" in text:
                    return
                if time.monotonic() > deadline:
                    stalled = {name for name, word in words.items() if word == STALLED}
                    silent = {name for name in stalled if self._is_silent(name)}
                    if silent and words == there | dict.fromkeys(silent, STALLED):
                        say(f"libvirt has no figures of {sorted(silent)} either")
                        return
                    raise AssertionError(
                        f"the list says {words}, libvirt {there}, silent to virsh: {silent}"
                    )
                time.sleep(0.1)  # tmux tells no one of a change.
        finally:
            conn.close()

    def _is_silent(self, name: str) -> bool:
        """Whether libvirt itself gets no figures of a domain from its QEMU."""
        argv = ["virsh", "-c", self.daemon.uri, "domstats", name, "--balloon", "--nowait"]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=SILENT_S)
        except subprocess.TimeoutExpired:
            return True
        return "balloon.rss" not in done.stdout


def _rows(text: str) -> dict[str, str]:
    """The state of each row of the list, by name."""
    return {
        name: word
        for word, name in re.findall(rf"^[▌ ] +(\w+…?)(?: +↯)? +({PREFIX}\S+)", text, re.M)
    }


def _make_pool(uri: str, folder: Path) -> None:
    """Images in a pool are of a form that libvirt knows; that of others has to be given."""
    conn = libvirt.open(uri)
    conn.storagePoolCreateXML(
        f"<pool type='dir'><name>soak</name><target><path>{folder}</path></target></pool>", 0
    )
    conn.close()


def measure(minutes: float, seed: int) -> Iterator[Figure]:
    """The long form."""
    say(f"soaking for {minutes:g} minutes, --seed {seed}")
    with Soak(seed) as soak:
        yield from soak.run(minutes * 60).figures()
