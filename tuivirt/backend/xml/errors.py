"""What can be wrong with XML or with a value meant for it. All are ValueErrors with a sentence."""

from __future__ import annotations


class XmlError(ValueError):
    """The base of this room's errors; its text is a sentence for the operator."""


class MalformedXml(XmlError):
    """It is not well-formed XML, not the element that was expected, or holds a DOCTYPE."""


class BadValue(XmlError):
    """A value that a field cannot hold."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


class NoSuchDevice(XmlError):
    """The domain's XML holds no device that is meant."""


class AmbiguousDevice(XmlError):
    """The domain's XML holds several devices that could be meant."""


class BusFull(XmlError):
    """No place is left on a bus; ``advice`` says what to do about it."""

    def __init__(self, bus: str, why: str, advice: str) -> None:
        super().__init__(f"the {bus} bus is full: {why}")
        self.advice = advice
