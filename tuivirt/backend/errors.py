"""Errors an operator reads: what happened, why (libvirt's code and text), what to do next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import libvirt

T = TypeVar("T")


@dataclass(eq=False)
class TuivirtError(Exception):
    """Something that could not be done.

    ``what`` says what could not be done, ``why`` holds the reason (libvirt's own text where
    it comes from there, with its ``code``), ``advice`` what to do next, ``done`` what of a
    change of several parts took effect all the same.
    """

    what: str
    why: str = ""
    advice: str = ""
    done: str = ""
    code: int | None = None

    def __str__(self) -> str:
        text = f"{self.what}: {self.why}" if self.why else self.what
        if self.code is not None:
            text += f" (libvirt error {self.code})"
        return f"{text}. Done all the same: {self.done}" if self.done else text


class NotConnected(TuivirtError):
    """The host's connection is not open."""


class Unanswered(TuivirtError):
    """The operator was asked, and did not answer or was refused: to try again is up to them."""


class ReadOnly(TuivirtError):
    """The connection is read-only and the action changes something."""


class NotFound(TuivirtError):
    """No object of that name or key."""


class BadInput(TuivirtError):
    """What was asked for cannot be right; nothing was changed."""


class Aborted(TuivirtError):
    """The operator aborted it."""


class Silent(TuivirtError):
    """libvirt was waited for as long as it may take, and has not answered: nobody aborted it."""


_GONE = frozenset(
    code
    for code in (
        getattr(libvirt, name, None)
        for name in (
            "VIR_ERR_NO_DOMAIN",
            "VIR_ERR_NO_NETWORK",
            "VIR_ERR_NO_STORAGE_POOL",
            "VIR_ERR_NO_STORAGE_VOL",
            "VIR_ERR_NO_NODE_DEVICE",
            "VIR_ERR_NO_INTERFACE",
        )
    )
    if code is not None
)

_ADVICE = {
    libvirt.VIR_ERR_OPERATION_DENIED: "open the connection without --readonly",
    libvirt.VIR_ERR_ACCESS_DENIED: (
        "the daemon's access rules forbid it; ask the host's administrator"
    ),
    libvirt.VIR_ERR_OPERATION_TIMEOUT: "another job holds the domain; look at :job, then try again",
    libvirt.VIR_ERR_AGENT_UNRESPONSIVE: (
        "the guest agent does not answer; is qemu-guest-agent running in the guest?"
    ),
}


def code_of(error: libvirt.libvirtError) -> int | None:
    """libvirt's error code, or None when the error carries none."""
    code = error.get_error_code()
    return int(code) if code is not None else None


def is_gone(error: libvirt.libvirtError) -> bool:
    """Whether the error says that the object does not exist (any more)."""
    return code_of(error) in _GONE


def is_unsupported(error: libvirt.libvirtError) -> bool:
    """Whether the error says that this driver does not offer the call."""
    return code_of(error) in (
        libvirt.VIR_ERR_NO_SUPPORT,
        libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
        libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
    )


def is_open(conn: Any) -> bool:
    """Whether a connection stands: what a broken one fails with tells nothing of its objects."""
    try:
        return bool(conn.isAlive() == 1)
    except libvirt.libvirtError:
        return False


def if_offered(call: Callable[[], T], otherwise: T) -> T:
    """What the call tells, or ``otherwise`` where this driver does not offer it."""
    try:
        return call()
    except libvirt.libvirtError as error:
        if is_unsupported(error):
            return otherwise
        raise


def broke(error: libvirt.libvirtError) -> bool:
    """Whether the connection broke while an answer was awaited."""
    if error.get_error_domain() != libvirt.VIR_FROM_RPC or code_of(error) not in _BROKE:
        return False
    # In these words libvirt says that it sent nothing.
    return "client socket is closed" not in (error.get_error_message() or "")


_BROKE = (libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_ERR_RPC)


def from_libvirt(error: libvirt.libvirtError, what: str, advice: str = "") -> TuivirtError:
    """libvirt's error as ours, code and text kept."""
    code = code_of(error)
    why = (error.get_error_message() or str(error)).strip()  # A program's ends with a line's end.
    kind: type[TuivirtError] = TuivirtError
    if code in _GONE:
        kind = NotFound
    elif code == libvirt.VIR_ERR_OPERATION_DENIED:
        kind = ReadOnly
    elif broke(error):
        advice = "the connection broke meanwhile: look whether it was done all the same"
    return kind(what, why, advice or _ADVICE.get(code or 0, ""), code=code)


def with_rest(error: TuivirtError, rest: str) -> TuivirtError:
    """The error, its reason followed by what is left or true then."""
    error.why = f"{error.why}; {rest}" if error.why else rest
    return error
