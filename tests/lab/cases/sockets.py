"""A socket between a guest and its host, which needs the host kernel's help (vhost_vsock)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import libvirt

from tests.lab.case import case
from tests.lab.forked import tuivirt
from tests.lab.inner import NAME, inner_guest
from tests.support.libvirtd import SYSTEM

SOCKET_ID = "1af4:1053"
"""Virtio's number for it."""


@case(limit_s=120)
def a_socket_to_the_host_comes_and_goes_under_a_running_guest() -> None:
    subprocess.run(["modprobe", "vhost_vsock"], check=True, capture_output=True)
    assert Path("/dev/vhost-vsock").exists()
    with inner_guest() as inner:
        given = tuivirt("-c", SYSTEM, "attach-vsock", NAME, "--auto", "yes")
        assert given.status == 0, given.err
        inner.wait_for_pci(SOCKET_ID)
        for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE):
            assert inner.guest.domain.XMLDesc(flags).count("<vsock ") == 1
        again = tuivirt("-c", SYSTEM, "attach-vsock", NAME, "--auto", "yes")
        assert again.status == 1
        assert "it has one already" in again.err
        taken = tuivirt("-c", SYSTEM, "detach-vsock", NAME, "--timeout", "40")
        assert taken.status == 0, taken.err
        inner.wait_for_pci(SOCKET_ID, there=False)
        for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE):
            assert "<vsock " not in inner.guest.domain.XMLDesc(flags)
