"""One line that says what a device is, from the values of its fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .field import Value

Values = Mapping[str, Value]


def words(*parts: Value) -> str:
    """Those that say something, with blanks between them."""
    return " ".join(str(part) for part in parts if part not in ("", None, False))


def named(*names: str) -> Callable[[Values], str]:
    """A summary of these fields' values."""
    return lambda values: words(*(values[name] for name in names))


def arrow(text: str) -> str:
    """What the guest sees of it, after what stands behind it on the host."""
    return f"→ {text}" if text else ""


def mebibytes(size: Value) -> str:
    """``4 MiB`` of so many bytes; '' of none."""
    return f"{size // 1024**2} MiB" if isinstance(size, int) and size else ""
