"""A device taken out of a domain, and waited for until the guest has let go of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libvirt

from .detaching import REFUSED, Detaching, DetachOutcome
from .errors import Aborted, from_libvirt
from .lifecycle import touch
from .sides import affecting
from .waiters import Waiter, domain_event

if TYPE_CHECKING:
    from .host import Host

EVENT_S = 1.0
"""How long the event is waited for that tells why libvirt's call has failed."""

# QEMU's words are always English; libvirt's are in the language of the daemon's host, so that of
# its errors the code alone is looked at.
_ALREADY_ASKED = "already in the process of unplug"
_FAMILIES = ("device-removed", "device-removal-failed", "lifecycle")


@dataclass(frozen=True, slots=True)
class Unplug:
    """One device of one domain, to be taken out."""

    host: Host
    domain: Any
    detaching: Detaching
    what: str
    """What cannot be done when it fails, as in ``cannot detach vdb from web-01``."""
    timeout_s: float
    """How long the guest is given to let go."""
    aborted: threading.Event | None = None

    def carry_out(
        self,
        xml: str,
        *,
        live: bool,
        saved: bool,
        check_saved: Callable[[], None],
        done: str,
        ending: str,
    ) -> DetachOutcome:
        """Ask libvirt, check the saved half, and wait for the guest to do the other.

        ``done`` is what of the change has taken effect before the guest has done its part,
        ``ending`` what is true when it has. A guest that has not let go in time is followed.
        Raises TuivirtError. Source: virDomainDetachDeviceFlags, and its events DEVICE_REMOVED
        and DEVICE_REMOVAL_FAILED.
        """
        uuid = self.domain.UUIDString()
        # libvirt's call itself waits for the guest, up to 5 s.
        until = time.monotonic() + self.timeout_s
        with Waiter(self.host, domain_event(uuid, *_FAMILIES)) as waiter:
            try:
                self.domain.detachDeviceFlags(xml, affecting(live, saved))
            except libvirt.libvirtError as error:
                told = from_libvirt(error, self.what)
                # The event may come a little later than the error of the same refusal.
                if told.code == libvirt.VIR_ERR_OPERATION_FAILED and waiter.until(
                    lambda: self.detaching.is_refused(waiter.events), EVENT_S
                ):
                    told.advice = REFUSED
                elif told.code == libvirt.VIR_ERR_OPERATION_UNSUPPORTED and live:
                    told.advice = "detach it for the next boot"
                elif _ALREADY_ASKED in told.why:
                    told.advice = "the guest has not let go yet; forcing it off settles it"
                if not saved:
                    told.done = told.done or done
                raise told from error
            finally:
                touch(self.host, uuid)
            if saved:
                check_saved()
            if live:
                try:
                    gone = waiter.until(
                        lambda: self.detaching.is_settled(waiter.events, done),
                        until - time.monotonic(),
                        aborted=self.aborted,
                    )
                except Aborted:
                    gone = False
                if not gone:
                    # Subscribed before the waiter lets go, so that no event falls in between.
                    return self.detaching.follow(done)
        return DetachOutcome(ending)
