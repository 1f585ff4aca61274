"""``<secret>``: read, and written for a new one. What is in one is never in its XML.

Format: https://libvirt.org/formatsecret.html.
"""

from __future__ import annotations

from ..model.secret import Secret
from .tree import Element, lxml, skim

_NAMED_BY = {"volume": "volume", "ceph": "name", "iscsi": "target", "tls": "name", "vtpm": "name"}
"""By kind: the element that holds the usage name."""


def parse_secret(xml: str) -> Secret:
    """Raises MalformedXml."""
    root = skim(xml, "secret")
    usage = root.find("usage")
    kind = (usage.get("type") or "") if usage is not None else ""
    name = usage.findtext(_NAMED_BY.get(kind, "name")) if usage is not None else ""
    return Secret(
        uuid=root.findtext("uuid") or "",
        kind=kind,
        usage=name or "",
        description=(root.findtext("description") or "").strip(),
        ephemeral=root.get("ephemeral") == "yes",
        private=root.get("private") == "yes",
    )


def new_secret(secret: Secret) -> str:
    """As virSecretDefineXML takes it; without a UUID libvirt chooses one."""
    etree = lxml()
    flags = {"ephemeral": secret.ephemeral, "private": secret.private}
    root: Element = etree.Element("secret", {k: "yes" if on else "no" for k, on in flags.items()})
    if secret.uuid:
        etree.SubElement(root, "uuid").text = secret.uuid
    if secret.description:
        etree.SubElement(root, "description").text = secret.description
    if secret.kind:
        usage = etree.SubElement(root, "usage", type=secret.kind)
        etree.SubElement(usage, _NAMED_BY[secret.kind]).text = secret.usage
    return str(etree.tostring(root, encoding="unicode"))


def names_secret(root: Element, secret: Secret) -> bool:
    """Whether a domain's or a pool's XML names this secret, by its UUID or by its usage."""
    for each in root.iter("secret"):
        if each.get("uuid") == secret.uuid:
            return True
        by_usage = bool(secret.usage) and each.get("usage") == secret.usage
        # Of a login the kind of the secret is told beside; of an encryption it is a passphrase.
        if by_usage and each.get("type") in (secret.kind, "passphrase", None):
            return True
    # The state of a TPM names it so.
    return any(each.get("secret") == secret.uuid for each in root.iter("encryption"))
