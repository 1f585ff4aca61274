"""A domain's two configurations: the running one and the saved one, and which a change touches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import libvirt

from .errors import BadInput, TuivirtError, from_libvirt
from .model.device import Disk, DomainConfig
from .model.when import When
from .xml.domain import parse_domain
from .xml.errors import XmlError


@dataclass(frozen=True, slots=True)
class Sides:
    """What there is of a domain at one moment; at least one of the two exists."""

    name: str
    live: DomainConfig | None
    saved: DomainConfig | None

    @property
    def current(self) -> DomainConfig:
        """What the guest sees now, or would see if it were started."""
        config = self.live or self.saved
        assert config is not None
        return config

    def side(self, live: bool) -> DomainConfig:
        """What a change meets first: the running configuration if it is one, else the saved."""
        return self.current if live else self.saved or self.current

    def configs(self) -> tuple[DomainConfig, ...]:
        """Those there are, the current one first."""
        return tuple(config for config in (self.live, self.saved) if config is not None)

    def disks(self) -> tuple[Disk, ...]:
        """Every disk of both."""
        return tuple(disk for config in self.configs() for disk in config.disks)

    def find_live(self, target: str) -> Disk | None:
        """The running domain's disk of that target."""
        return _find(self.live, target)

    def find_saved(self, target: str) -> Disk | None:
        """The saved configuration's disk of that target."""
        return _find(self.saved, target)

    def choose(self, when: str) -> tuple[bool, bool]:
        """Whether the running and the saved configuration are to be changed.

        Raises BadInput when the one that is asked for does not exist.
        """
        try:
            when = When(when)
        except ValueError as error:
            raise BadInput(f"{when!r} is no time for a change", f"one of {', '.join(When)}") from (
                error
            )
        if when is When.AUTO:
            return self.live is not None, self.saved is not None
        live, saved = when in (When.NOW, When.BOTH), when in (When.NEXT_BOOT, When.BOTH)
        if live and self.live is None:
            raise BadInput(
                f"{self.name} is off: nothing of it can be changed now",
                advice="change it for the next boot",
            )
        if saved and self.saved is None:
            raise BadInput(
                f"{self.name} has no saved configuration: it is gone when it stops",
                advice="change it now only",
            )
        return live, saved

    def words(self, live: bool, saved: bool) -> str:
        """What is to be said of when it holds, after a sentence about a change."""
        if live and saved:
            return ", now and from the next boot on"
        if live:
            return "" if self.saved is None else ", until it stops"
        return "" if self.live is None else ", from the next boot on"


def affecting(live: bool, saved: bool) -> int:
    """libvirt's flags for a change of these configurations."""
    flags = libvirt.VIR_DOMAIN_AFFECT_LIVE if live else 0
    flags |= libvirt.VIR_DOMAIN_AFFECT_CONFIG if saved else 0
    return int(flags)


def verify(what: str, name: str, *, live_bad: bool, saved_bad: bool, live: bool) -> None:
    """Raises when a re-read does not show what libvirt said it did; half-way is told as such."""
    if live_bad and saved_bad:
        raise TuivirtError(
            f"{what} in {name}",
            "libvirt reported no error",
            "somebody else may change it at the same time: look, and do it again",
        )
    if live_bad:
        raise TuivirtError(
            f"{what} in the running {name}",
            "libvirt reported no error",
            "shut it down and start it again, or change the saved configuration back",
            done="the saved configuration is changed",
        )
    if saved_bad:
        raise TuivirtError(
            f"{what} in the saved configuration of {name}",
            "libvirt reported no error",
            "do it again for the next boot" if live else "",
            done="the running domain is changed" if live else "",
        )


def read_texts(domain: Any) -> tuple[str, str]:
    """The XML of both configurations as they are now, without secrets; '' for one there is not.

    Raises libvirtError. Source: virDomainGetXMLDesc, live and VIR_DOMAIN_XML_INACTIVE.
    """
    live = str(domain.XMLDesc(0)) if domain.isActive() else ""
    if not domain.isPersistent() and live:
        return live, ""
    return live, str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))


def parse_text(xml: str, what: str) -> DomainConfig | None:
    """A configuration as `read_texts` gives it. Raises TuivirtError for what is none."""
    try:
        return parse_domain(xml) if xml else None
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error


def read_sides(domain: Any, what: str) -> Sides:
    """Read both configurations as they are now. Raises TuivirtError."""
    try:
        live, saved = read_texts(domain)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    return Sides(domain.name(), parse_text(live, what), parse_text(saved, what))


def _find(config: DomainConfig | None, target: str) -> Disk | None:
    if config is None:
        return None
    return next((disk for disk in config.disks if disk.target == target), None)
