"""From a host device to a domain and back: the keys of the screens that show devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tuivirt.actions import lookups
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.resources import NodeDevice
from tuivirt.widgets.text import natural

from .base import FleetScreen


class HandsOver(FleetScreen):
    """A screen whose rows are host devices."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus", "hand_over", "Hand over", show=False, id="devices.hand-over"),
        Binding("minus", "take_back", "Take back", show=False, id="devices.take-back"),
    ]

    def action_hand_over(self) -> None:
        """Ask for a domain of its host, then for the rest."""
        device = self._chosen()
        if device is None:
            return
        refused = lookups.never_given(device)
        if refused:
            self.say(refused, "warning")
            return
        domains = list(self.fleet.hosts[device.host].domains.values())
        if not domains:
            self.say(f"host {device.host} has no domain to hand it to", "warning")
            return
        self._pick(
            f"Hand {device.address or device.name} to",
            domains,
            lambda domain: self.act("attach-hostdev", [domain.ref], device=device.name),
        )

    def action_take_back(self) -> None:
        """From the domain that has it; from which, when several are defined with it."""
        device = self._chosen()
        if device is None:
            return
        domains = [
            domain
            for domain in self.fleet.hosts[device.host].domains.values()
            if domain.name in device.users
        ]
        if not domains:
            self.say(f"no domain has {device.address or device.name}", "warning")
            return

        def take(domain: Domain) -> None:
            self.act("detach-hostdev", [domain.ref], device=device.name)

        if len(domains) == 1:
            take(domains[0])
        else:
            self._pick(f"Take {device.address or device.name} from", domains, take)

    def _chosen(self) -> NodeDevice | None:
        targets = self.targets()
        if len(targets) > 1:
            self.say("hand over one device at a time: what belongs to it goes along", "warning")
            return None
        found = self.fleet.find(targets[0]) if targets else None
        if not isinstance(found, NodeDevice):
            self.say("no device is chosen", "warning")
            return None
        return found

    def _pick(self, title: str, domains: Sequence[Domain], then: Callable[[Domain], None]) -> None:
        from tuivirt.widgets.menu import Choice, Menu

        by_uuid = {domain.uuid: domain for domain in domains}
        choices = [
            Choice(domain.uuid, domain.name, note=domain.state.word)
            for domain in sorted(domains, key=lambda each: natural(each.name))
        ]

        def picked(uuid: str | None) -> None:
            if uuid is not None:
                then(by_uuid[uuid])

        self.app.push_screen(Menu(title, choices, search=True), picked)
