"""A virtual function of a network card (SR-IOV), as one chooses it for a guest's interface."""

from __future__ import annotations

from .record import record


@record(frozen=True, slots=True)
class VirtualFunction:
    """One of them."""

    address: str
    """Its PCI address, as in ``0000:03:10.1``."""
    parent: str
    """The card's address."""
    interface: str = ""
    """The card's network interface on the host, as in ``eth1``."""
    what: str = ""
    """What the card is."""
    uses: tuple[str, ...] = ()
    """Why it cannot be given away, one phrase each, as in ``web-01 has it``."""
