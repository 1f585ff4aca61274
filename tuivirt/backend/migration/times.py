"""When a volume's file was changed, by which two hosts know that they see the same file."""

from __future__ import annotations

from ..model.migration import Stamp
from ..xml.tree import size_of, skim


def stamp_of(xml: str) -> Stamp:
    """The times in a volume's XML, zero where it has none. Raises MalformedXml.

    Source: virStorageVolGetXMLDesc, ``<timestamps>``: seconds with nanoseconds behind the point.
    """
    root = skim(xml, "volume")
    times = "target/timestamps"
    return Stamp(
        _ns(root.findtext(f"{times}/mtime")),
        _ns(root.findtext(f"{times}/ctime")),
        size_of(root.find("capacity")),
        (root.findtext("backingStore/path") or "").strip(),
        size_of(root.find("physical")),
    )


def _ns(text: str | None) -> int:
    seconds, _, rest = (text or "").strip().partition(".")
    if not seconds.isdecimal() or not (rest.isdecimal() or not rest):
        return 0
    return int(seconds) * 1_000_000_000 + int(rest[:9].ljust(9, "0"))


def is_same(before: Stamp | None, there: Stamp | None, after: Stamp | None) -> bool | None:
    """Whether another host sees the same file; None: it cannot be told.

    A guest may write between the readings, so the one in the middle has to lie between.
    """
    if there is None:
        return False
    if before is None or after is None or not (before.ctime_ns and there.ctime_ns):
        return None
    return (
        before.mtime_ns <= there.mtime_ns <= after.mtime_ns
        and before.ctime_ns <= there.ctime_ns <= after.ctime_ns
    )
