"""An object standing before one of libvirt's: what it does not do itself, libvirt's does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .machines import Machines


class Proxy:
    """Wraps a libvirt object. Equal to another of the same key, whatever they wrap.

    Its `_o`, the C object which libvirt-python hands to C, is the wrapped object's: so a
    wrapper may be passed to any real call.
    """

    def __init__(self, connection: Machines, real: Any) -> None:
        self._host = connection
        self._real = real

    def __getattr__(self, name: str) -> Any:
        if name in ("_host", "_real"):  # Not there yet: without this, a copy would recurse.
            raise AttributeError(name)
        return getattr(self._real, name)

    def _key(self) -> str:
        return str(self._real.UUIDString())

    def connect(self) -> Any:
        return self._host

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Proxy) and type(other) is type(self) and other._key() == self._key()
        )

    def __hash__(self) -> int:
        return hash(self._key())
