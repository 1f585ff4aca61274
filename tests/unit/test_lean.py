"""The screen is started without what it never uses, and without what only a later wish needs."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

ASYNCIO = """
import sys
from tuivirt import lean
lean.import_asyncio()
print("ssl" in sys.modules, "_ssl" in sys.modules)
import asyncio, ssl
print(asyncio.run(asyncio.sleep(0, "runs")), ssl.create_default_context().verify_mode.name)
"""

LIBVIRT = """
import sys, typing
from tuivirt.backend import bindings
bindings.load()
import libvirt
print(sys.modules["typing"] is typing, libvirt.open("test:///default").numOfDomains())
"""

HEAP = """
import threading
from tuivirt import lean
lean.share_one_heap()
def fill(): print(len([bytes(600) for _ in range(1000)]))
thread = threading.Thread(target=fill)
thread.start()
thread.join()
"""

MARKS = """
import sys
from tuivirt.widgets import text
print(text.width_of("web-01" + text._MARKS) == 6 + len(text._MARKS))
print(any(name.startswith("rich._unicode_data.unicode") for name in sys.modules))
from rich.cells import cell_len
print([mark for mark in text._MARKS if cell_len(mark) != 1])
"""

COLLECTED = """
import gc
from tuivirt import lean
lean.collect_start()
kept = [[n] for n in range(5000)]
gc.collect()
print(gc.get_count()[2], len(gc.get_objects(generation=2)) < 5000)
circle = []
circle.append(circle)
here = gc.get_freeze_count()
growth = lean.Growth()
growth.look()
print(gc.get_freeze_count() > 0)
gc.collect()
del circle
growth.look()
before = gc.get_freeze_count()
kept = [[[n], [n]] for n in range(5 * before)]
growth.look()
print(gc.get_freeze_count() > 2 * before)
"""

MANY = """
import gc, weakref
from tuivirt import lean
class Thing: pass
def circle():
    one = Thing()
    one.itself = one
    return weakref.ref(one)
lean.collect_start()
lean.MANY, lean.FRESH = gc.get_freeze_count() // 2, 2000
typing = [0.0]
growth = lean.Growth(lambda: 60.0 - 60.0 * typing[0])
gc.collect()
print(gc.isenabled())
growth.look()
lost = circle()
growth.look()
print(lost() is None)
kept = [[n] for n in range(3000)]
typing[0] = 1
growth.look()
print(lost() is None)
for _ in range(lean.MOST_PUT_OFF):
    growth.look()
typing[0] = 0
print(lost() is None, gc.isenabled())
found = Thing()
found.itself, lost = found, weakref.ref(found)
gc.freeze()
del found
more = [[n] for n in range(2 * gc.get_freeze_count())]
growth.look_at_few()
print(lost() is None)
growth.look()
print(lost() is None)
growth.look()
lean.MANY = 10**9
growth.expect()
growth.look()
print(gc.isenabled())
"""

TYPING = """
import gc, weakref
from tuivirt import lean
class Thing: pass
lean.collect_start()
growth = lean.Growth(lambda: 0.0)
growth.look_at_few()
one = Thing()
one.itself, lost = one, weakref.ref(one)
gc.collect()
del one
kept = [[n] for n in range(gc.get_freeze_count() // 4)]
gc.collect()
print(lost() is None)
growth.look_at_few()
print(lost() is None, gc.isenabled())
"""

START = """
import sys
from textual.app import App
from tuivirt.cli import main

def look(app):
    app.get_default_screen()
    print(*sys.modules, file=sys.stderr)

App.run = look
main(["-c", "test:///default"])
"""

AT_START = {
    "actions": "catalog devices disk_options disks domains errors field_options happenings here"
    " hostdevs mdevs networks plans pools processors registry runner template views advice whose",
    "backend": "askable bindings board configs connection cut_off errors eventloop events families"
    " host hoststats info inventory keeper known lanes leases opening plan rates sampler settling"
    " silence spread standing ticker traffic turns uri uses view",
    "backend.model": "device domain fleet host record ref resources stats task when",
    "commands": "output stdout words",
    "screens": "base consoling domain_columns domains empty lending painting pausing rooms telling",
    "widgets": "columns command_bar compositing edit filtering footer header key_order line"
    " live_table piece rows sparkline table_lines text tones",
    "": "actions app backend cli commands ending inbox lean logfile screens settings widgets"
    " wiring",
}
"""What the list of domains is drawn with. Each further module costs 20 to 100 KiB and a bit of the
start: is it not for a wish that comes later, and imported there?"""
IN_THE_BACKGROUND = tuple(
    f"tuivirt.backend.{n}" for n in ("xml", "model.machine", "model.twins", "here", "marks")
)
"""What reads the domains' configurations and looks for what was cut off, behind the picture."""
OF_OTHERS = {"argparse", "lxml", "psutil", "shlex"}


def _said(script: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return ran.stdout.splitlines()


def test_the_programs_own_marks_are_measured_without_a_table_and_right() -> None:
    assert _said(MARKS) == ["True", "False", "[]"]


def test_what_stays_is_looked_through_once_and_again_when_there_is_much_more_of_it() -> None:
    assert _said(COLLECTED) == ["0 True", "True", "True"]


def test_where_there_is_much_garbage_is_looked_for_when_nobody_types() -> None:
    assert _said(MANY) == ["False", "False", "False", "True False", "False", "True", "True"]


def test_where_few_are_watched_garbage_is_found_while_somebody_types_too() -> None:
    assert _said(TYPING) == ["False", "True True"]


def test_asyncio_is_there_without_tls_which_whoever_wants_it_still_gets() -> None:
    assert _said(ASYNCIO) == ["False False", "runs CERT_REQUIRED"]


def test_libvirt_is_there_and_typing_is_as_it_was() -> None:
    assert _said(LIBVIRT) == ["True 1"]


def test_threads_allocate_from_the_one_heap_as_from_their_own() -> None:
    assert _said(HEAP) == ["1000"]


def test_the_first_picture_needs_these_modules_and_no_others() -> None:
    ours, theirs = pty.openpty()
    try:
        argv = [sys.executable, "-c", START]
        ran = subprocess.run(
            argv, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, check=True, timeout=60
        )
    finally:
        os.close(ours)
        os.close(theirs)
    loaded = set(ran.stderr.decode().split())
    expected = {"tuivirt", "tuivirt.backend.model"}
    for room, names in AT_START.items():
        expected |= {".".join(filter(None, ("tuivirt", room, name))) for name in names.split()}
    mine = {name for name in loaded if name.partition(".")[0] == "tuivirt"}
    assert {name for name in mine - expected if not name.startswith(IN_THE_BACKGROUND)} == set()
    assert expected - mine == set(), "list what is there, or nobody sees what comes back"
    assert loaded & OF_OTHERS == set()
