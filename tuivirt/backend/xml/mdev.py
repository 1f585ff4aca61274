"""The ``<device>`` that makes, or defines, a mediated device.

Format: https://libvirt.org/drvnodedev.html.
"""

from __future__ import annotations

from lxml import etree


def mdev_xml(parent: str, type_id: str, uuid: str) -> str:
    """One of a type that the node device ``parent`` (libvirt's name of it) offers."""
    root = etree.Element("device")
    etree.SubElement(root, "parent").text = parent
    capability = etree.SubElement(root, "capability", type="mdev")
    etree.SubElement(capability, "type", id=type_id)
    etree.SubElement(capability, "uuid").text = uuid
    return etree.tostring(root, encoding="unicode")
