"""Networks and storage pools, switched on and off: what is said is what was read again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import TuivirtError, from_libvirt, is_gone
from .lifecycle import CONFIRM_TIMEOUT_S
from .model.ref import Kind, Ref
from .waiters import Waiter, object_event

if TYPE_CHECKING:
    from .host import Host


@dataclass(frozen=True, slots=True)
class Switch:
    """A network or storage pool that is to be changed."""

    host: Host
    kind: Kind
    handle: Any
    """libvirt's virNetwork or virStoragePool."""

    @property
    def label(self) -> str:
        """As in ``network default``."""
        return f"{self.kind} {self.handle.name()}"

    def touch(self) -> None:
        """Have the host read it again, so that the screen follows at once."""
        self.host.touch(Ref(self.host.name, self.kind, self.handle.UUIDString()))

    def turn(self, what: str, call: Callable[[], object], *, active: bool) -> None:
        """Make a call and wait until a re-read shows that it is active, or no more.

        ``what`` says what could not be done, when it could not.
        """
        with Waiter(self.host, object_event(self.handle.UUIDString())) as waiter:
            try:
                call()
            except libvirt.libvirtError as error:
                raise from_libvirt(error, what) from error
            finally:
                self.touch()

            def is_true() -> bool:
                try:
                    return bool(self.handle.isActive()) == active
                except libvirt.libvirtError as error:
                    if is_gone(error):
                        return not active  # A transient one that stopped is gone.
                    raise from_libvirt(error, what) from error

            if not waiter.until(is_true, CONFIRM_TIMEOUT_S):
                raise TuivirtError(what, "libvirt took the call, but it has not happened")

    def autostart(self, on: bool) -> str:
        """Have it started with the host, or not."""
        try:
            self.handle.setAutostart(1 if on else 0)
            now = bool(self.handle.autostart())
        except libvirt.libvirtError as error:
            raise from_libvirt(error, f"cannot change the autostart of {self.label}") from error
        finally:
            self.touch()
        if now != on:
            raise TuivirtError(f"the autostart of {self.label} has not changed")
        return f"{self.label} {'starts' if on else 'does not start'} with the host"
