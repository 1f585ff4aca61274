"""``dataclass(frozen=True, slots=True)``, made for less.

dataclasses compiles eight functions for each class, which take 20 KiB for one with twelve fields
and half a millisecond of the start; here one is, and the other seven are the same for all. To a
type checker, to ``replace``, ``fields`` and ``asdict`` each is a dataclass.
"""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from typing import TYPE_CHECKING

__all__ = ["record"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:

    def record(cls=None, /, *, frozen, slots, kw_only=False, eq=True):
        """As `dataclasses.dataclass`, always frozen and with slots."""
        if not (frozen and slots):
            raise TypeError("a record is frozen and has slots")
        if cls is None:
            return lambda cls: _made(cls, kw_only, eq)
        return _made(cls, kw_only, eq)

    def _made(cls, kw_only, eq):
        fields = {}
        for base in reversed(cls.__mro__[1:]):
            fields |= getattr(base, "__dataclass_fields__", {})
        inherited = frozenset(fields)
        body = dict(cls.__dict__)
        for name, kind in body.get("__annotations__", {}).items():
            if not kind.startswith("ClassVar"):
                fields[name] = _field(name, kind, body.pop(name, dataclasses.MISSING), kw_only)
        for name in ("__dict__", "__weakref__"):
            body.pop(name, None)
        body["__slots__"] = tuple(name for name in fields if name not in inherited)
        body["__dataclass_fields__"] = fields
        body["__match_args__"] = tuple(name for name, each in fields.items() if not each.kw_only)
        body["__init__"] = _init(cls, fields)
        shared = {"__repr__": _repr, "__setattr__": _refuse, "__delattr__": _refuse,
                  "__getstate__": _state, "__setstate__": _restore}  # fmt: skip
        if eq:
            shared |= {"__eq__": _eq, "__hash__": _hash}
            compared = [name for name, each in fields.items() if each.compare]
            body["_compared"] = attrgetter(*compared) if compared else staticmethod(_nothing)
        return type(cls)(cls.__name__, cls.__bases__, shared | body)

    def _field(name, kind, default, kw_only):
        is_field = isinstance(default, dataclasses.Field)
        made = default if is_field else dataclasses.field(default=default)
        made.name, made.type, made.kw_only = name, kind, kw_only
        made._field_type = dataclasses._FIELD  # What `replace` and `asdict` know one by.
        return made

    def _init(cls, fields):
        given, body, defaults = [], [], {}
        known = {"_set": object.__setattr__}
        for name, each in sorted(fields.items(), key=lambda item: item[1].kw_only):
            value = name
            if each.kw_only and "*" not in given:
                given.append("*")
            if each.default_factory is not dataclasses.MISSING:
                known[f"_make_{name}"] = each.default_factory
                value = f"_make_{name}() if {name} is _set else {name}"
                given.append(f"{name}=_set")  # Nobody gives that: it stands for nothing given.
            elif each.default is not dataclasses.MISSING:
                defaults[f"_default_{name}"] = each.default
                given.append(f"{name}=_default_{name}")
            else:
                given.append(name)
            body.append(f" _set(self, {name!r}, {value})")
        text = f"def __init__(self, {', '.join(given)}):\n" + "\n".join(body or [" pass"])
        known |= defaults
        exec(text, known)
        function = known.pop("__init__")
        for name in ("__builtins__", *defaults):
            del known[name]
        function.__qualname__ = f"{cls.__qualname__}.__init__"
        function.__module__ = cls.__module__
        return function

    def _nothing(_self):
        return ()

    def _repr(self):
        shown = (
            f"{name}={getattr(self, name)!r}"
            for name, each in self.__dataclass_fields__.items()
            if each.repr
        )
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def _eq(self, other):
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self._compared(self) == other._compared(other)

    def _hash(self):
        return hash(self._compared(self))

    def _refuse(self, name, _value=None):
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def _state(self):
        return [getattr(self, name) for name in self.__dataclass_fields__]

    def _restore(self, state):
        for name, value in zip(self.__dataclass_fields__, state, strict=True):
            object.__setattr__(self, name, value)
