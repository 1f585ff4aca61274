"""A console goes along with a guest that is migrated to another of the operator's hosts."""

from __future__ import annotations

from collections.abc import Callable

import libvirt

from tests.e2e.operator import PROMPT, Operator
from tests.support.guests import Guest
from tests.support.libvirtd import PrivateLibvirtd

Sit = Callable[..., Operator]

LIVE = (
    libvirt.VIR_MIGRATE_LIVE
    | libvirt.VIR_MIGRATE_UNSAFE  # It has no disk that could be written to twice.
    | libvirt.VIR_MIGRATE_PERSIST_DEST
    | libvirt.VIR_MIGRATE_UNDEFINE_SOURCE
)


def test_a_console_goes_on_where_its_guest_was_migrated_to(
    operator: Sit, define: Callable[..., Guest], private_libvirtd: PrivateLibvirtd
) -> None:
    guest = define()
    guest.boot().close()
    at = operator("-c", guest.uri, "-c", private_libvirtd.uri)
    at.pick(guest.name)
    at.open_pane()
    at.type("clear; cd /tmp; echo kept $((40 + 2))")
    at.press("Enter")
    at.sees("kept 42")
    there = libvirt.open(private_libvirtd.uri)
    moved = guest.domain.migrate3(there, {"migrate_uri": "tcp://127.0.0.1"}, LIVE)
    try:
        at.sees("runs on .+ now; its console goes on there")
        at.type("pwd; echo moved $((40 + 3))")
        at.press("Enter")
        at.sees(rf"^/tmp\nmoved 43\n{PROMPT}$")
        assert at.now("kept 42")
    finally:
        moved.destroy()
        moved.undefine()
        there.close()
