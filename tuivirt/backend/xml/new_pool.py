"""``<pool>`` for a new one, ``<source>`` to look for some, and which types a host offers.

Format: https://libvirt.org/formatstorage.html, formatstoragecaps.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .tree import Element, lxml, parse, skim


def new_pool(name: str, kind: str, values: Mapping[str, Any]) -> str:
    """``values``: by the names of virsh's options, as PoolType has them; empty ones are left out.

    ``source_host`` may be several with commas between, each with ``:port``; ``source_dev`` too.
    """
    etree = lxml()
    root = etree.Element("pool", type=kind)
    etree.SubElement(root, "name").text = name
    source = _source(values)
    if len(source):
        root.append(source)
    if values.get("target"):
        target = etree.SubElement(root, "target")
        etree.SubElement(target, "path").text = str(values["target"])
    return str(etree.tostring(root, encoding="unicode"))


def source_to_find(host: str = "", port: str = "", initiator: str = "") -> str:
    """What virConnectFindStoragePoolSources is told; '' for nothing."""
    place = f"{host}:{port}" if port and host else host
    source = _source({"source_host": place, "source_initiator": initiator})
    return str(lxml().tostring(source, encoding="unicode")) if len(source) else ""


def _source(values: Mapping[str, Any]) -> Element:
    etree = lxml()
    source = etree.Element("source")

    def said(word: str) -> str:
        return str(values.get(word) or "")

    for each in _words(said("source_host")):
        name, port = _place(each)
        host = etree.SubElement(source, "host", name=name)
        if port:
            host.set("port", port)
    for each in _words(said("source_dev")):
        etree.SubElement(source, "device", path=each)
    if said("source_path"):
        etree.SubElement(source, "dir", path=said("source_path"))
    _adapter(source, values)
    if said("source_name"):
        etree.SubElement(source, "name").text = said("source_name")
    if said("source_initiator"):
        initiator = etree.SubElement(source, "initiator")
        etree.SubElement(initiator, "iqn", name=said("source_initiator"))
    if said("auth_type") or said("auth_username"):
        auth = etree.SubElement(source, "auth", type=said("auth_type"))
        auth.set("username", said("auth_username"))
        secret = etree.SubElement(auth, "secret")
        for word in ("uuid", "usage"):
            if said(f"secret_{word}"):
                secret.set(word, said(f"secret_{word}"))
    if said("source_format"):
        etree.SubElement(source, "format", type=said("source_format"))
    if said("source_protocol_ver"):
        etree.SubElement(source, "protocol", ver=said("source_protocol_ver"))
    return source


def _adapter(source: Element, values: Mapping[str, Any]) -> None:
    etree = lxml()
    name, wwnn, wwpn = (values.get(f"adapter_{word}") for word in ("name", "wwnn", "wwpn"))
    if wwnn or wwpn:
        adapter = etree.SubElement(source, "adapter", type="fc_host")
        if values.get("adapter_parent"):
            adapter.set("parent", str(values["adapter_parent"]))
        adapter.set("wwnn", str(wwnn or ""))
        adapter.set("wwpn", str(wwpn or ""))
    elif name:
        etree.SubElement(source, "adapter", type="scsi_host", name=str(name))


def _words(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _place(text: str) -> tuple[str, str]:
    """``srv:3260`` in two; an address of IPv6 has its port behind brackets."""
    if text.startswith("["):
        name, _, port = text[1:].partition("]")
        return name, port.removeprefix(":")
    name, colon, port = text.rpartition(":")
    return (name, port) if colon and port.isdigit() and ":" not in name else (text, "")


def offered_types(xml: str) -> dict[str, tuple[str, ...]]:
    """By type of pool that the host offers: the formats of its volumes.

    ``xml`` is virConnectGetStoragePoolCapabilities'. Raises MalformedXml.
    """
    root = skim(xml, "storagepoolCapabilities")
    return {
        pool.get("type", ""): tuple(
            value.text or ""
            for enum in pool.iterfind("volOptions/enum")
            if enum.get("name") == "targetFormatType"
            for value in enum.iterfind("value")
        )
        for pool in root.iterfind("pool")
        if pool.get("supported") == "yes"
    }


def found_sources(xml: str) -> list[dict[str, str]]:
    """What virConnectFindStoragePoolSources has found, by the names of virsh's options.

    Raises MalformedXml.
    """
    root = parse(xml, "sources")
    found = []
    for source in root.iterfind("source"):
        hosts = [each.get("name", "") for each in source.iterfind("host")]
        devices = [each.get("path", "") for each in source.iterfind("device")]
        folder = source.find("dir")
        form = source.find("format")
        told = {
            "source_host": ", ".join(hosts),
            "source_dev": ", ".join(devices),
            "source_path": folder.get("path", "") if folder is not None else "",
            "source_name": source.findtext("name") or "",
            "source_format": form.get("type", "") if form is not None else "",
        }
        found.append({word: value for word, value in told.items() if value})
    return found
