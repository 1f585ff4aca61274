"""Verbs for each kind of device, from its declaration: ``attach-rng``, ``update-interface`` …

They are made when they are asked for, and are no part of `ACTIONS`: sixty of them would bury the
menu, and the list of domains shall not wait for them. Kinds with verbs of their own (disks, host
devices) have only what those lack.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.ref import Kind as ObjectKind
from tuivirt.backend.model.when import When
from tuivirt.backend.settling import LET_GO_S
from tuivirt.backend.xml.catalog import Kind, kinds

from .field_options import field_named, parameter_of
from .registry import ACTIONS, Action, Parameter, Run, text_or_pending

_WHEN = Parameter(
    name="when",
    type=When,
    help="which configuration: the running one, the saved one, or both",
    label="When",
    required=False,
    default=When.AUTO,
    choices=tuple(When),
)
_TIMEOUT = Parameter(
    name="timeout",
    type=float,
    help="seconds to wait for the guest to let go",
    label="Wait, seconds",
    required=False,
    default=LET_GO_S,
    minimum=0,
)


@cache
def device_actions() -> dict[str, Action]:
    """The verbs of every kind by name: those that have not been written by hand."""
    made: dict[str, Action] = {}
    for kind in kinds().values():
        for action in (_attach(kind), _update(kind), _detach(kind)):
            if action.name not in ACTIONS:
                made[action.name] = action
    return made


def of_each_kind(verb: str) -> list[Action]:
    """``attach``, ``update`` or ``detach`` for each kind of device, in the order of menus."""
    names = (f"{verb}-{kind}" for kind in kinds())
    return [ACTIONS.get(name) or device_actions()[name] for name in names]


def _attach(kind: Kind) -> Action:
    def attach(run: Run, domain: Domain, *, when: When, **given: Any) -> str:
        from tuivirt.backend.devices import attach_device

        values = _values(given)
        outcome = attach_device(run.host, domain.uuid, kind.name, values, when, run.progress)
        return outcome.text

    return _action(
        f"attach-{kind.name}",
        f"Add {kind.one}",
        f"Add {kind.one}, now, at the next boot, or both.",
        "virsh attach-device {name} DEVICE.xml {when}",
        "virDomainAttachDeviceFlags",
        attach,
        (*(parameter_of(field, new=True) for field in kind.declaration.fields), _WHEN),
    )


def _update(kind: Kind) -> Action:
    def update(
        run: Run, domain: Domain, *, which: str | None, clear: str | None, when: When, **given: Any
    ) -> str:
        from tuivirt.backend.devices import update_device

        cleared = {field_named(word.strip()): None for word in (clear or "").split(",") if word}
        changes = {**_values(given), **cleared}
        return update_device(run.host, domain.uuid, kind.name, which or "", changes, when).text

    cleared = Parameter(
        name="clear",
        type=str,
        help="options to be taken out again, with commas",
        label="Take out",
        required=False,
        cli_only=True,
    )
    return _action(
        f"update-{kind.name}",
        f"Change {kind.one}",
        f"Change {kind.one}, now, at the next boot, or both.",
        "virsh update-device {name} DEVICE.xml {when}",
        "virDomainUpdateDeviceFlags",
        update,
        (
            _which(kind),
            *(parameter_of(field, new=False) for field in kind.declaration.fields),
            cleared,
            _WHEN,
        ),
    )


def _detach(kind: Kind) -> Action:
    def detach(run: Run, domain: Domain, *, which: str | None, when: When, timeout: float) -> str:
        from tuivirt.backend.devices import detach_device

        outcome = detach_device(
            run.host,
            domain.uuid,
            kind.name,
            which or "",
            when,
            timeout_s=timeout,
            aborted=run.aborted,
            chose=lambda chosen: run.chose(when=chosen),
        )
        return text_or_pending(outcome)

    return _action(
        f"detach-{kind.name}",
        f"Remove {kind.one}",
        f"Remove {kind.one}, and wait until the guest has let go; one that has not is followed.",
        "virsh detach-device {name} DEVICE.xml {when}",
        "virDomainDetachDeviceFlags",
        detach,
        (_which(kind), _WHEN, _TIMEOUT),
        confirm=f"Remove {kind.one} from {{name}}? What the guest does with it ends.",
    )


def _action(
    name: str,
    title: str,
    help: str,
    virsh: str,
    api: str,
    function: Callable[..., str],
    parameters: tuple[Parameter, ...],
    confirm: str = "",
) -> Action:
    return Action(
        name=name,
        object=ObjectKind.DOMAIN,
        title=title,
        help=help,
        key="",
        virsh=virsh,
        api=api,
        function=function,
        told=lambda: parameters,
        changes=True,
        bulk=False,
        destructive=bool(confirm),
        confirm=confirm,
        unavailable=lambda _thing: "",
        losses=lambda _thing: "",
        view=False,
        plan=None,
    )


def _which(kind: Kind) -> Parameter:
    by = " and ".join(kind.declaration[name].label.lower() for name in kind.identity)
    return Parameter(
        name="which",
        type=str,
        help=f"its {by + ', ' if by else ''}alias, address, or #1 for the first; the only one"
        " unless given",
        label="Which",
        required=False,
        positional=True,
    )


def _values(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that were given."""
    return {field_named(name): value for name, value in given.items() if value is not None}
