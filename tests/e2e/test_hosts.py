"""An operator who adds a host while the program runs, and takes it away again."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

from tests.e2e.operator import Operator
from tests.support.guests import Guest, domain_xml, unique_name
from tests.support.libvirtd import PrivateLibvirtd

SETTINGS = '# mine\n\n[[hosts]]\nname = "demo"\nuri = "demo:///?life=0"   # not real\n'


def test_a_host_is_added_by_keys_watched_disconnected_and_removed(
    operator: Callable[..., Operator],
    daemon: PrivateLibvirtd,
    size: tuple[int, int],
    tmp_path: Path,
) -> None:
    file = tmp_path / "tuivirt/config.toml"
    file.parent.mkdir()
    file.write_text(SETTINGS)
    name = unique_name("added")
    with Guest.define(daemon.uri, domain_xml(name)):
        at = operator(size=size, env={"XDG_CONFIG_HOME": str(tmp_path)})
        at.go_to("hosts")
        at.sees(r"^▌? *connected +demo")
        at.press("+")
        at.sees("Add a host")
        at.type("second")
        at.press("Tab")
        at.type(daemon.uri)
        at.press("Tab")
        at.type("lab")
        at.press("C-s")
        at.sees_no("Add a host")
        at.sees(r"connected +second .*1 off")
        at.sees(r"^ 2/2 up")
        kept = tomllib.loads(file.read_text())["hosts"]
        assert kept[1] == {"name": "second", "uri": daemon.uri, "group": "lab"}
        assert file.read_text().startswith(SETTINGS)

        at.go_to("domains")
        at.pick(name)
        at.press("Escape")
        at.go_to("hosts")
        at.type("/second")
        at.press("Enter")
        at.sees("Hosts 1 of 2")
        at.press("t")
        at.sees("second answers: QEMU")
        at.press("d")
        at.sees(r"closed +second")
        at.press("c")
        at.sees("second is connected: 1 domain")
        at.press("C-d")
        at.answer("Remove second from the hosts", "y")
        at.sees("second was removed from the hosts")
        assert file.read_text() == SETTINGS
