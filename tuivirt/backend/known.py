"""What is kept of a domain's configuration once it was read: thousands are kept."""

from __future__ import annotations

from sys import intern

from .model.device import Device, Disk, DomainConfig, Interface
from .model.domain import UNLABELLED, Domain, Labels
from .model.record import record


@record(frozen=True, slots=True)
class Known:
    """What was read of one domain, as far as it tells who uses what."""

    run: int | None
    """The domain's id when it was read: another run has another live configuration."""
    persistent: bool
    live: DomainConfig | None = None
    saved: DomainConfig | None = None
    pending: tuple[str, ...] = ()
    labels: Labels = UNLABELLED

    @property
    def configs(self) -> tuple[DomainConfig, ...]:
        """Live and saved, as far as there are."""
        return tuple(config for config in (self.live, self.saved) if config is not None)

    def fits(self, domain: Domain) -> bool:
        """Whether it was read of the domain as it is listed."""
        return (self.run, self.persistent) == (domain.id, domain.persistent)


def slim(config: DomainConfig | None) -> DomainConfig | None:
    """What tells who uses what, and nothing else of it: thousands are kept.

    Words that all domains have in common are one string; each reading makes its own.
    """
    if config is None:
        return None
    return DomainConfig(
        name=config.name,
        uuid=config.uuid,
        disks=tuple(
            Disk(
                target=intern(disk.target),
                device=intern(disk.device),
                source_type=intern(disk.source_type),
                source=disk.source,
                pool=intern(disk.pool),
                volume=disk.volume,
                readonly=disk.readonly,
                shareable=disk.shareable,
                backing=disk.backing,
            )
            for disk in config.disks
        ),
        interfaces=tuple(
            Interface(mac=each.mac, type=intern(each.type), source=intern(each.source))
            for each in config.interfaces
        ),
        devices=tuple(
            Device(
                kind=device.kind,
                node_device=device.node_device,
                vendor_product=device.vendor_product,
            )
            for device in config.devices
            if device.kind == "hostdev"
        ),
    )
