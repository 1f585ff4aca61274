"""What the command line says of a plan, and the options of a verb that has one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from tuivirt.backend.errors import BadInput

from .registry import Option

if TYPE_CHECKING:
    from tuivirt.backend.model.finding import Planned

DRY_RUN = Annotated[
    bool, Option("only say what would be done, and what speaks against it", cli_only=True)
]
FORCE = Annotated[bool, Option("though the plan names a risk", cli_only=True)]


def told(plan: Planned, what: str, *, force: bool) -> str:
    """The plan as text; BadInput when it would be refused, so that the exit status tells.

    Without ``force`` a risk refuses it, too.
    """
    from tuivirt.backend.model.finding import Weight

    if plan.of(Weight.REFUSED):
        raise BadInput(what, "\n".join(["", *plan.lines]))
    if not force and plan.of(Weight.RISK):
        raise BadInput(what, "\n".join(["", *plan.lines]), "--force takes the risk")
    return "\n".join(plan.lines)
