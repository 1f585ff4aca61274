"""A host that loses its power and comes back with other guests: stale meanwhile, then true."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.e2e.operator import PANE, PROMPT, Operator
from tests.support.guests import Guest, domain_xml, idle_guest
from tests.support.libvirtd import PrivateLibvirtd

Sit = Callable[..., Operator]


def test_a_host_that_reboots_is_stale_with_its_age_then_true_and_consoles_come_back(
    operator: Sit, daemon: PrivateLibvirtd, images: Path
) -> None:
    comes = Guest.define(daemon.uri, domain_xml("comes"))
    comes.boot().close()
    comes.serials[0].close()
    comes.domain.setAutostart(1)
    for name in ("rests", "goes"):
        idle_guest(daemon.uri, images, name).conn.close()
    comes.conn.close()

    at = operator("-c", daemon.uri, size=(160, 50))
    for name in ("rests", "goes"):
        at.pick(name)
        at.press("c")
        at.sees(PANE)
        at.sees(rf"\[{name} serial0\]")
        at.leave_pane()
    at.pick("comes")
    at.open_pane()
    at.type("clear; echo before >/tmp/boot; echo kept $((40 + 2))")
    at.press("Enter")
    at.sees("^kept 42")

    daemon.power_off()
    at.sees("connection lost: |the host is not connected, waiting for it")
    tabs = at.sees(r"^ .*\[comes serial0 \(host away\)\].*")[0]
    for name in ("rests", "goes"):
        assert f"{name} serial0 (host away)" in tabs
    assert at.now("^kept 42"), "what was printed is kept"
    at.type("lost")
    at.sees("not sent: the host is not connected")
    at.leave_pane()
    at.type("/")
    at.press("C-u", "Enter")
    at.sees("Domains 3 of 3")
    at.press("N", "g")
    at.sees(r"connection lost, next try in \d+ s")
    first = int(at.sees(r"^▌ +stalled +comes +(\d+) s ago")[1])
    for name in ("rests", "goes"):
        assert at.now(rf"stalled +{name} +\d+ s ago")
    # Keys are answered, and the age is counted on.
    at.press("j")
    at.sees(r"^▌ +stalled +goes")
    at.press("Enter")
    at.sees("goes +stalled")
    at.press("Escape")
    at.sees(rf"stalled +comes +(?!{first} s)\d+ s ago")

    (daemon.folder / "etc" / "qemu" / "goes.xml").unlink()
    daemon.power_on()
    at.sees(r"run +comes")
    at.sees(r"off +rests")
    at.sees("Domains 2 of 2")
    at.sees("↻ 2 s")
    assert not at.now("connection lost|stalled|goes")
    # Events are heard on the new line.
    with closing(Guest.define(daemon.uri, domain_xml("new", kernel=False)).conn):
        at.sees(r"off +new")

    at.press("g", "c")
    tabs = at.sees(r"^ .*\[comes serial0\].*")[0]
    assert "rests serial0 (off)" in tabs
    assert "goes serial0 (closed)" in tabs
    at.prompt()
    at.type("clear; ls /tmp/boot; echo back $((40 + 3))")
    at.press("Enter")
    at.sees(rf"No such file.*\nback 43\n{PROMPT}$")
    assert not re.search("lost", at.text), "nothing that was typed meanwhile is sent later"
