"""What a form asks for, declared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MORE = "more"
"""The kind of the row behind which the fields stand that few need."""
Shape = Callable[[Mapping[str, Any]], Sequence["Field"]]
"""The fields that apply beside these values."""
Check = Callable[[Mapping[str, Any]], str]
"""What is wrong with these values, in a sentence, or ''."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in."""

    name: str
    label: str
    kind: str = "text"
    """text, flag or choice."""
    value: Any = ""
    """Where it starts: a text, True or False, or one of the choices."""
    choices: tuple[str, ...] = ()
    help: str = ""
    required: bool = False
    labels: tuple[str, ...] = ()
    """How the choices are shown; as they are, where there are no labels."""
    warnings: tuple[str, ...] = ()
    """What is said of each choice while it is the chosen one; '' says nothing."""
    refused: tuple[str, ...] = ()
    """Why each choice cannot be taken, '' for one that can; of a flag, alone: why it cannot be yes.
    """
    helps: tuple[str, ...] = ()
    """Said of each choice in place of ``help``; '' leaves that."""
    unset: str = "default"
    """How a choice of nothing is shown."""
    rare: bool = False
    """It stands behind the row that opens the rest."""
    of: str = ""
    """What its value belongs to: under another of these it starts anew, and is kept for this."""
    replaced: bool = False
    """What is typed takes the place of the text that it starts with, until a key moves in that."""
    listed: str = ""
    """What ctrl+o lists to choose from, as in ``block devices``; empty: nothing."""
    begins: bool = False
    """The form begins here, though others stand above it."""

    @property
    def key(self) -> tuple[str, str]:
        """Under which the form keeps its value."""
        return self.of, self.name

    def shown(self, number: int) -> str:
        """A choice as it is drawn."""
        return (self.labels or self.choices)[number] or self.unset

    def refusal(self, number: int) -> str:
        """Why a choice, or of a flag yes (1), cannot be taken; ''."""
        place = number if self.kind == "choice" else number - 1
        return self.refused[place] if 0 <= place < len(self.refused) else ""

    @property
    def refusals(self) -> tuple[str, ...]:
        """What is said below a choice of those that cannot be taken."""
        if self.kind != "choice":
            return ()
        numbers = range(len(self.choices))
        return tuple(f"not {self.shown(n)}: {self.refusal(n)}" for n in numbers if self.refusal(n))


def more_of(rare: Sequence[Field], opened: bool) -> Field:
    """The row that opens and closes the fields that few need."""
    names = ", ".join(field.label for field in rare)
    many = f"{len(rare)} other{'s' * (len(rare) != 1)}"
    said = f"hide {many}" if opened else f"{many}: {names}"
    return Field(MORE, "Less" if opened else "More…", MORE, said, help="Enter shows or hides them.")
