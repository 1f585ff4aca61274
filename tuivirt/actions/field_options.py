"""A device's declared fields as options of a verb."""

from __future__ import annotations

from tuivirt.backend.xml.field import Field, FieldType

from .registry import Parameter

YES_OR_NO = (FieldType.FLAG, FieldType.YES_NO, FieldType.ON_OFF)
"""Types of fields that are said by yes or no."""
_TAKEN = {"readonly": "read_only"}
"""Fields whose names mean something else on the command line."""


def parameter_of(field: Field, *, new: bool, name: str = "", cli_only: bool = False) -> Parameter:
    """The option that says what the field is to hold; ``new``: of a device that is made."""
    choices = ("yes", "no") if field.type in YES_OR_NO else field.choices
    wanted = field.required and field.default is None and field.initial is None and not field.only
    said = _small(field.help)
    if new and field.initial is not None and not cli_only:
        said += f" ({worded(field.initial)} unless given)"
    return Parameter(
        name=name or option_named(field.name),
        type=int if field.type is FieldType.INT else str,
        help=said,
        label=field.label,
        required=new and wanted,
        choices=choices,
        minimum=field.least if field.type is FieldType.INT else None,
        cli_only=cli_only,
    )


def _small(sentence: str) -> str:
    """A sentence as a part of another: without its capital letter and its full stop."""
    text = sentence.removesuffix(".")
    return text[0].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def worded(value: object) -> str:
    """A field's value as it is written on the command line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def option_named(field: str) -> str:
    """The parameter that says what a field is to hold."""
    return _TAKEN.get(field, field)


def field_named(name: str) -> str:
    """The field that an option is about."""
    plain = name.removeprefix("--").replace("-", "_")
    return next((field for field, option in _TAKEN.items() if option == plain), plain)
