"""The form of an action: its parameters as fields, narrowed to what the objects have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tuivirt.actions.advice import in_labels
from tuivirt.actions.catalog import ACTIONS
from tuivirt.actions.errors import BadInput, TuivirtError
from tuivirt.actions.registry import Action, Parameter
from tuivirt.widgets.form import NOTHING, Draft, Field, FormDialog
from tuivirt.widgets.menu import Menu

from .attach_disk import AttachDisk
from .device_choice import DeviceChoice
from .disk_choice import DiskChoice
from .host_choice import LISTERS, VOLUMES
from .host_form import HostForm
from .kind_choice import offering_of
from .label_form import LabelForm
from .mdev_choice import MdevChoice
from .migrating import MigrateForm
from .offers import Asked, Offer, Offering
from .pool_form import PoolForm
from .processor_choice import ProcessorForm
from .snapshot_form import SnapshotForm
from .telling import joined
from .undefining import Undefining
from .volume_form import VolumeForm

OFFERS: dict[str, Offering] = {
    "host-add": HostForm(),
    "host-edit": HostForm(edit=True),
    **{name: LabelForm(name) for name in ("tag", "untag", "set-group", "set-note")},
    "migrate": MigrateForm(),
    "evacuate": MigrateForm("to"),
    "undefine": Undefining(),
    "attach-disk": AttachDisk(),
    "detach-disk": DiskChoice("target"),
    "blockresize": DiskChoice("path", resized=True),
    "change-media": DiskChoice("path", drives=True),
    "attach-hostdev": DeviceChoice(),
    "detach-hostdev": DeviceChoice(taken=True),
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
    "pool-define-as": PoolForm(),
    "vol-create": VolumeForm(),
    "snapshot-create": SnapshotForm(),
    "create-mdev": MdevChoice(now=True),
    "define-mdev": MdevChoice(),
}
"""Actions whose form is narrowed to what the objects have."""


LISTED = {
    ("vol-create", "secret"): "secrets",
    ("secret-set-value", "secret"): "secrets",
    ("secret-undefine", "secret"): "secrets",
    ("secret-dumpxml", "secret"): "secrets",
    ("change-media", "source"): VOLUMES,
}
"""By action and field: what of the host's it lists to choose from."""


class ActionForm(FormDialog):
    """What an action needs to know; some actions first look up what there is to choose from."""

    def __init__(
        self,
        title: str,
        action: Action,
        values: Mapping[str, Any],
        sentences: Sequence[str],
        draft: Draft = NOTHING,
    ) -> None:
        """``values`` are filled in already, the ``draft`` over them; ``sentences`` say what will
        be done."""
        self._action = action
        self._all = [
            replace(field_of(each, values), listed=LISTED.get((action.name, each.name), ""))
            for each in action.parameters
            if not each.cli_only
        ]
        self._offering = OFFERS.get(action.name)
        if self._offering is None and action.name not in ACTIONS:
            self._offering = offering_of(action.name)
        self._offer: Offer | None = None
        self._asked: Sequence[Asked] = ()
        self._ask: Callable[..., None] | None = None
        waits = self._offering.waits if self._offering is not None else ""
        super().__init__(
            title,
            [] if waits else self._all,
            self._wrong,
            sentences=sentences,
            yes=action.title[:1].lower() + action.title[1:],
            destructive=action.destructive,
            blocked=waits,
            draft=draft,
        )

    def look_up(self, asked: Sequence[Asked], ask: Callable[..., None]) -> None:
        """Look up what the objects have, then offer what applies; ``ask`` is the app's look_up."""
        offering = self._offering
        self._asked, self._ask = asked, ask
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
                    shape=offer.shape,
                )

        for one in asked:
            ask(
                self,
                one.ref.host,
                offering.look_up,
                (one.ref.key,),
                lambda answer, one=one: answered(one, answer),
            )

    def list_choices(self, field: Field) -> None:
        """Look up what there is for the field, and show it as a menu."""
        self._list(field, field.listed)

    def _list(self, field: Field, listed: str) -> None:
        lister = LISTERS[listed]
        assert self._ask is not None
        one = self._asked[0]
        whose = "host's " if one.ref.host else ""
        self.problem = f"Looking up the {whose}{listed}…"
        self.draw()

        def chosen(choice: str | None) -> None:
            if choice in LISTERS:
                self._list(field, str(choice))
            elif choice is not None and lister.fills is not None:
                filled = lister.fills(choice, self.values)
                for each in self.fields:
                    if each.name in filled:
                        self.fill(each, filled[each.name])
            elif choice is not None:
                self.fill(field, choice)

        def answered(answer: Any) -> None:
            self.problem = ""
            if isinstance(answer, TuivirtError):
                self.problem = joined(answer)
            elif not (choices := lister.choices(answer)):
                self.problem = lister.none or f"The host tells of no {listed}."
            else:
                title = f"The host's {listed}" if whose else f"{listed[:1].upper()}{listed[1:]}"
                menu = Menu(title, choices, search=True)
                self.app.push_screen(menu, chosen)
            self.draw()

        asked = (one.ref.key, dict(self.values))
        self._ask(self, one.ref.host, lister.look_up, asked, answered)

    def parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The fields' values as the action's parameters."""
        return dict(given) if self._offer is None else self._offer.parameters(given)

    def _wrong(self, given: Mapping[str, Any]) -> str:
        try:
            self._action.convert(self.parameters(given))
        except BadInput as error:
            said = f"{error}: {error.advice}" if error.advice else str(error)
            return in_labels(said, self._action)
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
        # A digit typed after a number would make it ten times as large.
        replaced=parameter.type in (int, float),
        begins=parameter.required and kind == "text",
    )


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
