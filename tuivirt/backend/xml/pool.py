"""``<pool>`` → Pool. Format: https://libvirt.org/formatstorage.html."""

from __future__ import annotations

from ..model.resources import Pool
from .tree import Element, size_of, skim, text_of

POOL_STATES = ("inactive", "building", "running", "degraded", "inaccessible")
"""virStoragePoolState's words, by number."""


def parse_pool(
    host: str,
    xml: str,
    *,
    active: bool,
    autostart: bool,
    persistent: bool,
    state: str | int | None = None,
) -> Pool:
    """The pool that ``xml`` (virStoragePoolGetXMLDesc) describes.

    ``state`` is virStoragePoolGetInfo's number or its word; without one it follows ``active``.
    An inactive pool's sizes are not known (libvirt writes 0). Raises MalformedXml.
    """
    root = skim(xml, "pool")
    source = root.find("source")
    return Pool(
        host=host,
        uuid=text_of(root, "uuid"),
        name=root.findtext("name") or "",
        state=_state(state, active),
        active=active,
        autostart=autostart,
        persistent=persistent,
        type=root.get("type", ""),
        path=root.findtext("target/path") or "",
        source="" if source is None else _source(source),
        capacity_bytes=size_of(root.find("capacity")) if active else None,
        allocation_bytes=size_of(root.find("allocation")) if active else None,
        available_bytes=size_of(root.find("available")) if active else None,
    )


def _state(state: str | int | None, active: bool) -> str:
    if state is None:
        return "running" if active else "inactive"
    if isinstance(state, int):
        return POOL_STATES[state] if 0 <= state < len(POOL_STATES) else f"state {state}"
    return state


def _source(source: Element) -> str:
    """What the pool is made of, in one line: ``host:/dir``, devices, adapter, name."""
    hosts = ",".join(
        found.get("name", "") + (f":{port}" if (port := found.get("port")) else "")
        for found in source.iterfind("host")
    )
    devices = [found.get("path", "") for found in source.iterfind("device")]
    folder = source.find("dir")
    adapter = source.find("adapter")
    name = source.findtext("name") or ""
    parts = [*devices]
    if folder is not None:
        parts.append(folder.get("path", ""))
    if adapter is not None:
        parts.append(adapter.get("name") or adapter.get("wwpn") or "")
    if name and name not in parts:
        parts.append(name)
    what = " ".join(part for part in parts if part)
    return f"{hosts}:{what}" if hosts and what else hosts or what
