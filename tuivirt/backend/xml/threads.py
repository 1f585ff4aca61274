"""By what two configurations' threads are compared: pins, topology, I/O threads."""

from __future__ import annotations

from collections.abc import Iterator

from .tree import Element

Facts = tuple[tuple[str, str], ...]
"""What each is called, and what is said of it."""

_PINS = (
    ("vcpupin", "vcpu", "pin of vCPU"),
    ("emulatorpin", "", "pin of the emulator"),
    ("iothreadpin", "iothread", "pin of I/O thread"),
)
_PARTS = ("sockets", "dies", "clusters", "cores", "threads")
TOPOLOGY = "topology"
IO_THREAD = "I/O thread"


def thread_facts(root: Element) -> Facts:
    """Those of a ``<domain>``, in its order."""
    return tuple(_facts(root))


def _facts(root: Element) -> Iterator[tuple[str, str]]:
    topology = root.find("cpu/topology")
    if topology is not None:
        said = {part: topology.get(part, "1") for part in _PARTS}
        shown = [n for part, n in said.items() if n != "1" or part not in ("dies", "clusters")]
        yield TOPOLOGY, " × ".join(shown)
    tune = root.find("cputune")
    for tag, named, words in _PINS if tune is not None else ():
        for pin in tune.iterfind(tag):
            number = f" {pin.get(named, '')}" if named else ""
            yield f"{words}{number}", pin.get("cpuset", "")
    for thread in root.iterfind("iothreadids/iothread"):
        yield f"{IO_THREAD} {thread.get('id', '')}", ""


def differences(live: Facts, saved: Facts) -> Iterator[str]:
    """What the next boot changes of them, one phrase each."""
    now, later = dict(live), dict(saved)
    for name in (*now, *(name for name in later if name not in now)):
        before, after = now.get(name), later.get(name)
        if before == after:
            continue
        if name.startswith(IO_THREAD):
            yield f"new {name}" if before is None else f"{name} goes"
            continue
        none = "default" if name == TOPOLOGY else "any"
        yield f"{name}: {before or none} → {after or none}"
