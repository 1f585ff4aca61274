"""The form of an action: its parameters as fields, narrowed to what the objects have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tuivirt.actions.errors import BadInput, TuivirtError
from tuivirt.actions.registry import Action, Parameter
from tuivirt.widgets.form import Field, FormDialog

from .device_choice import DeviceChoice
from .disk_choice import DiskChoice
from .kind_choice import offering_of
from .mdev_choice import MdevChoice
from .offers import Asked, Offer, Offering
from .processor_choice import ProcessorForm
from .telling import joined
from .undefining import Undefining

OFFERS: dict[str, Offering] = {
    "undefine": Undefining(),
    "detach-disk": DiskChoice("target"),
    "change-media": DiskChoice("path", drives=True),
    "attach-hostdev": DeviceChoice(),
    "detach-hostdev": DeviceChoice(taken=True),
    "create-mdev": MdevChoice(now=True),
    "define-mdev": MdevChoice(),
    **{
        name: ProcessorForm(name)
        for name in (
            "setvcpus",
            "set-topology",
            "setmem",
            "setmaxmem",
            "vcpupin",
            "emulatorpin",
            "iothreadpin",
            "iothreaddel",
        )
    },
}
"""Actions whose form is narrowed to what the objects have."""


class ActionForm(FormDialog):
    """What an action needs to know; some actions first look up what there is to choose from."""

    def __init__(
        self, title: str, action: Action, values: Mapping[str, Any], sentences: Sequence[str]
    ) -> None:
        """``values`` are filled in already; ``sentences`` say what will be done."""
        self._action = action
        self._all = [
            field_of(parameter, values) for parameter in action.parameters if not parameter.cli_only
        ]
        self._offering = OFFERS.get(action.name)
        if self._offering is None and any(p.name == "which" for p in action.parameters):
            self._offering = offering_of(action.name)
        self._offer: Offer | None = None
        waits = self._offering.waits if self._offering is not None else ""
        super().__init__(
            title,
            [] if waits else self._all,
            self._wrong,
            sentences=sentences,
            yes=action.title[:1].lower() + action.title[1:],
            destructive=action.destructive,
            blocked=waits,
        )

    def look_up(self, asked: Sequence[Asked], ask: Callable[..., None]) -> None:
        """Look up what the objects have, then offer what applies; ``ask`` is the app's look_up."""
        offering = self._offering
        if offering is None:
            return
        answers: dict[Asked, Any] = {}

        def answered(one: Asked, answer: Any) -> None:
            answers[one] = answer
            if len(answers) < len(asked):
                return
            failed = next((a for a in answers.values() if isinstance(a, TuivirtError)), None)
            if failed is not None:
                said = f"What there is to choose from is not known: {joined(failed)}"
                self.offer(self._all, self._wrong, sentences=(*self._sentences, said))
            else:
                self._offer = offer = offering.offer(
                    self._all, [(one, answers[one]) for one in asked]
                )
                self.offer(
                    offer.fields,
                    self._wrong,
                    sentences=(*self._sentences, *offer.sentences),
                    blocked=offer.blocked,
                )

        for one in asked:
            ask(
                self,
                one.ref.host,
                offering.look_up,
                (one.ref.key,),
                lambda answer, one=one: answered(one, answer),
            )

    def parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The fields' values as the action's parameters."""
        return dict(given) if self._offer is None else self._offer.parameters(given)

    def _wrong(self, given: Mapping[str, Any]) -> str:
        try:
            self._action.convert(self.parameters(given))
        except BadInput as error:
            return f"{error}: {error.advice}" if error.advice else str(error)
        return "" if self._offer is None else self._offer.check(given)


def field_of(parameter: Parameter, values: Mapping[str, Any]) -> Field:
    """A parameter as a form's field, with what is given or else its default in it."""
    kind: str
    value: Any
    choices = tuple(str(choice) for choice in parameter.choices)
    default = values.get(parameter.name, parameter.default)
    if choices:
        if default is None and not parameter.required:
            choices = ("", *choices)
        kind, value = "choice", "" if default is None else str(default)
    elif parameter.type is bool:
        kind, value = "flag", bool(default)
    else:
        kind, value = "text", "" if default is None else _text(default)
    return Field(
        parameter.name,
        parameter.label,
        kind,
        value,
        choices,
        parameter.help,
        parameter.required,
    )


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
