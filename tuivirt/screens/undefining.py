"""What there is to decide about before domains are undefined, and in which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tuivirt.actions import lookups
from tuivirt.actions.lookups import Belongings
from tuivirt.widgets.form import Field

from .offers import Asked, Offer

_FATES = ("nvram", "tpm")
"""Parameters that have another beside them, ``keep_…``: in the form the two are one choice."""


class Undefining:
    """Offers only what the domains have; what they have is named."""

    waits = "Looking up what belongs to it …"

    def look_up(self, host: Any, key: str) -> Belongings:
        return lookups.belongings(host, key)

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        """``fields`` are not taken: what is offered follows from what there is."""
        every: list[Belongings] = [has for _, has in answers]
        sentences = []
        for asked, has in answers:
            names = _names(has)
            if names:
                who = "It" if len(answers) == 1 else asked.name
                sentences.append(f"{who} has {'; '.join(names)}.")
        offered = tuple(_fields(every))
        labels = {field.name: field.label for field in offered}

        def check(given: Mapping[str, Any]) -> str:
            open_choices = [labels[name] for name in _FATES if given.get(name) == ""]
            refused = [labels[name] for name, value in given.items() if value is False]
            said = [f"{label}: choose keep or delete." for label in open_choices]
            said += [f"{label}: libvirt undefines no domain that has it; say yes, or leave."
                     for label in refused]  # fmt: skip
            return " ".join(said)

        return Offer(offered, tuple(sentences), check=check, parameters=_parameters)


def _names(has: Belongings) -> list[str]:
    """Each thing that is lost or has to be decided about."""
    return [
        text
        for text, true in (
            ("saved memory (managed save)", has.managed_save),
            (f"records of {_counted(has.snapshots, 'snapshot')}", has.snapshots),
            (f"records of {_counted(has.checkpoints, 'checkpoint')}", has.checkpoints),
            (f"UEFI variables in {has.nvram}", has.nvram),
            ("an emulated TPM with its state", has.tpm),
        )
        if true
    ]


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _fields(every: Sequence[Belongings]) -> list[Field]:
    fields = []
    if any(has.managed_save for has in every):
        fields.append(
            Field(
                "managed_save",
                "Remove saved memory",
                "flag",
                help="what was in memory when it was saved is lost",
            )
        )
    for name, word in (("snapshots", "snapshot"), ("checkpoints", "checkpoint")):
        if any(getattr(has, name) for has in every):
            fields.append(
                Field(
                    f"{name}_metadata",
                    f"Remove {word} records",
                    "flag",
                    help=f"what libvirt knows of the {name}; what they hold in the disks stays",
                )
            )
    for name, label, what in (
        ("nvram", "UEFI variables", "its boot entries and Secure Boot keys"),
        ("tpm", "TPM state", "keys sealed in it, those of an encrypted disk perhaps"),
    ):
        if any(getattr(has, name) for has in every):
            fields.append(
                Field(
                    name,
                    label,
                    "choice",
                    "",
                    ("", "keep", "delete"),
                    what,
                    required=True,
                    unset="keep or delete?",
                )
            )
    return fields


def _parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in given.items() if name not in _FATES}
    for name in _FATES:
        if name in given:
            values[name] = given[name] == "delete"
            values[f"keep_{name}"] = given[name] == "keep"
    return values
