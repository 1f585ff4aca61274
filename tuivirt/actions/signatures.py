"""The parameters of an action, read from its function's signature."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from enum import StrEnum
from functools import cache

from .registry import Option, Parameter


@cache
def parameters_of(function: Callable[..., str]) -> tuple[Parameter, ...]:
    """Those after its object. Raises TypeError for one that has no Option."""
    hints = typing.get_type_hints(function, include_extras=True)
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        hint = hints[name]
        option = next((m for m in getattr(hint, "__metadata__", ()) if isinstance(m, Option)), None)
        if option is None:
            raise TypeError(f"{function.__name__}({name}): Annotated[…, Option(…)] is missing")
        plain = typing.get_args(hint)[0]
        if isinstance(plain, types.UnionType):
            plain = next(a for a in typing.get_args(plain) if a is not type(None))
        choices = option.choices
        if isinstance(plain, type) and issubclass(plain, StrEnum) and not choices:
            choices = tuple(plain)
        required = parameter.default is inspect.Parameter.empty
        found.append(
            Parameter(
                name=name,
                type=plain,
                help=option.help,
                label=option.label or name.replace("_", " ").capitalize(),
                required=required,
                default=None if required else parameter.default,
                choices=choices,
                positional=option.positional,
                minimum=option.minimum,
                cli_only=option.cli_only,
                several=option.several,
            )
        )
    return tuple(found)
